/**
 * The only file that knows WebAssembly. It gives the core's three faces: a writer (one per host thread), a reader (the
 * agent thread) and the tables (private to whoever makes them: the agent thread interns stacks and encodes columns,
 * the collector decodes and merges). Each face runs on the WebAssembly module, or on a plain TypeScript twin with the
 * same memory layout and bit-identical results where WebAssembly or shared memory cannot be had.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { RecordKind, SeriesKind } from '../assembly/layout';
import { CoreHeader, CoreIdentity, CoreLimit, CoreRegion } from '../assembly/layout';
import { writeBucketTables } from './core-buckets';
import { CoreError } from './core-error';
import type { CoreEngine, CoreExports } from './core-exports';
import { openReader } from './core-reader';
import { CORE_TABLES_BYTES, openTables } from './core-tables';
import { openWriter } from './core-writer';
import { createTwin } from './twin/twin';

export { CoreError, type CoreErrorCode } from './core-error';

const WASM_PAGE_BYTES = 65536;

/** What travels to other threads (workerData, setEnvironmentData): structured-cloneable. */
export type CoreMemory = {
  /** 'wasm': `memory` is a shared WebAssembly.Memory and `module` its compiled code; 'twin': only `buffer`. */
  kind: 'wasm' | 'twin';
  buffer: SharedArrayBuffer;
  memory: WebAssembly.Memory | null;
  module: WebAssembly.Module | null;
  /** Why it is a twin, in words for a log; '' when it is not. */
  reason: string;
};

export type CoreOptions = {
  /** Use the TypeScript twin although WebAssembly could be had. */
  forceTwin?: boolean;
  /** Another core memory of this process: its compiled module is used again. */
  like?: CoreMemory;
};

/** Results of a push that did not store: the record was counted as dropped under its kind. */
export const PUSH_FULL = -1;

