/**
 * A histogram that deltas from anywhere are added into: the collector's, a query's. Private to one owner, so nothing
 * here is atomic. Same buckets and same rules at the edges as histogram.ts. A bucket has 32 bits, which SIMD adds four at
 * a time; once all counts together reach 2^32, a bucket may have more of them in a second page, and all goes bucket by
 * bucket. Counts are exact up to 2^53. Pages and headers come from the heap of the memory's TablesHeader and go back to
 * it; who calls a function that needs pages sees to it beforehand that twice OCTAVES pages can be had.
 */
import { FIRST_PLACE, keyOf, midpointOf, PLACES, placeOf } from './buckets';
import { putCounts, takeCounts } from './counts';
import { CoreRefusal, CountsWord, DeltaWord, MergedWord, TablesHeader } from './layout';
import { HIGHEST_VALUE, MERGED_PAGE_BYTES, OCTAVES, SUB_BUCKETS } from './limits';

/** Whole numbers above this are not all exact. */
const MOST: f64 = 9007199254740991;
/** From here on a bucket may have a high part. */
const NARROW: f64 = 4294967296;

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
    freePage(load<u32>(base + (octave << 2), MergedWord.Directory));
    freePage(load<u32>(base + (octave << 2), MergedWord.HighDirectory));
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
 * The result is that of recording one by one. What is not the usual value waits until the figures are out of their
 * registers: a call within the loop would keep them in memory.
 */
export function mergedRecordMany(base: usize, at: usize, stride: u32, count: u32): u32 {
  const end = at + stride * count;
  let recorded: u32 = 0;
  while (at != end) {
    const first = at;
    if (load<f64>(base, MergedWord.Count) + <f64>count < NARROW) at = recordUsual(base, at, stride, end);
    recorded += <u32>(at - first) / stride;
    if (at == end) break;
    if (mergedRecord(base, load<f64>(at)) > 0) recorded++;
    at += stride;
  }
  return recorded;
}

/** Records values as long as their octaves have pages; where it stopped. No bucket can overflow here. */
function recordUsual(base: usize, at: usize, stride: u32, end: usize): usize {
  const first = at;
  const before = load<f64>(base, MergedWord.Count);
  // A value stands in both halves of a vector: pmin and pmax are one instruction, a f64's min is six.
  let sum = v128.load64_splat(base, MergedWord.Sum);
  let min = f64x2.splat(before > 0 ? load<f64>(base, MergedWord.Min) : Infinity);
  let max = f64x2.splat(before > 0 ? load<f64>(base, MergedWord.Max) : -Infinity);
  for (; at != end; at += stride) {
    const place = placeOf(load<u64>(at) - 1) - FIRST_PLACE;
    const page = place < PLACES ? load<u32>(base + ((place >> 8) << 2), MergedWord.Directory) : 0;
    if (!page) break;
    const bucket = page + ((place & 255) << 2);
    store<u32>(bucket, load<u32>(bucket) + 1);
    const value = v128.load64_splat(at);
    sum = f64x2.add(sum, value);
    min = f64x2.pmin(min, value);
    max = f64x2.pmax(max, value);
  }
  if (at == first) return at;
  store<f64>(base, before + <f64>((at - first) / stride), MergedWord.Count);
  store<f64>(base, f64x2.extract_lane(sum, 0), MergedWord.Sum);
  store<f64>(base, f64x2.extract_lane(min, 0), MergedWord.Min);
  store<f64>(base, f64x2.extract_lane(max, 0), MergedWord.Max);
  return at;
}

/**
 * Adds a delta: its four figures at `at` as DeltaWord says, then `length` bytes of buckets. All of it is looked at
 * before anything is added; CoreRefusal.Malformed and nothing added when it is no delta, else 1. `scratch`: a CountsWord.
 */
export function mergedAdd(base: usize, at: usize, length: u32, scratch: usize): i32 {
  const count = load<f64>(at, DeltaWord.Count);
  const sum = load<f64>(at, DeltaWord.Sum);
  const min = load<f64>(at, DeltaWord.Min);
  const max = load<f64>(at, DeltaWord.Max);
  if (count == 0 && length == 0) return 1;
  if (!(sum - sum == 0) || !(min >= 0 && min <= max && max <= HIGHEST_VALUE)) return CoreRefusal.Malformed;
  if (!(count >= 1 && load<f64>(base, MergedWord.Count) + count <= MOST) || count != floor(count))
    return CoreRefusal.Malformed;
  const lowest = keyOf(min);
  const keys = keyOf(max) - lowest + 1;
  const counts = scratch + CountsWord.Counts;
  if (takeCounts(scratch, counts, keys, count, at + DeltaWord.Buckets, length) != count)
    return CoreRefusal.Malformed;
  if (load<f64>(counts) == 0 || load<f64>(counts + ((keys - 1) << 3)) == 0) return CoreRefusal.Malformed;
  note(base, count, sum, min, max);
  for (let i: u32 = 0; i < keys; i++) {
    const amount = load<f64>(counts + (i << 3));
    if (amount) increase(base, lowest + i, amount);
  }
  return 1;
}

