/** Twin of assembly/histogram.ts. */
import { CoreLimit, CountsWord, DeltaWord, HistogramWord, PageWord } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import { type BucketsTwin, HIGHEST_VALUE } from './buckets';
import type { CountsTwin } from './counts';
import type { TwinViews } from './views';

type HistogramTwin = Pick<CoreExports, 'histogramCreate' | 'histogramRecordApart' | 'histogramDelta'>;

const SUM_UNIT = 2 ** -40;
const INFINITY_BITS = 0x7ffn << 52n;

export function histogramTwin(
  { i32, u32, f64, i64 }: TwinViews,
  { keyOf, midpointOf }: BucketsTwin,
  { putCounts }: CountsTwin,
  allocate: CoreExports['allocate'],
): HistogramTwin {
  function histogramCreate(slot: number): number {
    const base = allocate(slot, HistogramWord.Bytes);
    if (!base) return 0;
    u32[(base + HistogramWord.Slot) >> 2] = slot;
    f64[(base + HistogramWord.Lowest) >> 3] = Infinity;
    return base;
  }

  function histogramRecordApart(base: number, value: number): void {
    const refused = refusalOf(value);
    if (refused) {
      increase(base + refused);
      return;
    }
    const key = keyOf(value);
    if (key === 0) {
      note(base, value + 0);
      if (value !== 0) increase(base + HistogramWord.Low);
      increase(base + HistogramWord.Zero);
      return;
    }
    const octave = Math.floor((key - 1) / CoreLimit.SubBuckets);
    const entry = (base + HistogramWord.Directory + octave * 4) >> 2;
    let page = u32[entry]!;
    if (!page) {
      page = allocate(u32[(base + HistogramWord.Slot) >> 2]!, PageWord.Bytes);
      if (!page) {
        increase(base + HistogramWord.Unplaced);
        return;
      }
      Atomics.store(i32, entry, page);
    }
    const high = value > HIGHEST_VALUE;
    if (high) increase(base + HistogramWord.High);
    note(base, high ? HIGHEST_VALUE : value);
    increase(page + ((key - 1) % CoreLimit.SubBuckets) * 4);
  }

  function note(base: number, value: number): void {
    f64[(base + HistogramWord.Sum) >> 3] = f64[(base + HistogramWord.Sum) >> 3]! + value * SUM_UNIT;
    const lowest = f64[(base + HistogramWord.Lowest) >> 3]!;
    if (lowest === Infinity || value > f64[(base + HistogramWord.Highest) >> 3]!)
      f64[(base + HistogramWord.Highest) >> 3] = value;
    if (value < lowest) f64[(base + HistogramWord.Lowest) >> 3] = value;
  }

  function increase(at: number): void {
    u32[at >> 2] = u32[at >> 2]! + 1;
  }

  function histogramDelta(base: number, out: number, scratch: number): number {
    const takenMin = f64[(base + HistogramWord.Lowest) >> 3]!;
    const takenMax = f64[(base + HistogramWord.Highest) >> 3]!;
    Atomics.store(i64, (base + HistogramWord.Lowest) >> 3, INFINITY_BITS);
    const counts = scratch + CountsWord.Counts;
    let count = 0;
    let next = 0;
    let lowest = -1;

    const zero = u32[(base + HistogramWord.Zero) >> 2]!;
    const zeroGained = (zero - u32[(base + HistogramWord.PreviousZero) >> 2]!) >>> 0;
    if (zeroGained) {
      u32[(base + HistogramWord.PreviousZero) >> 2] = zero;
      f64[counts >> 3] = zeroGained;
      count = zeroGained;
      lowest = 0;
      next = 1;
    }
    for (let octave = 0; octave < CoreLimit.Octaves; octave++) {
      const page = Atomics.load(u32, (base + HistogramWord.Directory + octave * 4) >> 2);
      if (!page) continue;
      for (let sub = 0; sub < CoreLimit.SubBuckets; sub++) {
        const bucket = page + sub * 4;
        const now = u32[(bucket + PageWord.Counts) >> 2]!;
        const gained = (now - u32[(bucket + PageWord.Previous) >> 2]!) >>> 0;
        if (!gained) continue;
        u32[(bucket + PageWord.Previous) >> 2] = now;
        const key = 1 + octave * CoreLimit.SubBuckets + sub;
        if (lowest < 0) lowest = key;
        else f64.fill(0, (counts >> 3) + next - lowest, (counts >> 3) + key - lowest);
        f64[(counts >> 3) + key - lowest] = gained;
        count += gained;
        next = key + 1;
      }
    }
    f64[(out + DeltaWord.Count) >> 3] = count;
    if (count === 0) {
      f64.fill(0, (out + DeltaWord.Sum) >> 3, (out + DeltaWord.Buckets) >> 3);
      return 0;
    }
    const sum = f64[(base + HistogramWord.Sum) >> 3]!;
    f64[(out + DeltaWord.Sum) >> 3] = (sum - f64[(base + HistogramWord.PreviousSum) >> 3]!) / SUM_UNIT;
    f64[(base + HistogramWord.PreviousSum) >> 3] = sum;
    const min = extreme(takenMin, f64[(base + HistogramWord.Lowest) >> 3]!, lowest, false);
    const max = extreme(takenMax, f64[(base + HistogramWord.Highest) >> 3]!, next - 1, true);
    f64[(out + DeltaWord.Min) >> 3] = Math.min(min, max);
    f64[(out + DeltaWord.Max) >> 3] = Math.max(min, max);
    return putCounts(scratch, counts, next - lowest, count, out + DeltaWord.Buckets);
  }

  function extreme(taken: number, later: number, key: number, highest: boolean): number {
    const matches = liesIn(taken, key);
    if (liesIn(later, key) && (!matches || later > taken === highest)) return later;
    return matches ? taken : midpointOf(key);
  }

  function liesIn(value: number, key: number): boolean {
    return value !== Infinity && keyOf(value) === key;
  }

  return { histogramCreate, histogramRecordApart, histogramDelta };
}

/** The word that counts what is no value; 0 for a value. */
function refusalOf(value: number): number {
  if (Number.isNaN(value)) return HistogramWord.NotANumber;
  if (value === Infinity || value === -Infinity) return HistogramWord.Infinite;
  return value < 0 ? HistogramWord.Negative : 0;
}
