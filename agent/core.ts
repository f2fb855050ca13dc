/**
 * The only file that knows WebAssembly. It gives the core's three faces: a writer (one per host thread), a reader (the
 * agent thread) and the tables (private to whoever makes them: the agent thread interns stacks and encodes columns,
 * the collector decodes and merges). Each face runs on the WebAssembly module, or on a plain TypeScript twin with the
 * same memory layout and bit-identical results where WebAssembly or shared memory cannot be had.
 */
import type { RecordKind, SeriesKind } from '../assembly/layout';

/** What travels to other threads (workerData, setEnvironmentData): structured-cloneable. */
export type CoreMemory = {
  /** 'wasm': `memory` is a shared WebAssembly.Memory and `module` its compiled code; 'twin': only `buffer`. */
  kind: 'wasm' | 'twin';
  buffer: SharedArrayBuffer;
  memory: WebAssembly.Memory | null;
  module: WebAssembly.Module | null;
};

/** Results of a push that did not store: the record was counted as dropped under its kind. */
export const PUSH_FULL = -1;

/** The producing face of one host thread: it owns one ring and its own series. Never throws after construction. */
export interface CoreWriter {
  readonly slot: number;
  /** Stores one 32-byte record: 1, or PUSH_FULL. a, b: u32. Times in µs. */
  push(kind: RecordKind, a: number, b: number, startMicros: number, durationMicros: number): number;
  /** Creates (or finds) a series; returns its handle, > 0. When the arena or the table is full: the overflow series, and the loss is counted. labels: flat key, value. */
  series(kind: SeriesKind, name: string, unit: string, labels: readonly string[]): number;
  /** Histogram: any f64. NaN, ±Infinity and negative values are counted apart, zero has a bucket of its own. */
  record(series: number, value: number): void;
  /** Histogram: a non-negative integer below 2^31: the short path. */
  recordInt(series: number, value: number): void;
  /** Counter: adds. */
  add(series: number, delta: number): void;
  /** Gauge: sets. */
  set(series: number, value: number): void;
  /** Gives the slot back; the reader still drains what is in it. */
  detach(): void;
}

export type SeriesInfo = { slot: number; threadId: number; handle: number; kind: SeriesKind; name: string; unit: string; labels: string[] };

/** What a histogram gained between two looks. `buckets` is the core's own encoding (varint gaps and counts, see assembly/histogram.ts). */
export type HistogramDelta = { count: number; sum: number; min: number; max: number; buckets: Uint8Array };

/** The consuming face, for the agent thread alone. */
export interface CoreReader {
  /** Slots in use (attached, or detached and not yet drained). */
  slots(): { slot: number; threadId: number; attached: boolean }[];
  /** Hands over up to `max` records of a slot in order; returns how many. A detached slot that runs dry is freed. */
  drain(slot: number, max: number, visit: (kind: number, a: number, b: number, startMicros: number, durationMicros: number) => void): number;
  /** Records dropped since the last call, all slots: kind, count, time of the first (µs). */
  takeDropped(): { kind: number; count: number; firstMicros: number }[];
  /** Series that appeared since the last call. */
  takeNewSeries(): SeriesInfo[];
  /** Series that did not fit since the last call. */
  takeSeriesOverflow(): number;
  /** Threads that found no slot since the last call. */
  takeSlotOverflow(): number;
  /** What a histogram gained since the last call for it; null when nothing. */
  histogramDelta(info: SeriesInfo): HistogramDelta | null;
  /** Counter: increase since the last call. Gauge: current value. */
  value(info: SeriesInfo): number;
}

/** Call-tree interning, ids from 1 in order of first use; (parent, function, line) → stack id. */
export interface CallTree {
  /** The id, or 0 when the table is full. `added` tells whether the last call made a new entry. */
  intern(parent: number, functionId: number, line: number): number;
  readonly size: number;
  /** Entries first..size as the wire's `stacks` bytes (varint triples: id − parent, function id, line). */
  encodeFrom(first: number): Uint8Array;
  clear(): void;
}

/** Samples in columns. One instance is reused window after window. */
export interface SampleEncoder {
  reset(startMicros: number, periodMicros: number): void;
  /** atMicros must not decrease. state: SampleState. label: 0 for none. */
  add(atMicros: number, stackId: number, state: number, label: number): void;
  readonly count: number;
  /** The wire's `columns` bytes, a copy. */
  finish(): Uint8Array;
}

/** Decoded samples: parallel arrays of `count`. */
export type SampleColumns = { count: number; atMicros: Float64Array; stack: Uint32Array; state: Uint8Array; label: Uint32Array };

/** Tables of one owner over private memory. */
export interface CoreTables {
  callTree(capacity: number): CallTree;
  encoder(capacity: number): SampleEncoder;
  /** Throws a CoreError (ERR_COLUMNS) on bytes that are not `count` samples. */
  decodeColumns(bytes: Uint8Array, count: number, startMicros: number, periodMicros: number): SampleColumns;
  histogram(): MergedHistogram;
}

/** A histogram of the collector or of a query: deltas from anywhere are added into it. */
export interface MergedHistogram {
  /** Throws a CoreError (ERR_HISTOGRAM) on bytes that are not a delta; then nothing was added. */
  addDelta(delta: HistogramDelta): void;
  merge(other: MergedHistogram): void;
  record(value: number): void;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** qs in [0, 1], ascending; bucket midpoints clamped to [min, max]; NaN when empty. Relative error ≤ 0.28 %. */
  quantiles(qs: readonly number[]): number[];
  /** Non-empty buckets in ascending order: base-2 exponential index at scale 7 (bucket i covers (2^(i/128), 2^((i+1)/128)]) and count. */
  buckets(): { index: number; count: number }[];
  readonly zeroCount: number;
  clear(): void;
}
