/**
 * A histogram that deltas from anywhere are added into: the collector's, a query's. Private to one owner, so nothing
 * here is atomic. Counts are f64: whole numbers, exact up to 2^53, added two at a time. Same buckets and same rules at
 * the edges as histogram.ts. Pages and headers come from the heap of the memory's TablesHeader and go back to it; who
 * calls a function that needs pages sees to it beforehand that OCTAVES pages can be had.
 */
import { FIRST_PLACE, keyOf, midpointOf, PLACES, placeOf } from './buckets';
import { CoreRefusal, DeltaWord, MergedWord, TablesHeader } from './layout';
import { HIGHEST_VALUE, LAST_KEY, MERGED_PAGE_BYTES, OCTAVES, SUB_BUCKETS } from './limits';
import { putVarint } from './varint';

/** Whole numbers above this are not all exact. */
const MOST: f64 = 9007199254740991;

/** Makes an empty histogram, or 0 when the heap is used up. */
export function mergedCreate(): usize {
  let base: usize = load<u32>(0, TablesHeader.FreeMerged);
  if (base) store<u32>(0, load<u32>(base), TablesHeader.FreeMerged);
  else {
    base = fromHeap(MergedWord.Bytes);
    if (!base) return 0;
  }
  memory.fill(base, 0, MergedWord.Bytes);
  return base;
}

/** Empties it and gives its pages back. */
export function mergedClear(base: usize): void {
  for (let octave: u32 = 0; octave < OCTAVES; octave++) {
    const page = load<u32>(base + (octave << 2), MergedWord.Directory);
    if (!page) continue;
    store<u32>(page, load<u32>(0, TablesHeader.FreePage));
    store<u32>(0, page, TablesHeader.FreePage);
  }
  memory.fill(base, 0, MergedWord.Bytes);
}

/** Gives back the histogram itself; it must not be used again. */
export function mergedFree(base: usize): void {
  mergedClear(base);
  store<u32>(base, load<u32>(0, TablesHeader.FreeMerged));
  store<u32>(0, <u32>base, TablesHeader.FreeMerged);
}

/** Records one value: 1, or CoreRefusal.Malformed for NaN, ±Infinity and negative values. */
export function mergedRecord(base: usize, value: f64): i32 {
  if (!(value >= 0 && value < Infinity)) return CoreRefusal.Malformed;
  const noted = value > HIGHEST_VALUE ? HIGHEST_VALUE : value + 0.0;
  note(base, 1, noted, noted, noted);
  increase(base, keyOf(noted), 1);
  return 1;
}

/**
 * Records `count` values, `stride` bytes apart from `at` on (32 for the durations of ring records); how many were values.
 * Figures stay in locals meanwhile; the result is that of recording one by one.
 */
export function mergedRecordMany(base: usize, at: usize, stride: u32, count: u32): u32 {
  const before = load<f64>(base, MergedWord.Count);
  let recorded: u32 = 0;
  let sum = load<f64>(base, MergedWord.Sum);
  // pmin and pmax are one instruction each, and keep the first operand where the second is NaN.
  let min = f64x2.splat(before > 0 ? load<f64>(base, MergedWord.Min) : Infinity);
  let max = f64x2.splat(before > 0 ? load<f64>(base, MergedWord.Max) : -Infinity);
  for (const end = at + stride * count; at != end; at += stride) {
    let value = load<f64>(at);
    const place = placeOf(load<u64>(at) - 1) - FIRST_PLACE;
    const page = place < PLACES ? load<u32>(base + ((place >> 8) << 2), MergedWord.Directory) : 0;
    if (page) {
      const bucket = page + ((place & 255) << 3);
      store<f64>(bucket, load<f64>(bucket) + 1);
    } else {
      if (!(value >= 0 && value < Infinity)) continue;
      value = value > HIGHEST_VALUE ? HIGHEST_VALUE : value + 0.0;
      increase(base, keyOf(value), 1);
    }
    sum += value;
    min = f64x2.pmin(min, f64x2.splat(value));
    max = f64x2.pmax(max, f64x2.splat(value));
    recorded++;
  }
  if (recorded == 0) return 0;
  store<f64>(base, before + <f64>recorded, MergedWord.Count);
  store<f64>(base, sum, MergedWord.Sum);
  store<f64>(base, f64x2.extract_lane(min, 0), MergedWord.Min);
  store<f64>(base, f64x2.extract_lane(max, 0), MergedWord.Max);
  return recorded;
}

