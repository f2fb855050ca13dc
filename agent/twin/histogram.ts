/** Twin of assembly/histogram.ts. */
import { CoreLimit, DeltaWord, HistogramWord, PageWord } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import { type BucketsTwin, HIGHEST_VALUE } from './buckets';
import { putVarint } from './varint';
import type { TwinViews } from './views';

type HistogramTwin = Pick<
  CoreExports,
  'histogramCreate' | 'histogramRecord' | 'histogramRecordInt' | 'histogramDelta'
>;

export function histogramTwin(
  { u8, i32, u32, f64 }: TwinViews,
  { keyOf, midpointOf }: BucketsTwin,
  allocate: CoreExports['allocate'],
): HistogramTwin {
  function histogramCreate(slot: number): number {
    const base = allocate(slot, HistogramWord.Bytes);
    if (!base) return 0;
    u32[(base + HistogramWord.Slot) >> 2] = slot;
    u32[(base + HistogramWord.EpochSeen) >> 2] = 0xffffffff;
    return base;
  }

  function histogramRecord(base: number, value: number): void {
    const key = value > 0 && value <= HIGHEST_VALUE ? keyOf(value) : 0;
    const octave = ((key - 1) / CoreLimit.SubBuckets) | 0;
    const page = key && u32[(base + HistogramWord.Directory + octave * 4) >> 2]!;
    if (page) {
      note(base, value);
      increase(page + ((key - 1) % CoreLimit.SubBuckets) * 4);
    } else recordApart(base, value, key);
  }

  function recordApart(base: number, value: number, inRange: number): void {
    const refused = refusalOf(value);
    if (refused) {
      increase(base + refused);
      return;
    }
    const key = inRange || keyOf(value);
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
    f64[(base + HistogramWord.Sum) >> 3] = f64[(base + HistogramWord.Sum) >> 3]! + value;
    const epoch = Atomics.load(u32, (base + HistogramWord.EpochRequested) >> 2);
    const pair = (base + HistogramWord.Extremes + ((epoch & 1) << 4)) >> 3;
    if (epoch === u32[(base + HistogramWord.EpochSeen) >> 2]) {
      if (value < f64[pair]!) f64[pair] = value;
      if (value > f64[pair + 1]!) f64[pair + 1] = value;
    } else {
      f64[pair] = value;
      f64[pair + 1] = value;
      u32[(base + HistogramWord.EpochSeen) >> 2] = epoch;
    }
  }

  function increase(at: number): void {
    u32[at >> 2] = u32[at >> 2]! + 1;
  }

  function histogramDelta(base: number, out: number): number {
    const epoch = u32[(base + HistogramWord.EpochRequested) >> 2]!;
    Atomics.store(i32, (base + HistogramWord.EpochRequested) >> 2, (epoch + 1) | 0);
    let at = out + DeltaWord.Buckets;
    let count = 0;
    let next = 0;
    let lowest = -1;

    const zero = u32[(base + HistogramWord.Zero) >> 2]!;
    const zeroGained = (zero - u32[(base + HistogramWord.PreviousZero) >> 2]!) >>> 0;
    if (zeroGained) {
      u32[(base + HistogramWord.PreviousZero) >> 2] = zero;
      at = putVarint(u8, at, zeroGained * 2);
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
        if (key !== next) at = putVarint(u8, at, (key - next) * 2 + 1);
        at = putVarint(u8, at, gained * 2);
        count += gained;
        if (lowest < 0) lowest = key;
        next = key + 1;
      }
    }
    f64[(out + DeltaWord.Count) >> 3] = count;
    if (count > 0) {
      const sum = f64[(base + HistogramWord.Sum) >> 3]!;
      f64[(out + DeltaWord.Sum) >> 3] = sum - f64[(base + HistogramWord.PreviousSum) >> 3]!;
      f64[(base + HistogramWord.PreviousSum) >> 3] = sum;
      const min = extreme(base, epoch, lowest, false);
      const max = extreme(base, epoch, next - 1, true);
      f64[(out + DeltaWord.Min) >> 3] = Math.min(min, max);
      f64[(out + DeltaWord.Max) >> 3] = Math.max(min, max);
    } else f64.fill(0, (out + DeltaWord.Sum) >> 3, (out + DeltaWord.Buckets) >> 3);
    return at - out - DeltaWord.Buckets;
  }

  function extreme(base: number, epoch: number, key: number, highest: boolean): number {
    const place = base + HistogramWord.Extremes + (highest ? 8 : 0);
    const following = (epoch + 1) >>> 0;
    const noted = f64[(place + ((epoch & 1) << 4)) >> 3]!;
    const matches = keyOf(noted) === key;
    if (u32[(base + HistogramWord.EpochSeen) >> 2] === following) {
      const later = f64[(place + ((following & 1) << 4)) >> 3]!;
      if (keyOf(later) === key && (!matches || later > noted === highest)) return later;
    }
    return matches ? noted : midpointOf(key);
  }

  return {
    histogramCreate,
    histogramRecord,
    histogramRecordInt: (base, value) => histogramRecord(base, value | 0),
    histogramDelta,
  };
}

/** The word that counts what is no value; 0 for a value. */
function refusalOf(value: number): number {
  if (Number.isNaN(value)) return HistogramWord.NotANumber;
  if (value === Infinity || value === -Infinity) return HistogramWord.Infinite;
  return value < 0 ? HistogramWord.Negative : 0;
}