/** Adds all of `other`; 1, or CoreRefusal.Full when the sum could not be counted exactly. */
export function mergedMerge(base: usize, other: usize): i32 {
  const count = load<f64>(other, MergedWord.Count);
  if (count == 0) return 1;
  const total = load<f64>(base, MergedWord.Count) + count;
  if (total > MOST) return CoreRefusal.Full;
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
    if (total < NARROW) addPage(pageOf(base + (octave << 2), MergedWord.Directory), from);
    else addWidely(base, other, octave);
  }
  return 1;
}

/** No bucket can overflow here. */
function addPage(to: usize, from: usize): void {
  for (let offset: u32 = 0; offset < MERGED_PAGE_BYTES; offset += 64) {
    v128.store(to + offset, i32x4.add(v128.load(to + offset), v128.load(from + offset)));
    v128.store(to + offset, i32x4.add(v128.load(to + offset, 16), v128.load(from + offset, 16)), 16);
    v128.store(to + offset, i32x4.add(v128.load(to + offset, 32), v128.load(from + offset, 32)), 32);
    v128.store(to + offset, i32x4.add(v128.load(to + offset, 48), v128.load(from + offset, 48)), 48);
  }
}

function addWidely(base: usize, other: usize, octave: u32): void {
  for (let sub: u32 = 0; sub < SUB_BUCKETS; sub++) {
    const key = 1 + octave * SUB_BUCKETS + sub;
    const amount = countOf(other, key);
    if (amount) increase(base, key, amount);
  }
}

/** Values at `count` ascending quantiles (f64 each at `qs`), written to `out`: bucket middles within [min, max]; 0 and 1 are exact. */
export function mergedQuantiles(base: usize, qs: usize, count: u32, out: usize): void {
  const total = load<f64>(base, MergedWord.Count);
  const min = load<f64>(base, MergedWord.Min);
  const max = load<f64>(base, MergedWord.Max);
  let octave: u32 = 0; // counted from 1; 0 is zero's
  let before: f64 = 0; // values before this octave
  let within = load<f64>(base, MergedWord.Zero);
  for (let i: u32 = 0; i < count; i++) {
    const q = load<f64>(qs + (i << 3));
    let rank = ceil(q * total);
    if (rank < 1) rank = 1;
    while (before + within < rank && octave < OCTAVES) {
      before += within;
      within = sumOf(base, octave, total);
      octave++;
    }
    const key = octave == 0 ? 0 : keyAt(base, octave - 1, rank - before, total);
    let value = q <= 0 ? min : q >= 1 ? max : midpointOf(key);
    if (value < min) value = min;
    if (value > max) value = max;
    store<f64>(out + (i << 3), total > 0 ? value : NaN);
  }
}

/** Values in an octave. */
function sumOf(base: usize, octave: u32, total: f64): f64 {
  const page = load<u32>(base + (octave << 2), MergedWord.Directory);
  if (!page) return 0;
  if (total >= NARROW) {
    let sum: f64 = 0;
    for (let sub: u32 = 0; sub < SUB_BUCKETS; sub++) sum += countOf(base, 1 + octave * SUB_BUCKETS + sub);
    return sum;
  }
  let first = v128.load(page);
  let second = v128.load(page, 16);
  for (let offset: u32 = 32; offset < MERGED_PAGE_BYTES; offset += 32) {
    first = i32x4.add(first, v128.load(page + offset));
    second = i32x4.add(second, v128.load(page + offset, 16));
  }
  return <f64>sumOfLanes(i32x4.add(first, second));
}

