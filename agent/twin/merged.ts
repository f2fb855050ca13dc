/** Twin of assembly/merged.ts. Sums of whole numbers below 2^53 are exact, so their order does not matter. */
import { CoreLimit, CoreRefusal, DeltaWord, MergedWord, TablesHeader } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import { type BucketsTwin, HIGHEST_VALUE, LAST_KEY } from './buckets';
import { putVarint } from './varint';
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

export function mergedTwin({ u8, u32, f64 }: TwinViews, { keyOf, midpointOf }: BucketsTwin): MergedTwin {
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
      const page = directory(base, octave);
      if (!page) continue;
      u32[page >> 2] = u32[TablesHeader.FreePage >> 2]!;
      u32[TablesHeader.FreePage >> 2] = page;
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

  function mergedAdd(base: number, at: number, length: number): number {
    const count = f64[(at + DeltaWord.Count) >> 3]!;
    const sum = f64[(at + DeltaWord.Sum) >> 3]!;
    const min = f64[(at + DeltaWord.Min) >> 3]!;
    const max = f64[(at + DeltaWord.Max) >> 3]!;
    if (count === 0 && length === 0) return 1;
    if (!Number.isFinite(sum) || !(min >= 0 && min <= max && max <= HIGHEST_VALUE))
      return CoreRefusal.Malformed;
    const total = walk(0, at + DeltaWord.Buckets, length, keyOf(min), keyOf(max));
    const sumOfCounts = f64[(base + MergedWord.Count) >> 3]! + count;
    if (total < 0 || total !== count || sumOfCounts > Number.MAX_SAFE_INTEGER) return CoreRefusal.Malformed;
    note(base, count, sum, min, max);
    walk(base, at + DeltaWord.Buckets, length, 0, 0);
    return 1;
  }

  function walk(base: number, start: number, length: number, lowest: number, highest: number): number {
    const end = start + length;
    let at = start;
    let key = 0;
    let first = -1;
    let total = 0;
    let skipped = false;
    while (at < end) {
      let byte = u8[at++]!;
      const odd = byte & 1;
      let amount = (byte & 127) >> 1;
      for (let weight = 64; byte >= 128; weight *= 128) {
        if (at >= end || weight > 64 * 128 ** 6) return -1;
        byte = u8[at++]!;
        amount += (byte & 127) * weight;
      }
      if (amount === 0) return -1;
      if (odd) {
        if (skipped || amount > LAST_KEY) return -1;
        key += amount;
        skipped = true;
        continue;
      }
      if (key > LAST_KEY) return -1;
      if (base) increase(base, key, amount);
      if (first < 0) first = key;
      total += amount;
      if (total > Number.MAX_SAFE_INTEGER) return -1;
      key++;
      skipped = false;
    }
    if (base) return total;
    return skipped || first !== lowest || key !== highest + 1 ? -1 : total;
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
      const from = directory(other, octave) >> 3;
      if (!from) continue;
      const to = pageOf(base, octave) >> 3;
      for (let sub = 0; sub < CoreLimit.SubBuckets; sub++) f64[to + sub] = f64[to + sub]! + f64[from + sub]!;
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
        const page = directory(base, Math.floor(key / CoreLimit.SubBuckets));
        if (page) reached += f64[(page >> 3) + (key % CoreLimit.SubBuckets)]!;
        key++;
      }
      const value = q <= 0 ? min : q >= 1 ? max : midpointOf(key);
      f64[(out >> 3) + i] = total > 0 ? Math.min(max, Math.max(min, value)) : NaN;
    }
  }

  function mergedEncode(base: number, out: number): number {
    u8.copyWithin(out, base, base + DeltaWord.Buckets);
    let at = out + DeltaWord.Buckets;
    let next = 0;
    const zero = f64[(base + MergedWord.Zero) >> 3]!;
    if (zero > 0) {
      at = putVarint(u8, at, zero * 2);
      next = 1;
    }
    for (let octave = 0; octave < CoreLimit.Octaves; octave++) {
      const page = directory(base, octave);
      if (!page) continue;
      for (let sub = 0; sub < CoreLimit.SubBuckets; sub++) {
        const count = f64[(page >> 3) + sub]!;
        if (count === 0) continue;
        const key = 1 + octave * CoreLimit.SubBuckets + sub;
        if (key !== next) at = putVarint(u8, at, (key - next) * 2 + 1);
        at = putVarint(u8, at, count * 2);
        next = key + 1;
      }
    }
    return at - out - DeltaWord.Buckets;
  }

  function note(base: number, count: number, sum: number, min: number, max: number): void {
    const before = f64[(base + MergedWord.Count) >> 3]!;
    if (before === 0 || min < f64[(base + MergedWord.Min) >> 3]!) f64[(base + MergedWord.Min) >> 3] = min;
    if (before === 0 || max > f64[(base + MergedWord.Max) >> 3]!) f64[(base + MergedWord.Max) >> 3] = max;
    f64[(base + MergedWord.Count) >> 3] = before + count;
    f64[(base + MergedWord.Sum) >> 3] = f64[(base + MergedWord.Sum) >> 3]! + sum;
  }

  function increase(base: number, key: number, amount: number): void {
    let at = (base + MergedWord.Zero) >> 3;
    if (key)
      at = (pageOf(base, ((key - 1) / CoreLimit.SubBuckets) | 0) >> 3) + ((key - 1) % CoreLimit.SubBuckets);
    f64[at] = f64[at]! + amount;
  }

  function directory(base: number, octave: number): number {
    return u32[(base + MergedWord.Directory + octave * 4) >> 2]!;
  }

  function pageOf(base: number, octave: number): number {
    let page = directory(base, octave);
    if (page) return page;
    page = u32[TablesHeader.FreePage >> 2]!;
    if (page) u32[TablesHeader.FreePage >> 2] = u32[page >> 2]!;
    else page = fromHeap(MergedWord.PageBytes);
    u8.fill(0, page, page + MergedWord.PageBytes);
    u32[(base + MergedWord.Directory + octave * 4) >> 2] = page;
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
