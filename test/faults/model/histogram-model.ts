/** The histogram's model: a thread that records values and detaches, and a reader that takes snapshots meanwhile. */
import type { Model, Steps } from './explore';
import {
  ANEW,
  bucketOf,
  type HistogramMutation,
  HistogramWord,
  middleOf,
  record,
  type Shape,
  snapshot,
} from './histogram-steps';
import { atomicLoad, atomicStore, note } from './ring-steps';

/** What a page holds before it is zeroed. */
const GARBAGE = 77;

export type HistogramSetup = Shape & {
  values: number[];
  /** Octaves that have had values before. */
  madeOctaves: number;
  /** Snapshots before the last one. */
  snapshots: number;
  inOrder: boolean;
  mutation: HistogramMutation;
};

type Observed = {
  /** Values whose recording has begun, and what the reader was told in all. */
  begun: number;
  gained: number[];
  sum: number;
  /** 1 when the reader has seen the thread detached before its last snapshot, and has taken that. */
  complete: number;
};

export function histogramModel(setup: HistogramSetup): Model<Observed> {
  const { values, octaves, subBuckets, madeOctaves, inOrder } = setup;
  const buckets = octaves * subBuckets;
  const memory = Array<number>(HistogramWord.Pages + buckets * 2).fill(0);
  memory.fill(GARBAGE, HistogramWord.Pages + madeOctaves * subBuckets * 2);
  for (let octave = 0; octave < madeOctaves; octave++) {
    memory[HistogramWord.Directory + octave] = HistogramWord.Pages + octave * subBuckets * 2;
  }
  memory[HistogramWord.Lowest] = ANEW;
  return {
    threads: [recorder(setup), reader(setup)],
    memory,
    // The maximum mirrors the minimum: exploring delays of one of the two is enough.
    isPrivate: (word) => word === HistogramWord.PreviousSum || word === HistogramWord.Highest,
    inOrder,
    mayLag: (word) => word === HistogramWord.Lowest || word >= HistogramWord.Directory,
    observed: { begun: 0, gained: Array<number>(buckets).fill(0), sum: 0, complete: 0 },
    note(observed, what, told) {
      if (what === 'begins') observed.begun++;
      else if (what === 'complete') observed.complete = 1;
      else checkSnapshot(observed, told, values.slice(0, observed.begun));
    },
    end(observed, memory) {
      const total = values.reduce((sum, value) => sum + value, 0);
      const pending = memory[HistogramWord.Sum]! - memory[HistogramWord.PreviousSum]!;
      if (observed.sum + pending !== total)
        throw new Error(`sum: told ${observed.sum}, pending ${pending}, was ${total}`);
      if (!observed.complete) return;
      const expected = countsOf(values, buckets);
      if (`${observed.gained}` !== `${expected}`)
        throw new Error(`lost: told ${observed.gained}, were ${expected}`);
    },
  };
}

function recorder({ values, mutation, ...shape }: HistogramSetup): (() => Steps)[] {
  const records = values.map(
    (value) =>
      function* () {
        yield note('begins');
        yield* record(value, shape, mutation);
      },
  );
  return [
    ...records,
    function* detach() {
      yield atomicStore(HistogramWord.State, 1);
    },
  ];
}

function reader({ snapshots, mutation, ...shape }: HistogramSetup): (() => Steps)[] {
  return [
    ...Array.from({ length: snapshots }, () => () => snapshot(shape, mutation)),
    function* last() {
      const detached = yield atomicLoad(HistogramWord.State);
      yield* snapshot(shape, mutation);
      if (detached) yield note('complete');
    },
  ];
}

function checkSnapshot(observed: Observed, told: number[], begun: number[]): void {
  const gains = told.slice(0, observed.gained.length);
  const [sum, min, max] = told.slice(gains.length) as [number, number, number];
  const most = countsOf(begun, observed.gained.length);
  for (const [bucket, gain] of gains.entries()) {
    observed.gained[bucket]! += gain;
    if (observed.gained[bucket]! > most[bucket]!)
      throw new Error(`invented: ${observed.gained}, begun were ${most}`);
  }
  observed.sum += sum;
  if (min > max) throw new Error(`minimum ${min} above maximum ${max}`);
  for (const [value, bucket] of [
    [min, gains.findIndex(Boolean)],
    [max, gains.findLastIndex(Boolean)],
  ] as const) {
    const known = begun.includes(value) || value === middleOf(bucket);
    if (bucketOf(value) !== bucket || !known) throw new Error(`extreme ${value} of ${gains}`);
  }
}

function countsOf(values: number[], buckets: number): number[] {
  const counts = Array<number>(buckets).fill(0);
  for (const value of values) counts[bucketOf(value)]!++;
  return counts;
}
