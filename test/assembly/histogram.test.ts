import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { CoreRegion, DeltaWord, HistogramWord } from '../../assembly/layout';
import { openEngine, resetEngine, slotAt } from './engines';
import { bucketIndexOf, mantissaOfBound } from './exact-buckets';

const LOWEST_INDEX = -1280;
const OUT = CoreRegion.ReaderDelta;
const SLOT = slotAt(0);

type Figures = [count: number, sum: number, min: number, max: number];

describe.each([openEngine('wasm'), openEngine('twin')])('histogram on $name', (engine) => {
  const { core, recorder, buffer } = engine;
  /** Of the other engine, so that each is held against both. */
  const decoder = createTables({ forceTwin: engine.name === 'wasm' });
  const words = new Uint32Array(buffer);
  const cells = new Float64Array(buffer);

  function fresh(): number {
    resetEngine(engine);
    return core.histogramCreate(SLOT);
  }

  function delta(base: number) {
    const length = core.histogramDelta(base, OUT, CoreRegion.ReaderScratch);
    const [count, sum, min, max] = cells.slice(OUT >> 3, (OUT >> 3) + 4) as unknown as Figures;
    const figures = { count, sum, min, max };
    const histogram = decoder.histogram();
    histogram.addDelta({ ...figures, buckets: new Uint8Array(buffer, OUT + DeltaWord.Buckets, length) });
    const zero: [null, number][] = histogram.zeroCount > 0 ? [[null, histogram.zeroCount]] : [];
    const buckets = histogram.buckets().map(({ index, count }): [number, number] => [index, count]);
    return { ...figures, buckets: [...zero, ...buckets] };
  }

  const refused = (base: number, word: HistogramWord) => words[(base + word) >> 2];

  it('puts both sides of every bucket bound of the whole range where the exact oracle does', () => {
    const base = fresh();
    const values: number[] = [];
    const expected: [number, number][] = [];
    for (let octave = -10; octave < 50; octave++) {
      for (let s = 0; s < 128; s++) {
        const below = mantissaOfBound(s + 1) * 2 ** (octave - 52); // the largest f64 of the bucket
        const above = (mantissaOfBound(s) + 1) * 2 ** (octave - 52); // the smallest
        const index = octave * 128 + s;
        expect(core.keyOf(below), `${below}`).toBe(index - LOWEST_INDEX + 1);
        expect(core.keyOf(above), `${above}`).toBe(index - LOWEST_INDEX + 1);
        values.push(below, above);
        expected.push([index, 4]);
      }
    }
    // The second time all have their pages and lie within the extremes: that is the straight path.
    for (const value of [...values, ...values]) recorder.record(base, value);
    expect(delta(base).buckets).toEqual(expected);
  });

  it('agrees with the oracle on random values of every magnitude', () => {
    for (let i = 0; i < 3000; i++) {
      const value = 2 ** (-10 + 60 * Math.random());
      expect(core.keyOf(value) - 1 + LOWEST_INDEX, `${value}`).toBe(bucketIndexOf(value));
    }
  });

  it.each([0, -0, Number.MIN_VALUE, 2 ** -1060, 2 ** -1022, 2 ** -11, 2 ** -10])(
    'counts %d as zero',
    (value) => {
      const base = fresh();
      recorder.record(base, value);
      expect(delta(base)).toEqual({
        count: 1,
        sum: (value + 0) * 2 ** -40 * 2 ** 40, // nothing is left of the smallest subnormals
        min: value + 0,
        max: value + 0,
        buckets: [[null, 1]],
      });
      expect(refused(base, HistogramWord.Low)).toBe(value === 0 ? 0 : 1);
    },
  );

  it.each([
    [2 ** 50 * (1 + 2 ** -52), 1],
    [2 ** 51, 1],
    [Number.MAX_VALUE, 1],
    [2 ** 50, 0],
  ])('counts %d in the last bucket, as 2^50', (value, high) => {
    const base = fresh();
    recorder.record(base, value);
    recorder.record(base, value);
    expect(delta(base)).toEqual({ count: 2, sum: 2 ** 51, min: 2 ** 50, max: 2 ** 50, buckets: [[6399, 2]] });
    expect(refused(base, HistogramWord.High)).toBe(2 * high);
  });

  it.each([
    [NaN, HistogramWord.NotANumber],
    [Infinity, HistogramWord.Infinite],
    [-Infinity, HistogramWord.Infinite],
    [-1, HistogramWord.Negative],
    [-Number.MIN_VALUE, HistogramWord.Negative],
    [-Number.MAX_VALUE, HistogramWord.Negative],
  ])('counts %d apart and in no bucket', (value, word) => {
    const base = fresh();
    recorder.record(base, value);
    expect(delta(base)).toMatchObject({ count: 0, sum: 0, buckets: [] });
    expect(refused(base, word)).toBe(1);
  });

  it('records whole numbers as it records the same f64', () => {
    const base = fresh();
    const bounds = Array.from({ length: 31 * 128 }, (_, s) => Math.floor(2 ** (s / 128)));
    const list = [0, ...new Set(bounds.flatMap((bound) => [bound, bound + 1])), 2 ** 31 - 1];
    for (const value of list) {
      for (let i = 0; i < 3; i++) recorder.recordInt(base, value);
      const whole = delta(base);
      for (let i = 0; i < 3; i++) core.histogramRecordApart(base, value);
      expect(whole).toEqual(delta(base));
      expect(whole.buckets).toEqual([[value === 0 ? null : bucketIndexOf(value), 3]]);
    }
    recorder.recordInt(base, -5);
    expect(refused(base, HistogramWord.Negative)).toBe(1);
  });

  it.each(['record', 'recordInt'] as const)(
    'has a straight path in %s that agrees with the long one',
    (name) => {
      const base = fresh();
      const other = core.histogramCreate(SLOT);
      const values = Array.from({ length: 20_000 }, () =>
        name === 'record' ? 2 ** (-10 + 60 * Math.random()) : Math.floor(2 ** (31 * Math.random())),
      );
      for (const round of [1, 2]) {
        for (const value of values) {
          recorder[name](base, value);
          core.histogramRecordApart(other, value);
        }
        expect(delta(base), `round ${round}`).toEqual(delta(other));
      }
    },
  );

  it('tells each delta its own extremes', () => {
    const base = fresh();
    for (const values of [[5, 100, 7], [1000], [3, 3.5], [2 ** 40, 0.01]]) {
      for (const value of values) recorder.record(base, value);
      expect(delta(base)).toMatchObject({
        min: Math.min(...values),
        max: Math.max(...values),
        count: values.length,
      });
      expect(delta(base).count).toBe(0);
    }
  });

  it('survives counts that wrap around 2^32 between two looks', () => {
    const base = fresh();
    recorder.record(base, 8);
    delta(base);
    const octave = 13 - 1; // (4, 8]
    const page = words[(base + HistogramWord.Directory + octave * 4) >> 2]!;
    words[(page + 127 * 4) >> 2] = 2 ** 32 - 1;
    words[(page + 512 + 127 * 4) >> 2] = 2 ** 32 - 1;
    for (let i = 0; i < 3; i++) recorder.record(base, 8);
    expect(delta(base)).toMatchObject({ count: 3, buckets: [[383, 3]] });
  });

  it('counts what the arena has no room for, and loses nothing else', () => {
    const base = fresh();
    recorder.record(base, 1);
    words[32] = CoreRegion.End; // ArenaNext: no more chunks
    while (core.allocate(SLOT, 1024));
    recorder.record(base, 1);
    recorder.record(base, 1000);
    expect(delta(base)).toMatchObject({ count: 2, sum: 2, max: 1 });
    expect(refused(base, HistogramWord.Unplaced)).toBe(1);
  });
});