/** Key of the bucket with the octave's value number `rank`, from 1 on; eight buckets are passed at a time. */
function keyAt(base: usize, octave: u32, rank: f64, total: f64): u32 {
  const page = load<u32>(base + (octave << 2), MergedWord.Directory);
  let key = 1 + octave * SUB_BUCKETS;
  const last = key + SUB_BUCKETS - 1;
  if (total < NARROW) {
    let at: usize = page;
    for (let eight = rank; key < last; key += 8, at += 32) {
      eight -= <f64>sumOfLanes(i32x4.add(v128.load(at), v128.load(at, 16)));
      if (eight <= 0) break;
      rank = eight;
    }
  }
  for (; key < last; key++) {
    rank -= countOf(base, key);
    if (rank <= 0) break;
  }
  return key;
}

function sumOfLanes(four: v128): u32 {
  const two = i32x4.add(
    four,
    i8x16.shuffle(four, four, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),
  );
  return <u32>i32x4.extract_lane(two, 0) + <u32>i32x4.extract_lane(two, 1);
}

/** Writes all of it as a delta to `out`, figures and buckets; the bytes of its buckets. `scratch`: a CountsWord. */
export function mergedEncode(base: usize, out: usize, scratch: usize): u32 {
  memory.copy(out, base, DeltaWord.Buckets); // count, sum, min, max stand in the same order in both
  const total = load<f64>(base, MergedWord.Count);
  if (total == 0) return 0;
  const lowest = keyOf(load<f64>(base, MergedWord.Min));
  const keys = keyOf(load<f64>(base, MergedWord.Max)) - lowest + 1;
  const counts = scratch + CountsWord.Counts;
  for (let i: u32 = 0; i < keys; i++) store<f64>(counts + (i << 3), countOf(base, lowest + i));
  return putCounts(scratch, counts, keys, total, out + DeltaWord.Buckets);
}

/** The parts of a bucket's count above and below 2^32 together. */
function countOf(base: usize, key: u32): f64 {
  if (key == 0) return load<f64>(base, MergedWord.Zero);
  const entry = base + (((key - 1) / SUB_BUCKETS) << 2);
  const offset = ((key - 1) % SUB_BUCKETS) << 2;
  const page = load<u32>(entry, MergedWord.Directory);
  if (!page) return 0;
  const high = load<u32>(entry, MergedWord.HighDirectory);
  return <f64>load<u32>(page + offset) + (high ? <f64>load<u32>(high + offset) * NARROW : 0);
}

function note(base: usize, count: f64, sum: f64, min: f64, max: f64): void {
  const before = load<f64>(base, MergedWord.Count);
  if (before == 0 || min < load<f64>(base, MergedWord.Min)) store<f64>(base, min, MergedWord.Min);
  if (before == 0 || max > load<f64>(base, MergedWord.Max)) store<f64>(base, max, MergedWord.Max);
  store<f64>(base, before + count, MergedWord.Count);
  store<f64>(base, load<f64>(base, MergedWord.Sum) + sum, MergedWord.Sum);
}

function increase(base: usize, key: u32, amount: f64): void {
  if (key == 0) return store<f64>(base, load<f64>(base, MergedWord.Zero) + amount, MergedWord.Zero);
  const entry = base + (((key - 1) / SUB_BUCKETS) << 2);
  const offset = ((key - 1) % SUB_BUCKETS) << 2;
  const bucket = pageOf(entry, MergedWord.Directory) + offset;
  const sum = <u64>load<u32>(bucket) + <u64>amount;
  store<u32>(bucket, <u32>sum);
  if (sum >> 32) {
    const high = pageOf(entry, MergedWord.HighDirectory) + offset;
    store<u32>(high, load<u32>(high) + <u32>(sum >> 32));
  }
}

/** The page that a directory's entry leads to, made when there is none. */
function pageOf(entry: usize, directory: u32): usize {
  const known: usize = load<u32>(entry + directory);
  if (known) return known;
  let page: usize = load<u32>(0, TablesHeader.FreePage);
  if (page) store<u32>(0, load<u32>(page), TablesHeader.FreePage);
  else page = fromHeap(MERGED_PAGE_BYTES);
  memory.fill(page, 0, MERGED_PAGE_BYTES);
  store<u32>(entry + directory, <u32>page);
  return page;
}

function freePage(page: u32): void {
  if (!page) return;
  store<u32>(page, load<u32>(0, TablesHeader.FreePage));
  store<u32>(0, page, TablesHeader.FreePage);
}

/** `bytes` (a multiple of 64) from the heap, or 0. */
function fromHeap(bytes: u32): usize {
  const at = load<u32>(0, TablesHeader.HeapCursor);
  if (at + bytes > load<u32>(0, TablesHeader.HeapEnd)) return 0;
  store<u32>(0, at + bytes, TablesHeader.HeapCursor);
  return at;
}
