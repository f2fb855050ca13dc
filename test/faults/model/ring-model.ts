/** The ring's model: a producer of numbered records, a reader, and an observer that knows what must not happen. */
import type { Model, Steps } from './explore';
import { drain, load, type Mutation, note, push, type RingShape, RingWord, takeDropped } from './ring-steps';

export type RingSetup = RingShape & {
  capacity: number;
  pushes: number;
  /** Drains before the last ones. */
  drains: number;
  startPosition: number;
  /** Drops that were counted, and told, before. */
  droppedBefore: number;
  mutation: Mutation;
};

type Observed = {
  /** Pushes are numbered from 1. The one that runs, how many were released when it began, and how many were stored. */
  pushing: number;
  releasedAtBegin: number;
  stored: number;
  /** Numbers of the dropped ones. */
  dropped: number[];
  lastReceived: number;
  released: number;
  /** Dropped ones that the reader has been told of. */
  taken: number;
  /** The push that ran when the reader last told drops. */
  pushingAtTake: number;
  /** Pushes that had returned when the reader began its last drains; -1 before. */
  completedAtLast: number;
};

export function ringModel(setup: RingSetup): Model<Observed> {
  const { capacity, recordWords, startPosition, droppedBefore } = setup;
  const memory = Array<number>(RingWord.Records + capacity * recordWords).fill(0);
  memory[RingWord.RingAt] = RingWord.Records;
  memory[RingWord.RingMask] = capacity - 1;
  for (const word of [RingWord.Tail, RingWord.Head, RingWord.Claimed, RingWord.TailSeen])
    memory[word] = startPosition;
  memory[RingWord.DropCount] = memory[RingWord.DropTaken] = droppedBefore;
  const ownWords: number[] = [RingWord.Claimed, RingWord.TailSeen, RingWord.RingAt, RingWord.RingMask];
  return {
    threads: [producer(setup), reader(setup)],
    memory,
    isPrivate: (word) => ownWords.includes(word),
    mayLag: () => true,
    inOrder: false,
    observed: {
      pushing: 0,
      releasedAtBegin: 0,
      stored: 0,
      dropped: [],
      lastReceived: 0,
      released: 0,
      taken: 0,
      pushingAtTake: 0,
      completedAtLast: -1,
    },
    note: (observed, what, values) => observers[what]!(observed, values, setup),
    end(observed, left) {
      if (left.length !== memory.length) throw new Error('stored beyond the end of the ring');
      const { stored, dropped, lastReceived, completedAtLast, pushing, taken } = observed;
      if (completedAtLast === setup.pushes && stored + dropped.length !== pushing)
        throw new Error('push without a result');
      if (completedAtLast === setup.pushes && taken !== dropped.length) {
        throw new Error(`lost without a count: ${dropped.length} were dropped, ${taken} told`);
      }
      for (let number = lastReceived + 1; number <= completedAtLast; number++) {
        if (!dropped.includes(number))
          throw new Error(`lost: record ${number} was stored and never handed over`);
      }
    },
  };
}

function producer({ pushes, mutation, ...shape }: RingSetup): (() => Steps)[] {
  return Array.from(
    { length: pushes },
    (_, i) =>
      function* () {
        yield load(RingWord.RingMask); // time may pass before it begins
        yield note('push begins', i + 1);
        const result = yield* push(i + 1, shape, mutation);
        yield note(result === 1 ? 'stored' : 'dropped', i + 1);
      },
  );
}

function reader({ capacity, drains, recordWords, mutation }: RingSetup): (() => Steps)[] {
  function* drainOnce(): Steps {
    yield* drain(recordWords, capacity - 1, mutation);
  }
  function* drainDry(): Steps {
    yield note('last drains begin');
    while ((yield* drain(recordWords, capacity - 1, mutation)) > 0);
  }
  const take = () => takeDropped(mutation);
  return [...Array<() => Steps>(drains).fill(drainOnce), take, drainDry, take];
}

const observers: Record<string, (observed: Observed, values: number[], setup: RingSetup) => void> = {
  'push begins'(observed, [number]) {
    observed.pushing = number!;
    observed.releasedAtBegin = observed.released;
  },
  stored(observed) {
    observed.stored++;
  },
  dropped(observed, [number], { capacity }) {
    observed.dropped.push(number!);
    const room = capacity - (observed.stored - observed.releasedAtBegin);
    if (room > 0)
      throw new Error(`dropped: record ${number}, though there was room for ${room} when its push began`);
  },
  received(observed, words, { pushes }) {
    const number = words[0]!;
    if (words.some((word) => word !== number)) throw new Error(`torn: ${words.join(', ')}`);
    if (number < 1 || number > pushes) throw new Error(`invented: ${number}`);
    if (number <= observed.lastReceived)
      throw new Error(`again or out of order: ${number} after ${observed.lastReceived}`);
    if (number > observed.pushing) throw new Error(`too early: ${number}`);
    for (let between = observed.lastReceived + 1; between < number; between++) {
      if (!observed.dropped.includes(between))
        throw new Error(`lost: record ${between} was stored and passed over`);
    }
    observed.lastReceived = number;
  },
  released(observed, [count]) {
    observed.released += count!;
  },
  took(observed, [count, first]) {
    // The push that runs may have counted its drop already without having returned.
    const known = [...observed.dropped, observed.pushing];
    if (observed.taken + count! > known.length) throw new Error(`told ${count} drops more than there were`);
    const earliest = known[observed.taken]!;
    // A drop that overlapped the last take may be told with the time of an earlier one.
    const exact = earliest > observed.pushingAtTake;
    const right = exact ? first === earliest : known.includes(first!) && first! <= earliest;
    if (!right) throw new Error(`first drop is ${earliest}, told ${first}`);
    observed.pushingAtTake = observed.pushing;
    observed.taken += count!;
  },
  'last drains begin'(observed) {
    observed.completedAtLast = observed.stored + observed.dropped.length;
  },
};