/**
 * Adds a delta: its four figures at `at` as DeltaWord says, then `length` bytes of buckets. All of it is looked at
 * before anything is added; CoreRefusal.Malformed and nothing added when it is no delta, else 1.
 */
export function mergedAdd(base: usize, at: usize, length: u32): i32 {
  const count = load<f64>(at, DeltaWord.Count);
  const sum = load<f64>(at, DeltaWord.Sum);
  const min = load<f64>(at, DeltaWord.Min);
  const max = load<f64>(at, DeltaWord.Max);
  if (count == 0 && length == 0) return 1;
  if (!(sum - sum == 0) || !(min >= 0 && min <= max && max <= HIGHEST_VALUE)) return CoreRefusal.Malformed;
  const total = walk(0, at + DeltaWord.Buckets, length, keyOf(min), keyOf(max));
  if (total < 0 || total != count || load<f64>(base, MergedWord.Count) + count > MOST)
    return CoreRefusal.Malformed;
  note(base, count, sum, min, max);
  walk(base, at + DeltaWord.Buckets, length, 0, 0);
  return 1;
}

/** Goes through encoded buckets; adds them when there is a `base`, else returns their sum, or -1 when they are malformed or do not span lowest..highest. */
function walk(base: usize, at: usize, length: u32, lowest: u32, highest: u32): f64 {
  const end = at + length;
  let key: u32 = 0;
  let first: u32 = u32.MAX_VALUE;
  let total: f64 = 0;
  let skipped = false;
  while (at < end) {
    let token: u64 = 0;
    let shift: u64 = 0;
    let byte: u64 = 128;
    while (byte >= 128) {
      if (at >= end || shift == 56) return -1;
      byte = <u64>load<u8>(at);
      token |= (byte & 127) << shift;
      shift += 7;
      at++;
    }
    const amount = token >> 1;
    if (amount == 0) return -1;
    if (token & 1) {
      if (skipped || amount > LAST_KEY) return -1;
      key += <u32>amount;
      skipped = true;
      continue;
    }
    if (key > LAST_KEY) return -1;
    if (base) increase(base, key, <f64>amount);
    if (first == u32.MAX_VALUE) first = key;
    total += <f64>amount;
    if (total > MOST) return -1;
    key++;
    skipped = false;
  }
  if (base) return total;
  return skipped || first != lowest || key != highest + 1 ? -1 : total;
}

/** Adds all of `other`; 1, or CoreRefusal.Full when the sum could not be counted exactly. */
export function mergedMerge(base: usize, other: usize): i32 {
  const count = load<f64>(other, MergedWord.Count);
  if (count == 0) return 1;
  if (load<f64>(base, MergedWord.Count) + count > MOST) return CoreRefusal.Full;
  note(
    base,
    count,
    load<f64>(other, MergedWord.Sum),
    load<f64>(other, MergedWord.Min),
    load<f64>(other, MergedWord.Max),
  );
  store<f64>(base, load<f64>(base, MergedWord.Zero) + load<f64>(other, MergedWord.Zero), MergedWord.Zero);
  for (let octave: u32 = 0; octave < OCTAVES; octave++) {
    const from = load<u32>(other + (octave << 2), MergedWord.Directory);
    if (!from) continue;
    const to = pageOf(base, octave);
    for (let offset: u32 = 0; offset < MERGED_PAGE_BYTES; offset += 64) {
      v128.store(to + offset, f64x2.add(v128.load(to + offset), v128.load(from + offset)));
      v128.store(to + offset, f64x2.add(v128.load(to + offset, 16), v128.load(from + offset, 16)), 16);
      v128.store(to + offset, f64x2.add(v128.load(to + offset, 32), v128.load(from + offset, 32)), 32);
      v128.store(to + offset, f64x2.add(v128.load(to + offset, 48), v128.load(from + offset, 48)), 48);
    }
  }
  return 1;
}

