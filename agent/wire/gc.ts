/** Garbage collections on the wire: words for what perf_hooks gives as numbers, and the series that tell of them. */

/** The label of SERIES_GC_PAUSE, and its values. */
export const LABEL_GC_TYPE = 'v8js.gc.type';
export type GcType = 'minor' | 'major' | 'incremental' | 'weakcb' | 'other';

const TYPES: Readonly<Record<number, GcType>> = {
  1: 'minor',
  2: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weakcb',
};

const CAUSES: readonly [flag: number, words: string][] = [
  [2, 'to build retained object infos'],
  [4, 'forced'],
  [8, 'with weak callbacks run at once'],
  [16, 'to collect all that can be'],
  [32, 'for memory outside the heap'],
  [64, 'in idle time'],
];

/** kind: as perf_hooks gives it. */
export function gcTypeOf(kind: number): GcType {
  return TYPES[kind] ?? 'other';
}

/** flags: as perf_hooks gives them. '' for an ordinary collection, which allocation made due. */
export function gcCauseOf(flags: number): string {
  return CAUSES.filter(([flag]) => (flags & flag) !== 0)
    .map(([, words]) => words)
    .join(', ');
}

/**
 * Gauges of the heap after the newest major collection, bytes, by LABEL_PART: 'used' by objects, 'committed' to the heap,
 * 'external' to it but owned by objects, 'rss' of the process.
 */
export const SERIES_MAJOR_MEMORY = 'v8js.gc.major.memory';
export const LABEL_PART = 'part';
export const MAJOR_MEMORY_PARTS = ['used', 'committed', 'external', 'rss'] as const;
export type MajorMemoryPart = (typeof MAJOR_MEMORY_PARTS)[number];
export const UNIT_BYTES = 'By';

/** Gauges of the learned pauses of the heap's present level, µs, by LABEL_GC_TYPE and LABEL_PERCENTILE. p95 is the limit. */
export const SERIES_GC_BASELINE = 'v8js.gc.pause.baseline';
export const LABEL_PERCENTILE = 'percentile';
export const BASELINE_PERCENTILES = ['p90', 'p95', 'p99'] as const;
