/**
 * The histogram that one host thread records into (agent/core-recorder.ts) and the reader takes
 * snapshots of. Counts are u32 in pages of one
 * octave, made at its first value. There is no stored count: what a snapshot counted is the sum of what its buckets
 * gained, so the two can never disagree, whenever it is taken. The difference of two u32 survives wrapping.
 *
 * Extremes run from snapshot to snapshot. The reader takes them, sets the lowest to +Infinity, which tells the thread to
 * begin anew, and then reads buckets; a value that was being recorded meanwhile may have its bucket in one snapshot and
 * its extreme in the other. So an extreme, taken before or found behind the buckets, counts only if it lies in the
 * outermost bucket that gained; else that bucket's middle stands for it.
 *
 * The sum is read after the buckets, so it covers all that was counted; values that come while buckets are read may be
 * in one snapshot's sum and the next one's count. A snapshot without a count takes no sum, so sums add up too.
 *
 * A delta's buckets are those from the minimum's to the maximum's, as counts.ts writes them.
 */
import { allocate } from './arena';
import { keyOf, midpointOf } from './buckets';
import { putCounts } from './counts';
import { CountsWord, DeltaWord, HistogramWord, PageWord } from './layout';
import { HIGHEST_VALUE, OCTAVES, SUB_BUCKETS, SUM_UNIT, SUM_UNITS } from './limits';

/** Makes an empty histogram for the slot's thread; 0 when the arena is used up. */
export function histogramCreate(slot: usize): usize {
  const base = allocate(slot, HistogramWord.Bytes);
  if (!base) return 0;
  store<u32>(base, slot, HistogramWord.Slot);
  store<f64>(base, Infinity, HistogramWord.Lowest);
  return base;
}

/** Records any f64. The recorder keeps the usual ones to itself: here come zero, what widens the extremes or is the first of a snapshot or an octave, what is outside the octaves or too close to a bound to be told by half of its bits, and what is no value at all. */
export function histogramRecordApart(base: usize, value: f64): void {
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
  const entry = base + (((key - 1) / SUB_BUCKETS) << 2);
  let page = load<u32>(entry, HistogramWord.Directory);
  if (!page) {
    page = <u32>allocate(load<u32>(base, HistogramWord.Slot), PageWord.Bytes);
    if (!page) return increase(base + HistogramWord.Unplaced);
    atomic.store<u32>(entry, page, HistogramWord.Directory); // pairs with histogramDelta
  }
  const high = value > HIGHEST_VALUE;
  if (high) increase(base + HistogramWord.High);
  note(base, high ? HIGHEST_VALUE : value); // an absurd value must not swallow the sum
  increase(page + (((key - 1) % SUB_BUCKETS) << 2));
}

/** Adds to the sum and widens the extremes, or begins them anew. Comes before the bucket's increase. */
function note(base: usize, value: f64): void {
  store<f64>(base, load<f64>(base, HistogramWord.Sum) + value * SUM_UNIT, HistogramWord.Sum);
  const lowest = load<f64>(base, HistogramWord.Lowest);
  if (lowest == Infinity || value > load<f64>(base, HistogramWord.Highest))
    store<f64>(base, value, HistogramWord.Highest);
  if (value < lowest) store<f64>(base, value, HistogramWord.Lowest);
}

function increase(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/** What the histogram gained since the last call, written to `out` as DeltaWord says; the bytes of its buckets. `scratch`: a CountsWord. The reader's alone. */
export function histogramDelta(base: usize, out: usize, scratch: usize): u32 {
  const takenMin = load<f64>(base, HistogramWord.Lowest);
  const takenMax = load<f64>(base, HistogramWord.Highest);
  atomic.store<u64>(base, reinterpret<u64>(Infinity), HistogramWord.Lowest); // pairs with the recorder's look at it
  const counts = scratch + CountsWord.Counts;
  let count: f64 = 0;
  let next: u32 = 0; // behind the last key that gained
  let lowest: u32 = u32.MAX_VALUE;

  const zero = load<u32>(base, HistogramWord.Zero);
  const zeroGained = zero - load<u32>(base, HistogramWord.PreviousZero);
  if (zeroGained) {
    store<u32>(base, zero, HistogramWord.PreviousZero);
    store<f64>(counts, <f64>zeroGained);
    count = <f64>zeroGained;
    lowest = 0;
    next = 1;
  }
  for (let octave: u32 = 0; octave < OCTAVES; octave++) {
    const page = atomic.load<u32>(base + (octave << 2), HistogramWord.Directory); // pairs with histogramRecordApart
    if (!page) continue;
    for (let sub: u32 = 0; sub < SUB_BUCKETS; sub++) {
      const bucket = page + (sub << 2);
      const now = load<u32>(bucket, PageWord.Counts);
      const gained = now - load<u32>(bucket, PageWord.Previous);
      if (!gained) continue;
      store<u32>(bucket, now, PageWord.Previous);
      const key = 1 + octave * SUB_BUCKETS + sub;
      if (lowest == u32.MAX_VALUE) lowest = key;
      else memory.fill(counts + ((next - lowest) << 3), 0, (key - next) << 3);
      store<f64>(counts + ((key - lowest) << 3), <f64>gained);
      count += <f64>gained;
      next = key + 1;
    }
  }
  store<f64>(out, count, DeltaWord.Count);
  if (count == 0) {
    memory.fill(out + DeltaWord.Sum, 0, 24);
    return 0;
  }
  const sum = load<f64>(base, HistogramWord.Sum);
  store<f64>(out, (sum - load<f64>(base, HistogramWord.PreviousSum)) * SUM_UNITS, DeltaWord.Sum);
  store<f64>(base, sum, HistogramWord.PreviousSum);
  const min = extreme(takenMin, load<f64>(base, HistogramWord.Lowest), lowest, false);
  const max = extreme(takenMax, load<f64>(base, HistogramWord.Highest), next - 1, true);
  // Of one bucket, a middle that stands for one extreme may be on the wrong side of the other.
  store<f64>(out, min < max ? min : max, DeltaWord.Min);
  store<f64>(out, min < max ? max : min, DeltaWord.Max);
  return putCounts(scratch, counts, next - lowest, count, out + DeltaWord.Buckets);
}

/** The extreme that lies in bucket `key`, as it was taken or as it is later; else the bucket's middle. */
function extreme(taken: f64, later: f64, key: u32, highest: bool): f64 {
  const matches = liesIn(taken, key);
  if (liesIn(later, key) && (!matches || later > taken == highest)) return later;
  return matches ? taken : midpointOf(key);
}

/** Whether an extreme is one, and in bucket `key`. */
function liesIn(value: f64, key: u32): bool {
  return value != Infinity && keyOf(value) == key;
}
