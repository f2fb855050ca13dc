import { describe, expect, it } from 'vitest';
import {
  attachReader,
  attachWriter,
  type CoreMemory,
  createCoreMemory,
  createTables,
  PUSH_FULL,
} from '../../agent/core';
import {
  CoreHeader,
  CoreLimit,
  CoreRegion,
  HistogramWord,
  RecordKind,
  SeriesKind,
  SlotPhase,
  SlotWord,
} from '../../assembly/layout';

describe.each(['wasm', 'twin'] as const)('core on %s', (kind) => {
  const forceTwin = kind === 'twin';

  function open() {
    const memory = createCoreMemory({ forceTwin });
    return { memory, reader: attachReader(memory), writer: attachWriter(memory, 0)! };
  }

  /** A copy as another thread would get it. */
  function sent(memory: CoreMemory): CoreMemory {
    return { ...memory };
  }

  it('says which engine it is, and why', () => {
    const memory = createCoreMemory({ forceTwin });
    expect(memory).toMatchObject({ kind, reason: forceTwin ? 'asked for the twin' : '' });
    expect(memory.buffer.byteLength).toBe(CoreRegion.End);
  });

  it('carries records in order, through many turns of the ring', () => {
    const { reader, writer } = open();
    expect(writer.slot).toBe(0);
    let sent = 0;
    let seen = 0;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 1000; i++)
        expect(writer.push(RecordKind.Gc, sent, 2 ** 32 - 1, sent * 1.5, ++sent)).toBe(1);
      const most = 700 + round * 30;
      const waiting = sent - seen;
      const drained = reader.drain(0, most, (kind, a, b, start, duration) => {
        expect([kind, a, b, start, duration]).toEqual([
          RecordKind.Gc,
          seen,
          2 ** 32 - 1,
          seen * 1.5,
          seen + 1,
        ]);
        seen++;
      });
      expect(drained).toBe(Math.min(most, waiting));
    }
    while (reader.drain(0, 5000, () => seen++));
    expect(seen).toBe(sent);
  });

  it('drops what does not fit and tells it by kind, once', () => {
    const { reader, writer } = open();
    for (let i = 0; i < CoreLimit.MainRingRecords; i++) writer.push(RecordKind.Gc, i, 0, i, 0);
    expect(writer.push(RecordKind.Span, 0, 0, 50, 0)).toBe(PUSH_FULL);
    expect(writer.push(RecordKind.Span, 0, 0, 60, 0)).toBe(PUSH_FULL);
    expect(writer.push(RecordKind.Gc, 0, 0, 70, 0)).toBe(PUSH_FULL);
    expect(reader.takeDropped()).toEqual([
      { kind: RecordKind.Gc, count: 1, firstMicros: 70 },
      { kind: RecordKind.Span, count: 2, firstMicros: 50 },
    ]);
    expect(reader.takeDropped()).toEqual([]);
    writer.push(RecordKind.Span, 0, 0, 80, 0);
    expect(reader.takeDropped()).toEqual([{ kind: RecordKind.Span, count: 1, firstMicros: 80 }]);
  });

  it('gives each visited record back when a visitor throws', () => {
    const { reader, writer } = open();
    for (let i = 0; i < 3; i++) writer.push(RecordKind.Gc, i, 0, 0, 0);
    const throwAtOne = (_: number, a: number) => {
      if (a === 1) throw new Error('visitor');
    };
    expect(() => reader.drain(0, 10, throwAtOne)).toThrow('visitor');
    const rest: number[] = [];
    reader.drain(0, 10, (_, a) => rest.push(a));
    expect(rest).toEqual([2]);
  });

  it('finds a series again by kind, name, unit and labels', () => {
    const { reader, writer } = open();
    const a = writer.series(SeriesKind.Histogram, 'x', 'us', ['a', 'b']);
    expect(a).toBeGreaterThan(0);
    expect(writer.series(SeriesKind.Histogram, 'x', 'us', ['a', 'b'])).toBe(a);
    const others = [
      writer.series(SeriesKind.Counter, 'x', 'us', ['a', 'b']),
      writer.series(SeriesKind.Histogram, 'x', 'us', ['a,b']),
      writer.series(SeriesKind.Histogram, 'x', 'us', []),
      writer.series(SeriesKind.Histogram, 'xus', '', ['a', 'b']),
    ];
    expect(new Set([a, ...others]).size).toBe(5);
    expect(reader.takeNewSeries().map((info) => info.handle)).toEqual([a, ...others]);
    writer.series(SeriesKind.Gauge, 'später \0 🦝', 'By', ['schlüssel', 'wert']);
    expect(reader.takeNewSeries()).toMatchObject([
      {
        kind: SeriesKind.Gauge,
        name: 'später \0 🦝',
        unit: 'By',
        labels: ['schlüssel', 'wert'],
        slot: 0,
        threadId: 0,
      },
    ]);
    expect(reader.takeNewSeries()).toEqual([]);
  });

  it('carries histograms, counters and gauges', () => {
    const { reader, writer } = open();
    const histogram = writer.series(SeriesKind.Histogram, 'h', 'us', []);
    const counter = writer.series(SeriesKind.Counter, 'c', '1', []);
    const gauge = writer.series(SeriesKind.Gauge, 'g', '1', []);
    const [h, c, g] = reader.takeNewSeries();
    for (const value of [1, 2, 3, 1000, 0]) writer.record(histogram, value);
    writer.recordInt(histogram, 7);
    writer.record(histogram, NaN);
    writer.add(counter, 2.5);
    writer.add(counter, 4);
    writer.set(gauge, -3.25);
    const delta = reader.histogramDelta(h!)!;
    expect(delta).toMatchObject({ count: 6, sum: 1013, min: 0, max: 1000 });
    const merged = createTables({ forceTwin }).histogram();
    merged.addDelta(delta);
    expect(merged.encode()).toEqual(delta);
    expect(reader.histogramDelta(h!)).toBeNull();
    expect(reader.refusals(h!)).toMatchObject({ notANumber: 1, negative: 0 });
    expect([reader.value(c!), reader.value(c!), reader.value(g!), reader.value(g!)]).toEqual([
      6.5, 0, -3.25, -3.25,
    ]);
  });

  it('sees a value whose extremes came late, when the reader had taken them away', () => {
    const { memory, reader, writer } = open();
    const histogram = writer.series(SeriesKind.Histogram, 'late', 'us', []);
    writer.record(histogram, 5);
    const [info] = reader.takeNewSeries();
    reader.histogramDelta(info!);
    for (const value of [5, 0]) {
      writer.record(histogram, value);
      const cells = new Float64Array(memory.buffer);
      cells[(histogram + HistogramWord.Lowest) / 8] = Number.POSITIVE_INFINITY;
      expect(reader.histogramDelta(info!)).toMatchObject({ count: 1, sum: value });
      expect(reader.histogramDelta(info!)).toBeNull();
    }
  });

  it('loses nothing between two looks', () => {
    const { reader, writer } = open();
    const series = writer.series(SeriesKind.Histogram, 'h', 'us', []);
    const [info] = reader.takeNewSeries();
    const tables = createTables({ forceTwin });
    const [summed, direct] = [tables.histogram(), tables.histogram()];
    for (let i = 0; i < 5000; i++) {
      const value = (i * 7919) % 10_007;
      writer.record(series, value);
      direct.record(value);
      if (i % 37 === 0) summed.addDelta(reader.histogramDelta(info!)!);
    }
    summed.addDelta(reader.histogramDelta(info!)!);
    expect(summed.encode()).toEqual(direct.encode());
  });

  it('sends what does not fit to the overflow series and counts it', () => {
    const { reader, writer } = open();
    for (let i = 0; i < CoreLimit.SeriesPerThread; i++) writer.series(SeriesKind.Counter, `c${i}`, '1', []);
    expect(reader.takeNewSeries().length).toBe(CoreLimit.SeriesPerThread);
    expect(reader.takeSeriesOverflow()).toBe(0);
    const overflow = writer.series(SeriesKind.Histogram, 'one too many', 'us', []);
    expect(writer.series(SeriesKind.Histogram, 'two too many', 'us', [])).toBe(overflow);
    writer.record(overflow, 5);
    expect(writer.series(SeriesKind.Counter, 'c7', '1', [])).not.toBe(overflow);
    writer.add(writer.series(SeriesKind.Counter, 'three', '1', []), 1);
    expect(reader.takeSeriesOverflow()).toBe(3);
    expect(reader.takeSeriesOverflow()).toBe(0);
    expect(reader.takeNewSeries()).toEqual([]);
  });

  it('overflows too when a name is too long for a chunk or the arena is used up', () => {
    const { memory, reader, writer } = open();
    writer.series(SeriesKind.Gauge, 'x'.repeat(100_000), '1', []);
    expect(reader.takeSeriesOverflow()).toBe(1);
    new Uint32Array(memory.buffer)[CoreHeader.ArenaNext >> 2] = CoreRegion.End;
    let made = 0;
    while (reader.takeSeriesOverflow() === 0) writer.series(SeriesKind.Histogram, `h${made++}`, 'us', []);
    expect(made).toBeGreaterThan(50);
    expect(reader.takeNewSeries().length).toBe(made - 1);
    expect(attachWriter(memory, 5)).toBeNull();
    expect(reader.takeSlotOverflow()).toBe(1);
  });

  it('has 64 slots, counts threads that find none, and frees a detached slot when it is dry', () => {
    const { memory, reader } = open();
    const others = Array.from({ length: CoreLimit.Slots - 1 }, (_, i) => attachWriter(sent(memory), i + 1)!);
    expect(new Set(others.map((writer) => writer.slot)).size).toBe(CoreLimit.Slots - 1);
    expect(attachWriter(memory, 99)).toBeNull();
    expect(attachWriter(memory, 99)).toBeNull();
    expect(reader.takeSlotOverflow()).toBe(2);
    expect(reader.takeSlotOverflow()).toBe(0);
    expect(reader.slots().length).toBe(CoreLimit.Slots);

    const gone = others[9]!;
    gone.push(RecordKind.Gc, 1, 2, 3, 4);
    gone.detach();
    expect(gone.push(RecordKind.Gc, 1, 2, 3, 4)).toBe(PUSH_FULL);
    expect(reader.slots()).toContainEqual({ slot: gone.slot, threadId: 10, attached: false });
    expect(attachWriter(memory, 99)).toBeNull();
    expect(reader.drain(gone.slot, 10, () => {})).toBe(1);
    expect(reader.slots()).not.toContainEqual(expect.objectContaining({ threadId: 10 }));
    expect(attachWriter(memory, 99)!.slot).toBe(gone.slot);
  });

  it('frees no slot that still holds records', () => {
    const { memory, reader } = open();
    const gone = attachWriter(sent(memory), 3)!;
    for (let i = 0; i < 4; i++) gone.push(RecordKind.Gc, i, 0, 0, 0);
    gone.detach();
    const seen: number[] = [];
    for (let round = 0; round < 6; round++) reader.drain(gone.slot, 2, (_, a) => seen.push(a));
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(reader.slots().map((slot) => slot.threadId)).toEqual([0]);
  });

  it('keeps what a thread left in its series, whoever has its slot now', () => {
    const { memory, reader } = open();
    const first = attachWriter(sent(memory), 1)!;
    const histogram = first.series(SeriesKind.Histogram, 'h', 'us', []);
    const [seen] = reader.takeNewSeries();
    first.record(histogram, 5);
    reader.histogramDelta(seen!);
    first.record(histogram, 6);
    first.record(histogram, -1);
    const late = first.series(SeriesKind.Counter, 'late', '1', []);
    first.add(late, 3);
    first.detach();
    reader.drain(first.slot, 10, () => {});

    const second = attachWriter(sent(memory), 2)!;
    expect(second.slot).toBe(first.slot);
    const again = second.series(SeriesKind.Histogram, 'h', 'us', []);
    second.record(again, 1000);
    first.record(histogram, 99); // after detach: nothing
    first.add(late, 99);

    const [lateInfo, againInfo] = reader.takeNewSeries();
    expect(lateInfo).toMatchObject({ name: 'late', threadId: 1 });
    expect(againInfo).toMatchObject({ name: 'h', threadId: 2 });
    expect(reader.histogramDelta(seen!)).toMatchObject({ count: 1, max: 6 });
    expect(reader.histogramDelta(seen!)).toBeNull();
    expect(reader.refusals(seen!).negative).toBe(1);
    expect(reader.value(lateInfo!)).toBe(3);
    expect(reader.value(lateInfo!)).toBe(0);
    expect(reader.histogramDelta(againInfo!)).toMatchObject({ count: 1, min: 1000 });
  });

  it('takes no more arena for the thousandth thread of a slot than for its first', () => {
    const { memory, reader } = open();
    const next = () => new Uint32Array(memory.buffer)[CoreHeader.ArenaNext >> 2]!;
    let after = 0;
    for (let thread = 1; thread <= 1000; thread++) {
      const writer = attachWriter(sent(memory), thread)!;
      const series = writer.series(SeriesKind.Histogram, 'h', 'us', ['thread', String(thread)]);
      for (let value = 1; value < 2 ** 30; value *= 2) writer.record(series, value);
      writer.detach();
      reader.drain(writer.slot, 1, () => {});
      const [info] = reader.takeNewSeries();
      expect(reader.histogramDelta(info!)!.count).toBe(30);
      if (thread === 1) after = next();
    }
    expect(next()).toBe(after);
  });

  it('frees the slot of a thread that died, attached or half attached', () => {
    const { memory, reader } = open();
    const dead = attachWriter(sent(memory), 7)!;
    dead.push(RecordKind.Gc, 1, 1, 1, 1);
    const half = CoreRegion.Slots + 5 * CoreLimit.SlotBytes + SlotWord.State;
    new Int32Array(memory.buffer)[half >> 2] = (8 << 2) | SlotPhase.Attaching;
    reader.markDead(7);
    reader.markDead(8);
    reader.markDead(9);
    expect(
      reader
        .slots()
        .filter((slot) => !slot.attached)
        .map((slot) => slot.threadId),
    ).toEqual([7, 8]);
    expect(reader.drain(dead.slot, 10, () => {})).toBe(1);
    expect(reader.drain(5, 10, () => {})).toBe(0);
    expect(reader.slots().map((slot) => slot.threadId)).toEqual([0]);
  });

  it('refuses memory of another layout', () => {
    const { memory } = open();
    new Int32Array(memory.buffer)[CoreHeader.LayoutVersion >> 2] = 99;
    expect(() => attachReader(sent(memory))).toThrow(/must have layout 3, got magic \d+ and layout 99/);
    expect(() => attachWriter(sent(memory), 1)).toThrow(expect.objectContaining({ code: 'ERR_CORE_LAYOUT' }));
  });
});

it('runs the twin on the WebAssembly memory where the module cannot be instantiated', () => {
  const memory = createCoreMemory();
  const writer = attachWriter(memory, 0)!;
  const reader = attachReader({ ...memory, module: null });
  const series = writer.series(SeriesKind.Histogram, 'h', 'us', []);
  writer.record(series, 12.5);
  writer.push(RecordKind.Gc, 1, 2, 3, 4);
  expect(reader.drain(0, 10, () => {})).toBe(1);
  expect(reader.histogramDelta(reader.takeNewSeries()[0]!)).toMatchObject({ count: 1, sum: 12.5 });
});