/** The producing face of one host thread: it owns one ring and its own series. Never throws after construction. */
export interface CoreWriter {
  readonly slot: number;
  /** Stores one 32-byte record: 1, or PUSH_FULL. a, b: u32. Times in µs. */
  push(kind: RecordKind, a: number, b: number, startMicros: number, durationMicros: number): number;
  /** Creates (or finds) a series of this thread; returns its handle, > 0. When the arena or the table is full: the overflow series, and the loss is counted. labels: flat key, value. */
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

/** A series as its reader knows it. The reader recognises the object itself, not its contents. */
export type SeriesInfo = {
  slot: number;
  threadId: number;
  handle: number;
  kind: SeriesKind;
  name: string;
  unit: string;
  labels: string[];
};

/** What a histogram gained between two looks. `buckets` is the core's own encoding (see assembly/counts.ts). */
export type HistogramDelta = { count: number; sum: number; min: number; max: number; buckets: Uint8Array };

/**
 * Totals of a histogram since it was made. The first four are in no bucket and no sum: NaN, negative, ±Infinity, and
 * values for whose octave the arena had no room. `low` (positive, up to 2^-10) counts as zero, `high` (above 2^50) as 2^50.
 */
export type HistogramRefusals = {
  notANumber: number;
  negative: number;
  infinite: number;
  unplaced: number;
  low: number;
  high: number;
};

/** The consuming face, for the agent thread alone. */
export interface CoreReader {
  /** Slots in use (attached, or detached and not yet drained). */
  slots(): { slot: number; threadId: number; attached: boolean }[];
  /** Hands over up to `max` records of a slot in order; returns how many. A detached slot that runs dry is freed. */
  drain(
    slot: number,
    max: number,
    visit: (kind: number, a: number, b: number, startMicros: number, durationMicros: number) => void,
  ): number;
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
  /** True once the series' thread has gone: the next look at it is the last that can bring anything. */
  hasEnded(info: SeriesInfo): boolean;
  /** What a histogram refused or put at an edge. */
  refusals(info: SeriesInfo): HistogramRefusals;
  /** Frees the slot of a thread that ended without detach(), once it is drained. */
  markDead(threadId: number): void;
}

/** Call-tree interning, ids from 1 in order of first use; (parent, function, line) → stack id. */
export interface CallTree {
  /** The id, or 0 when the table is full. `added` tells whether the last call made a new entry. */
  intern(parent: number, functionId: number, line: number): number;
  readonly size: number;
  /** Whether the last intern() made a new entry. */
  readonly added: boolean;
  clear(): void;
}

/**
 * A set of samples to encode: parallel arrays (typed ones are copied ten times faster). atMicros must not decrease; it
 * is kept to the microsecond, up to 35 minutes after the start. stack: ids below 2^30. state: SampleState. label: 0 for
 * none; left out where none has one.
 */
export type SampleArrays = {
  atMicros: ArrayLike<number>;
  stack: ArrayLike<number>;
  state: ArrayLike<number>;
  label?: ArrayLike<number>;
};

/** Decoded samples: parallel arrays of `count`, in the core's memory: they are good until the next set is coded. */
export type SampleColumns = {
  count: number;
  atMicros: Float64Array;
  stack: Uint32Array;
  state: Uint8Array;
  label: Uint32Array;
};

/** Tables of one owner over private memory. Trees are made once and reused; histograms may come and go. */
export interface CoreTables {
  readonly kind: 'wasm' | 'twin';
  callTree(capacity: number): CallTree;
  /** The wire's `columns` bytes, a copy. Throws a CoreError (ERR_COLUMNS) on more than 65,536 samples. */
  encodeColumns(startMicros: number, samples: SampleArrays): Uint8Array;
  /** Throws a CoreError (ERR_COLUMNS) on bytes that are not `count` samples. */
  decodeColumns(bytes: Uint8Array, count: number, startMicros: number): SampleColumns;
  histogram(): MergedHistogram;
}

/** A histogram of the collector or of a query: deltas from anywhere are added into it. */
export interface MergedHistogram {
  /** Throws a CoreError (ERR_HISTOGRAM) on bytes that are not a delta; then nothing was added. */
  addDelta(delta: HistogramDelta): void;
  merge(other: MergedHistogram): void;
  /** NaN, ±Infinity and negative values are left out. */
  record(value: number): void;
  /** Records each value of an array; how many were values. */
  recordAll(values: Float64Array): number;
  /** All of it as a delta. */
  encode(): HistogramDelta;
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

/** Makes the process's shared memory. Never throws: without WebAssembly or shared memory it is a twin's, and `reason` says why. */
export function createCoreMemory(options: CoreOptions = {}): CoreMemory {
  const made = options.forceTwin ? 'asked for the twin' : makeShared(CoreRegion.End);
  const memory: CoreMemory =
    typeof made === 'string'
      ? {
          kind: 'twin',
          buffer: new SharedArrayBuffer(CoreRegion.End),
          memory: null,
          module: null,
          reason: made,
        }
      : { kind: 'wasm', ...made, reason: '' };
  writeBucketTables(memory.buffer);
  const header = new Int32Array(memory.buffer, 0, CoreRegion.BucketTable / 4);
  header[CoreHeader.LayoutVersion / 4] = CoreIdentity.LayoutVersion;
  header[CoreHeader.TotalBytes / 4] = CoreRegion.End;
  header[CoreHeader.SlotCount / 4] = CoreLimit.Slots;
  header[CoreHeader.ArenaNext / 4] = CoreRegion.Arena;
  Atomics.store(header, CoreHeader.Magic / 4, CoreIdentity.Magic);
  return memory;
}

/** The writer of the calling thread; null when no slot is free, which is counted. Throws a CoreError (ERR_CORE_LAYOUT) on foreign memory. */
export function attachWriter(memory: CoreMemory, threadId: number): CoreWriter | null {
  return openWriter(engineOf(memory), threadId);
}

/** The reader of the process; there must be one at a time. */
export function attachReader(memory: CoreMemory): CoreReader {
  return openReader(engineOf(memory));
}

/** Tables over memory of their own. Never throws; falls to the twin as createCoreMemory does. */
export function createTables(options: CoreOptions = {}): CoreTables {
  const made = options.forceTwin ? 'asked for the twin' : makeShared(CORE_TABLES_BYTES, options.like?.module);
  const memory: CoreMemory =
    typeof made === 'string'
      ? {
          kind: 'twin',
          buffer: new SharedArrayBuffer(CORE_TABLES_BYTES),
          memory: null,
          module: null,
          reason: made,
        }
      : { kind: 'wasm', ...made, reason: '' };
  writeBucketTables(memory.buffer);
  return openTables(instantiate(memory));
}

const engines = new WeakMap<CoreMemory, CoreEngine>();

/** The calling thread's one engine over a memory: call sites stay with the functions of one instance. */
function engineOf(memory: CoreMemory): CoreEngine {
  const known = engines.get(memory);
  if (known) return known;
  const [magic, version] = new Int32Array(memory.buffer, 0, 2);
  if (magic !== CoreIdentity.Magic || version !== CoreIdentity.LayoutVersion) {
    throw new CoreError(
      'ERR_CORE_LAYOUT',
      `core memory must have layout ${CoreIdentity.LayoutVersion}, got magic ${magic} and layout ${version}: use one version of ringtail per process`,
    );
  }
  const engine = instantiate(memory);
  engines.set(memory, engine);
  return engine;
}

/** The functions over a memory: the module's, or the twin's where the module cannot be instantiated in this thread. */
function instantiate({ buffer, memory, module }: CoreMemory): CoreEngine {
  if (memory && module) {
    try {
      const { instantiateSync } = loader();
      const { exports } = instantiateSync<CoreExports>(module, { env: { memory } });
      return { kind: 'wasm', core: exports, buffer };
    } catch {
      // The twin works on the same bytes.
    }
  }
  return { kind: 'twin', core: createTwin(buffer), buffer };
}

/** Loaded late: it assigns to an intrinsic, which throws under --frozen-intrinsics. */
function loader(): typeof import('@assemblyscript/loader') {
  return require('@assemblyscript/loader');
}

/** A compiled module and `bytes` of shared memory for it, or why they cannot be had. */
function makeShared(
  bytes: number,
  known?: WebAssembly.Module | null,
): Pick<CoreMemory, 'buffer' | 'memory' | 'module'> | string {
  if (typeof WebAssembly === 'undefined') return 'this Node runs without WebAssembly';
  try {
    loader();
    const module = known ?? compile();
    const pages = bytes / WASM_PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return { module, memory, buffer: memory.buffer as SharedArrayBuffer };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

let compiled: WebAssembly.Module | undefined;

/** core.wasm lies beside the agent's bundle, below the collector's, and in build/agent for the sources themselves. */
function compile(): WebAssembly.Module {
  if (compiled) return compiled;
  const places = ['core.wasm', 'agent/core.wasm', '../build/agent/core.wasm'].map(
    (place) => `${__dirname}/${place}`,
  );
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Error(`core.wasm must be in one of ${places.join(', ')}: run npm run build:wasm`);
  compiled = new WebAssembly.Module(readFileSync(found));
  return compiled;
}
