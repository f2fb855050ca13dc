/**
 * The histogram that one host thread records into and the reader takes snapshots of. Counts are u32 in pages of one
 * octave, made at its first value. There is no stored count: what a snapshot counted is the sum of what its buckets
 * gained, so the two can never disagree, whenever it is taken. The difference of two u32 survives wrapping.
 *
 * Extremes belong to an epoch. The reader asks for the next epoch, then reads buckets, then the extremes of the old
 * one; a value that was being recorded meanwhile may have its bucket in one epoch and its extreme in the other. So an
 * extreme counts only if it lies in the outermost bucket that gained, else that bucket's middle stands for it.
 *
 * The sum is read after the buckets, so it covers all that was counted; values that come while buckets are read may be
 * in one snapshot's sum and the next one's count. A snapshot without a count takes no sum, so sums add up too.
 *
 * A delta's buckets are tokens, each a varint of at most 8 bytes, in ascending order of keys (see buckets.ts) from 0 on:
 * even, the current key gained token / 2 (at least 1), go to the next key; odd, skip token >> 1 keys (at least 1; never
 * at the end, never twice in a row).
 */
import { allocate } from './arena';
import { keyOf, midpointOf, octaveOf, subBucketOf } from './buckets';
import { DeltaWord, HistogramWord, PageWord } from './layout';
import { HIGHEST_VALUE, OCTAVES, SUB_BUCKETS } from './limits';
import { putVarint } from './varint';

/** Makes an empty histogram for the slot's thread; 0 when the arena is used up. */
export function histogramCreate(slot: usize): usize {
  const base = allocate(slot, HistogramWord.Bytes);
  if (!base) return 0;
  store<u32>(base, slot, HistogramWord.Slot);
  store<u32>(base, u32.MAX_VALUE, HistogramWord.EpochSeen);
  return base;
}

/** Records any f64. */
export function histogramRecord(base: usize, value: f64): void {
  const below = reinterpret<u64>(value) - 1;
  const octave = octaveOf(below);
  if (octave < OCTAVES) {
    const page = load<u32>(base + (octave << 2), HistogramWord.Directory);
    if (page) {
      note(base, value);
      increase(page + (subBucketOf(below) << 2));
      return;
    }
  }
  recordApart(base, value, below);
}

/** Records a non-negative integer: the same, with an argument that crosses from JavaScript for less. */
export function histogramRecordInt(base: usize, value: i32): void {
  histogramRecord(base, <f64>value);
}

/** Zero, an octave's first value, what is outside the octaves, and what is no value at all. */
function recordApart(base: usize, value: f64, below: u64): void {
  if (value != value) return increase(base + HistogramWord.NotANumber);
  if (value < 0)
    return increase(base + (value == -Infinity ? HistogramWord.Infinite : HistogramWord.Negative));
  if (value == Infinity) return increase(base + HistogramWord.Infinite);
  const key = keyOf(value);
  if (key == 0) {
    note(base, value + 0.0); // turns -0 into 0
    if (value != 0) increase(base + HistogramWord.Low);
    return increase(base + HistogramWord.Zero);
  }
  const octave = (key - 1) / SUB_BUCKETS;
  const entry = base + (octave << 2);
  let page = load<u32>(entry, HistogramWord.Directory);
  if (!page) {
    page = <u32>allocate(load<u32>(base, HistogramWord.Slot), PageWord.Bytes);
    if (!page) return increase(base + HistogramWord.Unplaced);
    atomic.store<u32>(entry, page, HistogramWord.Directory); // pairs with histogramDelta
  }
  const high = octaveOf(below) >= OCTAVES;
  if (high) increase(base + HistogramWord.High);
  note(base, high ? HIGHEST_VALUE : value); // an absurd value must not swallow the sum
  increase(page + (((key - 1) % SUB_BUCKETS) << 2));
}

