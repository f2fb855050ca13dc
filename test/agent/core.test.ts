import { describe, expect, it } from 'vitest';
import { attachReader, attachWriter, createCoreMemory, createTables } from '../../agent/core';
import { RecordKind, SeriesKind } from '../../assembly/layout';

describe.each(['wasm', 'twin'] as const)('core on %s', (kind) => {
  const forceTwin = kind === 'twin';

  it('carries a record and a histogram from the writer to the reader', () => {
    const memory = createCoreMemory({ forceTwin });
    expect(memory.reason).toBe(forceTwin ? 'asked for the twin' : '');
    const writer = attachWriter(memory, 0)!;
    const reader = attachReader(memory);
    expect(writer.push(RecordKind.Gc, 4, 7, 100.5, 2.25)).toBe(1);
    const seen: number[][] = [];
    expect(reader.drain(0, 10, (...record) => seen.push(record))).toBe(1);
    expect(seen).toEqual([[1, 4, 7, 100.5, 2.25]]);
    const series = writer.series(SeriesKind.Histogram, 'x', 'us', ['a', 'b']);
    for (const value of [1, 2, 3, 1000, 0]) writer.record(series, value);
    const [info] = reader.takeNewSeries();
    expect(info).toMatchObject({
      slot: 0,
      threadId: 0,
      handle: series,
      name: 'x',
      unit: 'us',
      labels: ['a', 'b'],
    });
    const delta = reader.histogramDelta(info!)!;
    expect(delta).toMatchObject({ count: 5, sum: 1006, min: 0, max: 1000 });
    const merged = createTables({ forceTwin }).histogram();
    merged.addDelta(delta);
    expect(merged.count).toBe(5);
    expect(merged.buckets().map((b) => b.index)).toEqual([-1, 127, 202, 1275]);
    expect(merged.encode()).toEqual(delta);
    expect(merged.quantiles([0, 1])).toEqual([0, 1000]);
    expect(reader.histogramDelta(info!)).toBeNull();
  });
});
