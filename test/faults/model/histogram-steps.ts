/**
 * Recording (agent/core-recorder.ts, and assembly/histogram.ts for what goes apart) and snapshot as steps of the model,
 * with a few octaves of a few buckets of ten values: values 10 to 19 are in bucket 0, 20 to 29 in bucket 1, ...; zero,
 * which no bucket here has, is left out.
 */
import type { Steps } from './explore';
import { atomicLoad, atomicStore, load, note, store } from './ring-steps';

export type Shape = { octaves: number; subBuckets: number };

export const HistogramWord = {
  Sum: 0,
  Lowest: 1,
  Highest: 2,
  PreviousSum: 3,
  State: 4,
  /** Up to two octaves. */
  Directory: 5,
  /** An octave's counts, then what the reader saw of them. */
  Pages: 7,
} as const;

/** Stands for +Infinity in Lowest: above all values, and like it in the last bucket as long as nobody looks closer. */
export const ANEW = 29;

export const HISTOGRAM_MUTATIONS = [
  'directory: plain store',
  'directory: stored before the page is zeroed',
  'directory: plain load',
  'delta: takes the sum without a count',
  'delta: reads a bucket twice',
  'delta: forgets what it saw',
  'delta: believes any extreme',
  'delta: leaves extremes out of order',
  'delta: believes that an extreme is one',
  'record: bucket not increased when extremes begin anew',
] as const;
export type HistogramMutation = (typeof HISTOGRAM_MUTATIONS)[number] | 'none';

export const bucketOf = (value: number) => Math.floor(value / 10) - 1;
export const middleOf = (bucket: number) => bucket * 10 + 15;

export function* record(value: number, shape: Shape, mutation: HistogramMutation): Steps {
  const { directory, bucketAt } = placesOf(value, shape);
  const page = yield load(directory);
  if (page === 0) return yield* recordApart(value, shape, mutation);
  const lowest = yield load(HistogramWord.Lowest);
  if (value < lowest) return yield* recordApart(value, shape, mutation);
  if (value > (yield load(HistogramWord.Highest))) return yield* recordApart(value, shape, mutation);
  yield store(HistogramWord.Sum, (yield load(HistogramWord.Sum)) + value);
  yield store(page + bucketAt, ((yield load(page + bucketAt)) + 1) >>> 0);
}

export function* recordApart(value: number, shape: Shape, mutation: HistogramMutation): Steps {
  const { directory, newPage, bucketAt } = placesOf(value, shape);
  let page = yield load(directory);
  if (page === 0) {
    page = newPage;
    if (mutation === 'directory: stored before the page is zeroed') yield atomicStore(directory, page);
    for (let word = 0; word < shape.subBuckets * 2; word++) yield store(page + word, 0);
    if (mutation === 'directory: plain store') yield store(directory, page);
    else if (mutation !== 'directory: stored before the page is zeroed') yield atomicStore(directory, page);
  }
  const began = yield* noteValue(value);
  if (began && mutation === 'record: bucket not increased when extremes begin anew') return;
  yield store(page + bucketAt, ((yield load(page + bucketAt)) + 1) >>> 0);
}

export function placesOf(value: number, { subBuckets }: Shape) {
  const octave = Math.floor(bucketOf(value) / subBuckets);
  return {
    directory: HistogramWord.Directory + octave,
    newPage: HistogramWord.Pages + octave * subBuckets * 2,
    bucketAt: bucketOf(value) % subBuckets,
  };
}

/** Sum and extremes; true when extremes began anew. */
export function* noteValue(value: number): Steps<boolean> {
  yield store(HistogramWord.Sum, (yield load(HistogramWord.Sum)) + value);
  const lowest = yield load(HistogramWord.Lowest);
  if (lowest === ANEW || value > (yield load(HistogramWord.Highest)))
    yield store(HistogramWord.Highest, value);
  if (value < lowest) yield store(HistogramWord.Lowest, value);
  return lowest === ANEW;
}

/** One snapshot; notes what each bucket gained, then sum, min and max. */
export function* snapshot({ octaves, subBuckets }: Shape, mutation: HistogramMutation): Steps {
  const takenMin = yield load(HistogramWord.Lowest);
  const takenMax = yield load(HistogramWord.Highest);
  yield atomicStore(HistogramWord.Lowest, ANEW);
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
  const laterMin = yield load(HistogramWord.Lowest);
  const min = extreme(takenMin, laterMin, gains.findIndex(Boolean), false, mutation);
  const laterMax = yield load(HistogramWord.Highest);
  const max = extreme(takenMax, laterMax, gains.findLastIndex(Boolean), true, mutation);
  const ordered =
    mutation === 'delta: leaves extremes out of order'
      ? [min, max]
      : [Math.min(min, max), Math.max(min, max)];
  yield note('snapshot', ...gains, sum, ...ordered);
}

function extreme(
  taken: number,
  later: number,
  bucket: number,
  highest: boolean,
  mutation: HistogramMutation,
): number {
  if (mutation === 'delta: believes any extreme') return taken;
  const isOne = (value: number) => value !== ANEW || mutation === 'delta: believes that an extreme is one';
  const matches = isOne(taken) && bucketOf(taken) === bucket;
  if (isOne(later) && bucketOf(later) === bucket && (!matches || later > taken === highest)) return later;
  return matches ? taken : middleOf(bucket);
}