/** Adds to the sum and widens the extremes of the epoch that the reader asks for. Comes before the bucket's increase. */
function note(base: usize, value: f64): void {
  store<f64>(base, load<f64>(base, HistogramWord.Sum) + value, HistogramWord.Sum);
  const epoch = atomic.load<u32>(base, HistogramWord.EpochRequested); // pairs with histogramDelta
  const pair = base + ((epoch & 1) << 4);
  if (epoch == load<u32>(base, HistogramWord.EpochSeen)) {
    if (value < load<f64>(pair, HistogramWord.Extremes)) store<f64>(pair, value, HistogramWord.Extremes);
    if (value > load<f64>(pair, HistogramWord.Extremes + 8))
      store<f64>(pair, value, HistogramWord.Extremes + 8);
  } else {
    store<f64>(pair, value, HistogramWord.Extremes);
    store<f64>(pair, value, HistogramWord.Extremes + 8);
    store<u32>(base, epoch, HistogramWord.EpochSeen);
  }
}

function increase(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/** What the histogram gained since the last call, written to `out` as DeltaWord says; the bytes of its buckets. The reader's alone. */
export function histogramDelta(base: usize, out: usize): u32 {
  const epoch = load<u32>(base, HistogramWord.EpochRequested);
  atomic.store<u32>(base, epoch + 1, HistogramWord.EpochRequested); // pairs with note
  let at = out + DeltaWord.Buckets;
  let count: f64 = 0;
  let next: u32 = 0; // the key that the next token is about
  let lowest: u32 = u32.MAX_VALUE;

  const zero = load<u32>(base, HistogramWord.Zero);
  const zeroGained = zero - load<u32>(base, HistogramWord.PreviousZero);
  if (zeroGained) {
    store<u32>(base, zero, HistogramWord.PreviousZero);
    at = putVarint(at, (<u64>zeroGained) << 1);
    count = <f64>zeroGained;
    lowest = 0;
    next = 1;
  }
  for (let octave: u32 = 0; octave < OCTAVES; octave++) {
    const page = atomic.load<u32>(base + (octave << 2), HistogramWord.Directory); // pairs with recordApart
    if (!page) continue;
    for (let sub: u32 = 0; sub < SUB_BUCKETS; sub++) {
      const bucket = page + (sub << 2);
      const now = load<u32>(bucket, PageWord.Counts);
      const gained = now - load<u32>(bucket, PageWord.Previous);
      if (!gained) continue;
      store<u32>(bucket, now, PageWord.Previous);
      const key = 1 + octave * SUB_BUCKETS + sub;
      if (key != next) at = putVarint(at, ((key - next) << 1) | 1);
      at = putVarint(at, (<u64>gained) << 1);
      count += <f64>gained;
      if (lowest == u32.MAX_VALUE) lowest = key;
      next = key + 1;
    }
  }
  store<f64>(out, count, DeltaWord.Count);
  if (count > 0) {
    const sum = load<f64>(base, HistogramWord.Sum);
    store<f64>(out, sum - load<f64>(base, HistogramWord.PreviousSum), DeltaWord.Sum);
    store<f64>(base, sum, HistogramWord.PreviousSum);
    const min = extreme(base, epoch, lowest, false);
    const max = extreme(base, epoch, next - 1, true);
    // Of one bucket, a middle that stands for one extreme may be on the wrong side of the other.
    store<f64>(out, min < max ? min : max, DeltaWord.Min);
    store<f64>(out, min < max ? max : min, DeltaWord.Max);
  } else {
    memory.fill(out + DeltaWord.Sum, 0, 24);
  }
  return <u32>(at - out) - DeltaWord.Buckets;
}

/** The noted extreme that lies in bucket `key`, of this epoch or, noted meanwhile, of the next; else the bucket's middle. */
function extreme(base: usize, epoch: u32, key: u32, highest: bool): f64 {
  const offset: u32 = highest ? 8 : 0;
  const noted = load<f64>(base + ((epoch & 1) << 4) + offset, HistogramWord.Extremes);
  const matches = keyOf(noted) == key;
  if (load<u32>(base, HistogramWord.EpochSeen) == epoch + 1) {
    const later = load<f64>(base + (((epoch + 1) & 1) << 4) + offset, HistogramWord.Extremes);
    if (keyOf(later) == key && (!matches || later > noted == highest)) return later;
  }
  return matches ? noted : midpointOf(key);
}
