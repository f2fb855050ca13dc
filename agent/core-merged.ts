/** A histogram that deltas are added into, over a CoreTables' heap. */
import { CoreLimit, CoreRefusal, DeltaWord, MergedWord, TablesHeader } from '../assembly/layout';
import type { HistogramDelta, MergedHistogram } from './core';
import { CoreError } from './core-error';
import type { CoreEngine } from './core-exports';

/** Longest encoding of a delta: a skip of 2 bytes and a count of 8 for each key. */
const LONGEST_BUCKETS = (CoreLimit.Octaves * CoreLimit.SubBuckets + 1) * 10;
const MOST_QUANTILES = 1024;
/** Values that recordAll hands over at a time. */
const CHUNK_VALUES = 4096;

/** What a collected histogram leaves behind: its place in the heap goes back. */
const collected = new FinalizationRegistry<{ engine: CoreEngine; base: number }>(({ engine, base }) =>
  engine.core.mergedFree(base),
);

export class Merged implements MergedHistogram {
  /** Room that all histograms of one CoreTables share for what crosses into the core and back. */
  static readonly scratchBytes = DeltaWord.Buckets + LONGEST_BUCKETS;

  readonly #engine: CoreEngine;
  readonly #base: number;
  readonly #scratch: number;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(engine: CoreEngine, scratch: number) {
    this.#engine = engine;
    this.#scratch = scratch;
    this.#u32 = new Uint32Array(engine.buffer);
    this.#f64 = new Float64Array(engine.buffer);
    this.#bytes = new Uint8Array(engine.buffer);
    this.#base = engine.core.mergedCreate();
    if (this.#base === 0) throw new CoreError('ERR_TABLES_FULL', FULL);
    collected.register(this, { engine, base: this.#base });
  }

  addDelta(delta: HistogramDelta): void {
    if (delta.buckets.length > LONGEST_BUCKETS) {
      throw new CoreError(
        'ERR_HISTOGRAM',
        `a histogram delta has at most ${LONGEST_BUCKETS} bytes, got ${delta.buckets.length}`,
      );
    }
    this.#ensurePages();
    const at = this.#scratch;
    this.#f64[(at + DeltaWord.Count) >> 3] = delta.count;
    this.#f64[(at + DeltaWord.Sum) >> 3] = delta.sum;
    this.#f64[(at + DeltaWord.Min) >> 3] = delta.min;
    this.#f64[(at + DeltaWord.Max) >> 3] = delta.max;
    this.#bytes.set(delta.buckets, at + DeltaWord.Buckets);
    if (this.#engine.core.mergedAdd(this.#base, at, delta.buckets.length) !== CoreRefusal.Malformed) return;
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
    const length = this.#engine.core.mergedEncode(this.#base, at);
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
    const ascending = qs.every((q, i) => q >= (qs[i - 1] ?? 0) && q <= 1);
    if (!ascending || qs.length > MOST_QUANTILES) {
      const got = qs.length > MOST_QUANTILES ? `${qs.length} of them` : qs.join(', ');
      throw new CoreError(
        'ERR_CORE_ARGUMENT',
        `quantiles must ascend within [0, 1], ${MOST_QUANTILES} at most, got ${got}`,
      );
    }
    const at = this.#scratch;
    const out = at + qs.length * 8;
    this.#f64.set(qs, at >> 3);
    this.#engine.core.mergedQuantiles(this.#base, at, qs.length, out);
    return [...this.#f64.subarray(out >> 3, (out >> 3) + qs.length)];
  }

  buckets(): { index: number; count: number }[] {
    const buckets: { index: number; count: number }[] = [];
    for (let octave = 0; octave < CoreLimit.Octaves; octave++) {
      const page = this.#u32[(this.#base + MergedWord.Directory + octave * 4) >> 2]! >> 3;
      if (page === 0) continue;
      for (let sub = 0; sub < CoreLimit.SubBuckets; sub++) {
        const count = this.#f64[page + sub]!;
        if (count > 0)
          buckets.push({ index: (octave + CoreLimit.LowestExponent) * CoreLimit.SubBuckets + sub, count });
      }
    }
    return buckets;
  }

  clear(): void {
    this.#engine.core.mergedClear(this.#base);
  }

  /** Sees to it that every octave of one histogram can have a page. */
  #ensurePages(): void {
    const left = this.#u32[TablesHeader.HeapEnd >> 2]! - this.#u32[TablesHeader.HeapCursor >> 2]!;
    let pages = Math.floor(left / MergedWord.PageBytes);
    let free = this.#u32[TablesHeader.FreePage >> 2]!;
    for (; free !== 0 && pages < CoreLimit.Octaves; pages++) free = this.#u32[free >> 2]!;
    if (pages < CoreLimit.Octaves) throw new CoreError('ERR_TABLES_FULL', FULL);
  }
}

const FULL = 'tables have no room for another histogram: clear or drop some';
