import { describe, expect, it } from 'vitest';
import { LABEL_GC_TYPE, LABEL_PART, SERIES_MAJOR_MEMORY } from '../../agent/wire/gc';
import { EVENT_GC, SERIES_GC_PAUSE } from '../../agent/wire/schema';
import { SeriesKind } from '../../assembly/layout';
import { StackTable } from '../../collector/profile/stack-table';
import { gcComment } from '../../collector/query/gc-comment';
import { memoryHint } from '../../collector/query/memory-hint';
import { gcFigures, gcName, RecentGc } from '../../collector/query/recent-gc';
import type { Batch, InstanceStatus, SeriesValue } from '../../collector/store/batch';

const MS = 1000;
const SECOND = 1e6;
const MEBIBYTE = 1024 * 1024;

/** A second of an agent: collections [type, start ms, length ms] after its start. */
function secondOf(
  second: number,
  collections: [type: 'minor' | 'major', at: number, millis: number][],
  busy = 0.5,
): Batch {
  const startMicros = second * SECOND;
  const values = (['minor', 'major'] as const).flatMap((type): SeriesValue[] => {
    const lengths = collections.filter((entry) => entry[0] === type).map(([, , millis]) => millis * MS);
    if (lengths.length === 0) return [];
    const labels = [LABEL_GC_TYPE, type];
    const series = { threadId: 0, kind: SeriesKind.Histogram, name: SERIES_GC_PAUSE, unit: 'us', labels };
    const sum = lengths.reduce((total, length) => total + length, 0);
    const [min, max] = [Math.min(...lengths), Math.max(...lengths)];
    return [{ series, count: lengths.length, sum, min, max, buckets: new Uint8Array(0) }];
  });
  return {
    agentId: 'a',
    epoch: 1,
    sequence: second,
    startMicros,
    endMicros: startMicros + SECOND,
    stacks: new StackTable(),
    windows: [],
    values,
    events: collections.map(([type, at, millis]) => ({
      kind: EVENT_GC,
      threadId: 0,
      startMicros: startMicros + at * MS,
      durationMicros: millis * MS,
      a: type === 'minor' ? 1 : 4,
      b: type === 'minor' ? 0 : 4,
      stack: 0,
    })),
    losses: [],
    status: { loopIdleMicros: (1 - busy) * SECOND, loopActiveMicros: busy * SECOND } as InstanceStatus,
    byteSize: 0,
  };
}

function memoryValue(part: string, bytes: number): SeriesValue {
  const series = {
    threadId: 0,
    kind: SeriesKind.Gauge,
    name: SERIES_MAJOR_MEMORY,
    unit: 'By',
    labels: [LABEL_PART, part],
  };
  return { series, count: 1, sum: bytes, min: bytes, max: bytes, buckets: null };
}

describe('figures of garbage collection', () => {
  const batches = [
    secondOf(0, [
      ['minor', 100, 2],
      ['minor', 104, 4],
    ]),
    secondOf(1, [['major', 500, 14]]),
  ];

  it('are shares of wall and busy time, by type, and what is left in the worst windows', () => {
    const figures = gcFigures(batches, 0, 2 * SECOND);
    expect(figures).toMatchObject({ count: 3, sumMicros: 20 * MS, maxMicros: 14 * MS, entries: 3 });
    expect([figures.wallShare, figures.busyShare]).toEqual([0.01, 0.02]);
    expect(figures.byType.map(({ type, count }) => [type, count])).toEqual([
      ['minor', 2],
      ['major', 1],
    ]);
    expect(figures.mutator.map(({ utilization }) => utilization!.toFixed(3))).toEqual([
      '0.000',
      '0.720',
      '0.860',
      '0.986',
    ]);
  });

  it('do not know the busy share where nobody counted', () => {
    expect(gcFigures([secondOf(0, [['minor', 1, 1]], 0)], 0, SECOND).busyShare).toBeNull();
  });

  it('are a line of a profile', () => {
    expect(gcComment(batches, [0, 2 * SECOND])).toBe(
      'garbage collection took 1.0 % of wall and 2.0 % of busy time; longest of 3 14.00 ms, major (forced); ' +
        'it left to the program 0.0 % of the worst 10 ms, 72.0 % of the worst 50 ms, 86.0 % of the worst 100 ms, ' +
        '98.6 % of the worst 1000 ms (minimum mutator utilisation)',
    );
    expect(gcComment([secondOf(0, [])], [0, SECOND])).toBe('');
    expect(gcName(1, 0)).toBe('minor');
  });

  it('are kept for a minute and for agents that are known', () => {
    const recent = new RecentGc();
    for (let second = 0; second < 200; second++)
      recent.add('a', secondOf(second, [['minor', 10, 1 + (second % 2)]]));
    const figures = recent.figures('a')!;
    expect(figures.spanMicros).toBeLessThanOrEqual(61 * SECOND);
    expect([figures.count, figures.entries]).toEqual([61, 60]);
    expect(recent.figures('b')).toBeNull();
    recent.keepOnly(() => false);
    expect(recent.figures('a')).toBeNull();
  });

  it('have the heap after the newest major collection once all its parts are told', () => {
    const recent = new RecentGc();
    const batch = (values: SeriesValue[]) => ({ ...secondOf(0, []), values });
    recent.add('a', batch([memoryValue('used', 1), memoryValue('committed', 2), memoryValue('external', 3)]));
    expect(recent.majorMemory('a')).toBeNull();
    recent.add('a', batch([memoryValue('rss', 9)]));
    recent.add('a', batch([memoryValue('used', 5)]));
    expect(recent.majorMemory('a')).toEqual({ used: 5, committed: 2, external: 3, rss: 9 });
  });
});

describe('memory that a collection did not give back', () => {
  const memory = {
    used: 40 * MEBIBYTE,
    committed: 60 * MEBIBYTE,
    external: 10 * MEBIBYTE,
    rss: 120 * MEBIBYTE,
  };

  it('is nothing to speak of in an ordinary program', () => {
    expect(memoryHint(memory)).toBeNull();
  });

  it('is heap that no object uses, or memory outside the heap', () => {
    expect(memoryHint({ ...memory, committed: 200 * MEBIBYTE })).toContain('V8 keeps 160 MiB of heap');
    expect(memoryHint({ ...memory, rss: 600 * MEBIBYTE })).toContain('530 MiB of resident memory');
  });
});
