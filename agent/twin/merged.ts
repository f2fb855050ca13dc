/** Twin of assembly/merged.ts, always bucket by bucket. Sums of whole numbers below 2^53 are exact, so their order does not matter. */
import {
  CoreLimit,
  CoreRefusal,
  CountsWord,
  DeltaWord,
  MergedWord,
  TablesHeader,
} from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import { type BucketsTwin, HIGHEST_VALUE, LAST_KEY } from './buckets';
import type { CountsTwin } from './counts';
import type { TwinViews } from './views';

type MergedTwin = Pick<
  CoreExports,
  | 'mergedCreate'
  | 'mergedClear'
  | 'mergedFree'
  | 'mergedRecord'
  | 'mergedRecordMany'
  | 'mergedAdd'
  | 'mergedMerge'
  | 'mergedQuantiles'
  | 'mergedEncode'
>;

const HIGH = 2 ** 32;

export function mergedTwin(
  { u8, u32, f64 }: TwinViews,
  { keyOf, midpointOf }: BucketsTwin,
  { putCounts, takeCounts }: CountsTwin,
): MergedTwin {
  function mergedCreate(): number {
    let base = u32[TablesHeader.FreeMerged >> 2]!;
    if (base) u32[TablesHeader.FreeMerged >> 2] = u32[base >> 2]!;
    else {
      base = fromHeap(MergedWord.Bytes);
      if (!base) return 0;
    }
    u8.fill(0, base, base + MergedWord.Bytes);
    return base;
  }

  function mergedClear(base: number): void {
    for (let octave = 0; octave < CoreLimit.Octaves; octave++) {
      for (const directory of [MergedWord.Directory, MergedWord.HighDirectory]) {
        const page = u32[(base + directory + octave * 4) >> 2]!;
        if (!page) continue;
        u32[page >> 2] = u32[TablesHeader.FreePage >> 2]!;
        u32[TablesHeader.FreePage >> 2] = page;
      }
    }
    u8.fill(0, base, base + MergedWord.Bytes);
  }

  function mergedFree(base: number): void {
    mergedClear(base);
    u32[base >> 2] = u32[TablesHeader.FreeMerged >> 2]!;
    u32[TablesHeader.FreeMerged >> 2] = base;
  }

  function mergedRecord(base: number, value: number): number {
    if (!(value >= 0 && value < Infinity)) return CoreRefusal.Malformed;
    const noted = value > HIGHEST_VALUE ? HIGHEST_VALUE : value + 0;
    note(base, 1, noted, noted, noted);
    increase(base, keyOf(noted), 1);
    return 1;
  }

  function mergedRecordMany(base: number, at: number, stride: number, count: number): number {
    let recorded = 0;
    for (let i = 0; i < count; i++) if (mergedRecord(base, f64[(at + i * stride) >> 3]!) > 0) recorded++;
    return recorded;
  }

  function mergedAdd(base: number, at: number, length: number, scratch: number): number {
    const count = f64[(at + DeltaWord.Count) >> 3]!;
    const sum = f64[(at + DeltaWord.Sum) >> 3]!;
    const min = f64[(at + DeltaWord.Min) >> 3]!;
    const max = f64[(at + DeltaWord.Max) >> 3]!;
    if (count === 0 && length === 0) return 1;
    if (!Number.isFinite(sum) || !(min >= 0 && min <= max && max <= HIGHEST_VALUE))
      return CoreRefusal.Malformed;
    const total = f64[(base + MergedWord.Count) >> 3]! + count;
    if (!(count >= 1 && total <= Number.MAX_SAFE_INTEGER) || !Number.isInteger(count))
      return CoreRefusal.Malformed;
    const lowest = keyOf(min);
    const keys = keyOf(max) - lowest + 1;
    const counts = scratch + CountsWord.Counts;
    if (takeCounts(scratch, counts, keys, count, at + DeltaWord.Buckets, length) !== count)
      return CoreRefusal.Malformed;
    if (f64[counts >> 3] === 0 || f64[(counts >> 3) + keys - 1] === 0) return CoreRefusal.Malformed;
    note(base, count, sum, min, max);
    for (let i = 0; i < keys; i++) {
      const amount = f64[(counts >> 3) + i]!;
      if (amount) increase(base, lowest + i, amount);
    }
    return 1;
  }

  function mergedMerge(base: number, other: number): number {
    const count = f64[(other + MergedWord.Count) >> 3]!;
    if (count === 0) return 1;
    if (f64[(base + MergedWord.Count) >> 3]! + count > Number.MAX_SAFE_INTEGER) return CoreRefusal.Full;
    note(
      base,
      count,
      f64[(other + MergedWord.Sum) >> 3]!,
      f64[(other + MergedWord.Min) >> 3]!,
      f64[(other + MergedWord.Max) >> 3]!,
    );
    f64[(base + MergedWord.Zero) >> 3] =
      f64[(base + MergedWord.Zero) >> 3]! + f64[(other + MergedWord.Zero) >> 3]!;
    for (let octave = 0; octave < CoreLimit.Octaves; octave++) {
      const entry = MergedWord.Directory + octave * 4;
      if (!u32[(other + entry) >> 2]) continue;
      pageOf(base + entry);
      for (let key = 1 + octave * CoreLimit.SubBuckets; key <= (octave + 1) * CoreLimit.SubBuckets; key++) {
        const amount = countOf(other, key);
        if (amount) increase(base, key, amount);
      }
    }
    return 1;
  }

  function mergedQuantiles(base: number, qs: number, count: number, out: number): void {
    const total = f64[(base + MergedWord.Count) >> 3]!;
    const min = f64[(base + MergedWord.Min) >> 3]!;
    const max = f64[(base + MergedWord.Max) >> 3]!;
    let reached = f64[(base + MergedWord.Zero) >> 3]!;
    let key = 0;
    for (let i = 0; i < count; i++) {
      const q = f64[(qs >> 3) + i]!;
      const rank = Math.max(1, Math.ceil(q * total));
      while (reached < rank && key < LAST_KEY) {
        key++;
        reached += countOf(base, key);
      }
      const value = q <= 0 ? min : q >= 1 ? max : midpointOf(key);
      f64[(out >> 3) + i] = total > 0 ? Math.min(max, Math.max(min, value)) : NaN;
    }
  }

  function mergedEncode(base: number, out: number, scratch: number): number {
    u8.copyWithin(out, base, base + DeltaWord.Buckets);
    const total = f64[(base + MergedWord.Count) >> 3]!;
    if (total === 0) return 0;
    const lowest = keyOf(f64[(base + MergedWord.Min) >> 3]!);
    const keys = keyOf(f64[(base + MergedWord.Max) >> 3]!) - lowest + 1;
    const counts = scratch + CountsWord.Counts;
    for (let i = 0; i < keys; i++) f64[(counts >> 3) + i] = countOf(base, lowest + i);
    return putCounts(scratch, counts, keys, total, out + DeltaWord.Buckets);
  }

  function countOf(base: number, key: number): number {
    if (key === 0) return f64[(base + MergedWord.Zero) >> 3]!;
    const entry = base + Math.floor((key - 1) / CoreLimit.SubBuckets) * 4;
    const bucket = (key - 1) % CoreLimit.SubBuckets;
    const page = u32[(entry + MergedWord.Directory) >> 2]!;
    const high = u32[(entry + MergedWord.HighDirectory) >> 2]!;
    const above = high ? u32[(high >> 2) + bucket]! * HIGH : 0;
    return page ? u32[(page >> 2) + bucket]! + above : 0;
  }

  function note(base: number, count: number, sum: number, min: number, max: number): void {
    const before = f64[(base + MergedWord.Count) >> 3]!;
    if (before === 0 || min < f64[(base + MergedWord.Min) >> 3]!) f64[(base + MergedWord.Min) >> 3] = min;
    if (before === 0 || max > f64[(base + MergedWord.Max) >> 3]!) f64[(base + MergedWord.Max) >> 3] = max;
    f64[(base + MergedWord.Count) >> 3] = before + count;
    f64[(base + MergedWord.Sum) >> 3] = f64[(base + MergedWord.Sum) >> 3]! + sum;
  }

  function increase(base: number, key: number, amount: number): void {
    if (key === 0) {
      f64[(base + MergedWord.Zero) >> 3] = f64[(base + MergedWord.Zero) >> 3]! + amount;
      return;
    }
    const entry = base + Math.floor((key - 1) / CoreLimit.SubBuckets) * 4;
    const bucket = (key - 1) % CoreLimit.SubBuckets;
    const low = (pageOf(entry + MergedWord.Directory) >> 2) + bucket;
    const sum = u32[low]! + amount;
    u32[low] = sum % HIGH;
    if (sum < HIGH) return;
    const high = (pageOf(entry + MergedWord.HighDirectory) >> 2) + bucket;
    u32[high] = u32[high]! + Math.floor(sum / HIGH);
  }

  function pageOf(entry: number): number {
    const known = u32[entry >> 2]!;
    if (known) return known;
    let page = u32[TablesHeader.FreePage >> 2]!;
    if (page) u32[TablesHeader.FreePage >> 2] = u32[page >> 2]!;
    else page = fromHeap(MergedWord.PageBytes);
    u8.fill(0, page, page + MergedWord.PageBytes);
    u32[entry >> 2] = page;
    return page;
  }

  function fromHeap(bytes: number): number {
    const at = u32[TablesHeader.HeapCursor >> 2]!;
    if (at + bytes > u32[TablesHeader.HeapEnd >> 2]!) return 0;
    u32[TablesHeader.HeapCursor >> 2] = at + bytes;
    return at;
  }

  return {
    mergedCreate,
    mergedClear,
    mergedFree,
    mergedRecord,
    mergedRecordMany,
    mergedAdd,
    mergedMerge,
    mergedQuantiles,
    mergedEncode,
  };
}
