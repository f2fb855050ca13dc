/**
 * Recording and snapshot of assembly/histogram.ts as steps of the model, with a few octaves of a few buckets of ten
 * values: values 10 to 19 are in bucket 0, 20 to 29 in bucket 1, ...; zero, which no bucket here has, is left out.
 */
import type { Steps } from './explore';
import { atomicLoad, atomicStore, load, note, store } from './ring-steps';

export type Shape = { octaves: number; subBuckets: number };

export const HistogramWord = {
  Sum: 0,
  EpochSeen: 1,
  /** Two pairs of min, max. */
  Extremes: 2,
  EpochRequested: 6,
  PreviousSum: 7,
  State: 8,
  /** Up to two octaves. */
  Directory: 9,
  /** An octave's counts, then what the reader saw of them. */
  Pages: 11,
} as const;

export const HISTOGRAM_MUTATIONS = [
  'directory: plain store',
  'directory: stored before the page is zeroed',
  'directory: plain load',
  'delta: takes the sum without a count',
  'delta: reads a bucket twice',
  'delta: forgets what it saw',
  'delta: believes any extreme',
  'delta: leaves extremes out of order',
  'delta: reads the extremes of the next epoch',
  'record: bucket not increased when the epoch changes',
] as const;
export type HistogramMutation = (typeof HISTOGRAM_MUTATIONS)[number] | 'none';

export const bucketOf = (value: number) => Math.floor(value / 10) - 1;
export const middleOf = (bucket: number) => bucket * 10 + 15;

export function* record(value: number, { subBuckets }: Shape, mutation: HistogramMutation): Steps {
  const octave = Math.floor(bucketOf(value) / subBuckets);
  const directory = HistogramWord.Directory + octave;
  const page = HistogramWord.Pages + octave * subBuckets * 2;
  if ((yield load(directory)) === 0) {
    if (mutation === 'directory: stored before the page is zeroed') yield atomicStore(directory, page);
    for (let word = 0; word < subBuckets * 2; word++) yield store(page + word, 0);
    if (mutation === 'directory: plain store') yield store(directory, page);
    else if (mutation !== 'directory: stored before the page is zeroed') yield atomicStore(directory, page);
  }
  const renewed = yield* noteValue(value);
  const bucket = page + (bucketOf(value) % subBuckets);
  if (renewed && mutation === 'record: bucket not increased when the epoch changes') return;
  yield store(bucket, ((yield load(bucket)) + 1) >>> 0);
}

/** Sum and extremes; true when the epoch has changed since the last value. */
export function* noteValue(value: number): Steps<boolean> {
  yield store(HistogramWord.Sum, (yield load(HistogramWord.Sum)) + value);
  const epoch = yield atomicLoad(HistogramWord.EpochRequested);
  const pair = HistogramWord.Extremes + (epoch & 1) * 2;
  if (epoch === (yield load(HistogramWord.EpochSeen))) {
    if (value < (yield load(pair))) yield store(pair, value);
    if (value > (yield load(pair + 1))) yield store(pair + 1, value);
    return false;
  }
  yield store(pair, value);
  yield store(pair + 1, value);
  yield store(HistogramWord.EpochSeen, epoch);
  return true;
}

/** One snapshot; notes what each bucket gained, then sum, min and max. */
export function* snapshot({ octaves, subBuckets }: Shape, mutation: HistogramMutation): Steps {
  const epoch = yield load(HistogramWord.EpochRequested);
  yield atomicStore(HistogramWord.EpochRequested, epoch + 1);
  const gains = Array<number>(octaves * subBuckets).fill(0);
  for (let octave = 0; octave < octaves; octave++) {
    const directory = HistogramWord.Directory + octave;
    const page = mutation === 'directory: plain load' ? yield load(directory) : yield atomicLoad(directory);
    if (page === 0) continue;
    for (let sub = 0; sub < subBuckets; sub++) {
      const now = yield load(page + sub);
      const previous = page + subBuckets + sub;
      const gained = (now - (yield load(previous))) >>> 0;
      if (gained === 0) continue;
      const kept = mutation === 'delta: reads a bucket twice' ? yield load(page + sub) : now;
      if (mutation !== 'delta: forgets what it saw') yield store(previous, kept);
      gains[octave * subBuckets + sub] = gained;
    }
  }
  const counted = gains.some((gained) => gained > 0);
  let sum = 0;
  if (counted || mutation === 'delta: takes the sum without a count') {
    const now = yield load(HistogramWord.Sum);
    sum = now - (yield load(HistogramWord.PreviousSum));
    yield store(HistogramWord.PreviousSum, now);
  }
  if (!counted) return;
  const min = yield* extreme(epoch, gains.findIndex(Boolean), false, mutation);
  const max = yield* extreme(epoch, gains.findLastIndex(Boolean), true, mutation);
  const ordered =
    mutation === 'delta: leaves extremes out of order'
      ? [min, max]
      : [Math.min(min, max), Math.max(min, max)];
  yield note('snapshot', ...gains, sum, ...ordered);
}

function* extreme(
  epoch: number,
  bucket: number,
  highest: boolean,
  mutation: HistogramMutation,
): Steps<number> {
  const place = (of: number) => HistogramWord.Extremes + (of & 1) * 2 + (highest ? 1 : 0);
  const noted = yield load(
    place(mutation === 'delta: reads the extremes of the next epoch' ? epoch + 1 : epoch),
  );
  if (
    mutation === 'delta: believes any extreme' ||
    mutation === 'delta: reads the extremes of the next epoch'
  )
    return noted;
  const matches = bucketOf(noted) === bucket;
  if ((yield load(HistogramWord.EpochSeen)) === epoch + 1) {
    const later = yield load(place(epoch + 1));
    if (bucketOf(later) === bucket && (!matches || later > noted === highest)) return later;
  }
  return matches ? noted : middleOf(bucket);
}
