/** A histogram that deltas are added into, over a CoreTables' heap. */
import { CoreLimit, CoreRefusal, CountsWord, DeltaWord, MergedWord, TablesHeader } from '../assembly/layout';
import type { HistogramDelta, MergedHistogram } from './core';
import { CoreError } from './core-error';
import type { CoreEngine } from './core-exports';

const MOST_QUANTILES = 1024;
const MOST_PAGES = CoreLimit.Octaves * 2;
/** Values that recordAll hands over at a time. */
const CHUNK_VALUES = 2048;

/** What a collected histogram leaves behind: its place in the heap goes back. */
const collected = new FinalizationRegistry<{ engine: CoreEngine; base: number }>(({ engine, base }) =>
  engine.core.mergedFree(base),
);

export class Merged implements MergedHistogram {
  /** Room that all histograms of one CoreTables share for what crosses into the core and back. */
  static readonly scratchBytes = CountsWord.Bytes + DeltaWord.Buckets + CoreLimit.DeltaBytes + 64;

  readonly #engine: CoreEngine;
  readonly #base: number;
  /** Counts, and behind them figures and bytes of a delta, values to record, or quantiles. */
  readonly #counts: number;
  readonly #scratch: number;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(engine: CoreEngine, scratch: number) {
    this.#engine = engine;
    this.#counts = scratch;
    this.#scratch = scratch + CountsWord.Bytes;
    this.#u32 = new Uint32Array(engine.buffer);
    this.#f64 = new Float64Array(engine.buffer);
    this.#bytes = new Uint8Array(engine.buffer);
    this.#base = engine.core.mergedCreate();
    if (this.#base === 0) throw new CoreError('ERR_TABLES_FULL', FULL);
    collected.register(this, { engine, base: this.#base });
  }

  addDelta(delta: HistogramDelta): void {
    if (delta.buckets.length > CoreLimit.DeltaBytes) {
      throw new CoreError(
        'ERR_HISTOGRAM',
        `a histogram delta has at most ${CoreLimit.DeltaBytes} bytes, got ${delta.buckets.length}`,
      );
    }
    this.#ensurePages();
    const at = this.#scratch;
    this.#f64[(at + DeltaWord.Count) >> 3] = delta.count;
    this.#f64[(at + DeltaWord.Sum) >> 3] = delta.sum;
    this.#f64[(at + DeltaWord.Min) >> 3] = delta.min;
    this.#f64[(at + DeltaWord.Max) >> 3] = delta.max;
    this.#bytes.set(delta.buckets, at + DeltaWord.Buckets);
    const { core } = this.#engine;
    if (core.mergedAdd(this.#base, at, delta.buckets.length, this.#counts) !== CoreRefusal.Malformed) return;
    throw new CoreError(
      'ERR_HISTOGRAM',
      `${delta.buckets.length} bytes are not ${delta.count} values from ${delta.min} to ${delta.max}: nothing was added`,
    );
  }

  merge(other: MergedHistogram): void {
    if (!(other instanceof Merged) || other.#engine !== this.#engine) {
      this.addDelta(other.encode());
      return;
    }
    this.#ensurePages();
    if (this.#engine.core.mergedMerge(this.#base, other.#base) !== CoreRefusal.Full) return;
    throw new CoreError('ERR_HISTOGRAM', 'a histogram counts up to 2^53 values: nothing was added');
  }

  record(value: number): void {
    this.#ensurePages();
    this.#engine.core.mergedRecord(this.#base, value);
  }

  recordAll(values: Float64Array): number {
    this.#ensurePages();
    let recorded = 0;
    for (let first = 0; first < values.length; first += CHUNK_VALUES) {
      const chunk = values.subarray(first, first + CHUNK_VALUES);
      this.#f64.set(chunk, this.#scratch >> 3);
      recorded += this.#engine.core.mergedRecordMany(this.#base, this.#scratch, 8, chunk.length);
    }
    return recorded;
  }

  encode(): HistogramDelta {
    const at = this.#scratch;
    const length = this.#engine.core.mergedEncode(this.#base, at, this.#counts);
    const { count, sum, min, max } = this;
    return {
      count,
      sum,
      min,
      max,
      buckets: this.#bytes.slice(at + DeltaWord.Buckets, at + DeltaWord.Buckets + length),
    };
  }

  get count(): number {
    return this.#f64[(this.#base + MergedWord.Count) >> 3]!;
  }

  get sum(): number {
    return this.#f64[(this.#base + MergedWord.Sum) >> 3]!;
  }

  get min(): number {
    return this.#f64[(this.#base + MergedWord.Min) >> 3]!;
  }

  get max(): number {
    return this.#f64[(this.#base + MergedWord.Max) >> 3]!;
  }

  get zeroCount(): number {
    return this.#f64[(this.#base + MergedWord.Zero) >> 3]!;
  }

  quantiles(qs: readonly number[]): number[] {
    const count = qs.length;
    const at = this.#scratch >> 3;
    let before = 0;
    for (let i = 0; i < count; i++) {
      const q = qs[i]!;
      if (!(q >= before && q <= 1) || count > MOST_QUANTILES) throw refusedQuantiles(qs);
      this.#f64[at + i] = q;
      before = q;
    }
    this.#engine.core.mergedQuantiles(this.#base, at << 3, count, (at + count) << 3);
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(this.#f64[at + count + i]!);
    return values;
  }

  buckets(): { index: number; count: number }[] {
    const buckets: { index: number; count: number }[] = [];
    for (let octave = 0; octave < CoreLimit.Octaves; octave++) {
      const entry = (this.#base + octave * 4) >> 2;
      const page = this.#u32[entry + (MergedWord.Directory >> 2)]! >> 2;
      const high = this.#u32[entry + (MergedWord.HighDirectory >> 2)]! >> 2;
      if (page === 0) continue;
      for (let sub = 0; sub < CoreLimit.SubBuckets; sub++) {
        const above = high === 0 ? 0 : this.#u32[high + sub]! * 2 ** 32;
        const count = this.#u32[page + sub]! + above;
        if (count > 0)
          buckets.push({ index: (octave + CoreLimit.LowestExponent) * CoreLimit.SubBuckets + sub, count });
      }
    }
    return buckets;
  }

  clear(): void {
    this.#engine.core.mergedClear(this.#base);
  }

  /** Sees to it that every octave of one histogram can have its pages. */
  #ensurePages(): void {
    const left = this.#u32[TablesHeader.HeapEnd >> 2]! - this.#u32[TablesHeader.HeapCursor >> 2]!;
    let pages = Math.floor(left / MergedWord.PageBytes);
    let free = this.#u32[TablesHeader.FreePage >> 2]!;
    for (; free !== 0 && pages < MOST_PAGES; pages++) free = this.#u32[free >> 2]!;
    if (pages < MOST_PAGES) throw new CoreError('ERR_TABLES_FULL', FULL);
  }
}

const FULL = 'tables have no room for another histogram: clear or drop some';

function refusedQuantiles(qs: readonly number[]): CoreError {
  const got = qs.length > MOST_QUANTILES ? `${qs.length} of them` : qs.join(', ');
  return new CoreError(
    'ERR_CORE_ARGUMENT',
    `quantiles must ascend within [0, 1], ${MOST_QUANTILES} at most, got ${got}`,
  );
}