/** Values at `count` ascending quantiles (f64 each at `qs`), written to `out`: bucket middles within [min, max]; 0 and 1 are exact. */
export function mergedQuantiles(base: usize, qs: usize, count: u32, out: usize): void {
  const total = load<f64>(base, MergedWord.Count);
  const min = load<f64>(base, MergedWord.Min);
  const max = load<f64>(base, MergedWord.Max);
  let reached = load<f64>(base, MergedWord.Zero); // values in keys up to and including `key`
  let key: u32 = 0;
  let octave: i32 = -1;
  let page: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const q = load<f64>(qs + (i << 3));
    let rank = ceil(q * total);
    if (rank < 1) rank = 1;
    while (reached < rank) {
      if (page && key % SUB_BUCKETS) {
        reached += load<f64>(page + ((key % SUB_BUCKETS) << 3));
        key++;
        continue;
      }
      octave++;
      if (octave >= <i32>OCTAVES) break;
      page = load<u32>(base + (octave << 2), MergedWord.Directory);
      key = octave * SUB_BUCKETS;
      if (!page) continue;
      const inPage = sumOf(page);
      if (reached + inPage < rank) {
        reached += inPage;
        page = 0;
        continue;
      }
      reached += load<f64>(page);
      key++;
    }
    let value = q <= 0 ? min : q >= 1 ? max : midpointOf(key);
    if (value < min) value = min;
    if (value > max) value = max;
    store<f64>(out + (i << 3), total > 0 ? value : NaN);
  }
}

function sumOf(page: usize): f64 {
  let first = v128.load(page);
  let second = v128.load(page, 16);
  for (let offset: u32 = 32; offset < MERGED_PAGE_BYTES; offset += 32) {
    first = f64x2.add(first, v128.load(page + offset));
    second = f64x2.add(second, v128.load(page + offset, 16));
  }
  first = f64x2.add(first, second);
  return f64x2.extract_lane(first, 0) + f64x2.extract_lane(first, 1);
}

/** Writes all of it as a delta to `out`, figures and buckets; the bytes of its buckets. */
export function mergedEncode(base: usize, out: usize): u32 {
  memory.copy(out, base, DeltaWord.Buckets); // count, sum, min, max stand in the same order in both
  let at = out + DeltaWord.Buckets;
  let next: u32 = 0;
  const zero = load<f64>(base, MergedWord.Zero);
  if (zero > 0) {
    at = putVarint(at, (<u64>zero) << 1);
    next = 1;
  }
  for (let octave: u32 = 0; octave < OCTAVES; octave++) {
    const page = load<u32>(base + (octave << 2), MergedWord.Directory);
    if (!page) continue;
    for (let sub: u32 = 0; sub < SUB_BUCKETS; sub++) {
      const count = load<f64>(page + (sub << 3));
      if (count == 0) continue;
      const key = 1 + octave * SUB_BUCKETS + sub;
      if (key != next) at = putVarint(at, ((key - next) << 1) | 1);
      at = putVarint(at, (<u64>count) << 1);
      next = key + 1;
    }
  }
  return <u32>(at - out) - DeltaWord.Buckets;
}

function note(base: usize, count: f64, sum: f64, min: f64, max: f64): void {
  const before = load<f64>(base, MergedWord.Count);
  if (before == 0 || min < load<f64>(base, MergedWord.Min)) store<f64>(base, min, MergedWord.Min);
  if (before == 0 || max > load<f64>(base, MergedWord.Max)) store<f64>(base, max, MergedWord.Max);
  store<f64>(base, before + count, MergedWord.Count);
  store<f64>(base, load<f64>(base, MergedWord.Sum) + sum, MergedWord.Sum);
}

function increase(base: usize, key: u32, amount: f64): void {
  let at = base + MergedWord.Zero;
  if (key) at = pageOf(base, (key - 1) / SUB_BUCKETS) + (((key - 1) % SUB_BUCKETS) << 3);
  store<f64>(at, load<f64>(at) + amount);
}

/** The octave's page, made when there is none. */
function pageOf(base: usize, octave: u32): usize {
  const page: usize = load<u32>(base + (octave << 2), MergedWord.Directory);
  return page ? page : newPage(base, octave);
}

function newPage(base: usize, octave: u32): usize {
  let page: usize = load<u32>(0, TablesHeader.FreePage);
  if (page) store<u32>(0, load<u32>(page), TablesHeader.FreePage);
  else page = fromHeap(MERGED_PAGE_BYTES);
  memory.fill(page, 0, MERGED_PAGE_BYTES);
  store<u32>(base + (octave << 2), <u32>page, MergedWord.Directory);
  return page;
}

/** `bytes` (a multiple of 64) from the heap, or 0. */
function fromHeap(bytes: u32): usize {
  const at = load<u32>(0, TablesHeader.HeapCursor);
  if (at + bytes > load<u32>(0, TablesHeader.HeapEnd)) return 0;
  store<u32>(0, at + bytes, TablesHeader.HeapCursor);
  return at;
}
