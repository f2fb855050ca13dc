/**
 * The ring of assembly/ring.ts as steps of the model, one yield for each load and store, in the order of the compiled
 * code (test/faults/ring-model.test.ts holds the two together). A mutation changes one thing; each must be caught.
 */
import type { Operation, Steps } from './explore';

/** Words of the model. Records follow: recordWords each. */
export const RingWord = {
  Tail: 0,
  Claimed: 1,
  RingAt: 2,
  RingMask: 3,
  Head: 4,
  TailSeen: 5,
  DropCount: 6,
  DropFirst: 7,
  DropTaken: 8,
  Records: 9,
} as const;

export const MUTATIONS = [
  'tail: plain store',
  'tail: stored before the record',
  'tail: one too many',
  'head: plain store',
  'head: released before it is read',
  'head: one too many',
  'head: one too few',
  'claim: plain load of head',
  'claim: never looks at head',
  'claim: one too many',
  'claim: one too few',
  'claim: over the end of the ring',
  'claim: touches one too many',
  'claim: touches after it is filled',
  'push: full one too late',
  'push: next place of the ring',
  'peek: plain load of tail',
  'peek: one too many',
  'peek: one too few',
  'peek: looks again one too late',
  'drop: not counted',
  'drop: plain store of the count',
  'drop: count stored before the time',
  'drop: time never renewed',
  'drop: time renewed one too late',
  'take: plain load of the count',
  'take: plain store of what was taken',
  'take: stored before the time is read',
  'take: one too many',
  'take: one too few',
] as const;
/**
 * Changes that cost nothing but what they save. The load of what was taken comes right behind the atomic load of Head, so
 * a plain one sees nothing that an atomic one a moment earlier would not have seen; a reader that looks once more than
 * it must sees what it would have seen the next time; a claim before it must be only makes the lines come sooner.
 */
export const HARMLESS = [
  'drop: plain load of what was taken',
  'peek: looks again one too soon',
  'push: claims only when it must',
] as const;
export type Mutation = (typeof MUTATIONS)[number] | (typeof HARMLESS)[number] | 'none';

export const load = (word: number): Operation => ({ kind: 'load', word });
export const atomicLoad = (word: number): Operation => ({ kind: 'atomic load', word });
export const store = (word: number, value: number): Operation => ({ kind: 'store', word, value });
export const atomicStore = (word: number, value: number): Operation => ({
  kind: 'atomic store',
  word,
  value,
});
export const note = (what: string, ...values: number[]): Operation => ({ kind: 'note', what, values });

/** Places are claimed by blocks of claimRecords, of which every lineRecords-th is touched. */
export type RingShape = { recordWords: number; claimRecords: number; lineRecords: number };

/** 1, or -1 when the record was dropped. Each of the record's words is `value`. */
export function* push(value: number, shape: RingShape, mutation: Mutation): Steps<number> {
  const { recordWords } = shape;
  const tail = yield load(RingWord.Tail);
  let claimed = yield load(RingWord.Claimed);
  if (tail === claimed) {
    claimed = yield* claim(tail, shape, mutation);
    if (tail === claimed && mutation !== 'push: full one too late') return yield* drop(value, mutation);
  }
  const ring = yield load(RingWord.RingAt);
  const mask = yield load(RingWord.RingMask);
  const place = mutation === 'push: next place of the ring' ? (tail + 1) & mask : tail & mask;
  const next = (tail + (mutation === 'tail: one too many' ? 2 : 1)) >>> 0;
  if (mutation === 'tail: stored before the record') yield atomicStore(RingWord.Tail, next);
  for (let i = 0; i < recordWords; i++) yield store(ring + place * recordWords + i, value);
  if (mutation === 'tail: plain store') yield store(RingWord.Tail, next);
  else if (mutation !== 'tail: stored before the record') yield atomicStore(RingWord.Tail, next);
  if (mutation === 'claim: touches after it is filled') yield store(ring + place * recordWords, 0);
  if (next === claimed && mutation !== 'push: claims only when it must') yield* claim(next, shape, mutation);
  return 1;
}

/** The position behind the places that are claimed. */
function* claim(from: number, shape: RingShape, mutation: Mutation): Steps<number> {
  const { recordWords, claimRecords, lineRecords } = shape;
  const blind = mutation === 'claim: never looks at head';
  const plain = mutation === 'claim: plain load of head';
  const head = blind ? from : yield plain ? load(RingWord.Head) : atomicLoad(RingWord.Head);
  const mask = yield load(RingWord.RingMask);
  const off = mutation === 'claim: one too many' ? 1 : mutation === 'claim: one too few' ? -1 : 0;
  const free = (head + mask + 1 - from + off) >>> 0;
  const block = Math.min(mask, claimRecords - 1);
  const rest = mutation === 'claim: over the end of the ring' ? claimRecords : block + 1 - (from & block);
  const count = Math.min(free, rest);
  const ring = yield load(RingWord.RingAt);
  const touched = mutation === 'claim: touches one too many' ? count + 1 : count;
  for (let i = 0; i < touched; i += lineRecords) yield store(ring + ((from & mask) + i) * recordWords, 0);
  const claimed = (from + count) >>> 0;
  yield store(RingWord.Claimed, claimed);
  return claimed;
}

function* drop(value: number, mutation: Mutation): Steps<number> {
  const count = yield load(RingWord.DropCount);
  const plain = mutation === 'drop: plain load of what was taken';
  const taken = yield plain ? load(RingWord.DropTaken) : atomicLoad(RingWord.DropTaken);
  const next = (count + 1) >>> 0;
  if (mutation === 'drop: not counted') return -1;
  if (mutation === 'drop: count stored before the time') yield atomicStore(RingWord.DropCount, next);
  const late = mutation === 'drop: time renewed one too late' ? 1 : 0;
  const renew = mutation === 'drop: time never renewed' ? count === 0 : count === (taken + late) >>> 0;
  if (renew) yield store(RingWord.DropFirst, value);
  if (mutation === 'drop: plain store of the count') yield store(RingWord.DropCount, next);
  else if (mutation !== 'drop: count stored before the time') yield atomicStore(RingWord.DropCount, next);
  return -1;
}

/** How many records wait. */
export function* peek(most: number, mutation: Mutation): Steps<number> {
  const seen = yield load(RingWord.TailSeen);
  const head = yield load(RingWord.Head);
  let waiting = (seen - head) >>> 0;
  const sooner = mutation === 'peek: looks again one too soon' ? 1 : 0;
  const later = mutation === 'peek: looks again one too late' ? 1 : 0;
  if (waiting < most + sooner - later) {
    const tail =
      mutation === 'peek: plain load of tail' ? yield load(RingWord.Tail) : yield atomicLoad(RingWord.Tail);
    yield store(RingWord.TailSeen, tail);
    waiting = (tail - head) >>> 0;
  }
  if (mutation === 'peek: one too many') waiting++;
  if (mutation === 'peek: one too few' && waiting > 0) waiting--;
  return Math.min(waiting, most);
}

export function* release(count: number, mutation: Mutation): Steps {
  const head = yield load(RingWord.Head);
  const extra = mutation === 'head: one too many' ? 1 : mutation === 'head: one too few' ? -1 : 0;
  const next = (head + count + extra) >>> 0;
  yield mutation === 'head: plain store' ? store(RingWord.Head, next) : atomicStore(RingWord.Head, next);
}

/** The reader's drain: peek, read in place, release. Notes each record with its words, and what it released. */
export function* drain(recordWords: number, mask: number, mutation: Mutation): Steps<number> {
  const count = yield* peek(mask + 1, mutation);
  if (mutation === 'head: released before it is read' && count > 0) yield* release(count, mutation);
  const head = yield load(RingWord.Head);
  const first = mutation === 'head: released before it is read' ? head - count : head;
  for (let i = 0; i < count; i++) {
    const words: number[] = [];
    for (let k = 0; k < recordWords; k++) {
      words.push(yield load(RingWord.Records + ((first + i) & mask) * recordWords + k));
    }
    yield note('received', ...words);
  }
  if (count > 0 && mutation !== 'head: released before it is read') yield* release(count, mutation);
  if (count > 0) yield note('released', count);
  return count;
}

/** The reader's takeDropped, of one kind. */
export function* takeDropped(mutation: Mutation): Steps {
  const plain = mutation === 'take: plain load of the count';
  const count = yield plain ? load(RingWord.DropCount) : atomicLoad(RingWord.DropCount);
  const taken = yield load(RingWord.DropTaken);
  if (count === taken) return;
  const off = mutation === 'take: one too many' ? 1 : mutation === 'take: one too few' ? -1 : 0;
  const next = (count + off) >>> 0;
  const early = mutation === 'take: stored before the time is read';
  if (early) yield atomicStore(RingWord.DropTaken, next);
  const first = yield load(RingWord.DropFirst);
  if (mutation === 'take: plain store of what was taken') yield store(RingWord.DropTaken, next);
  else if (!early) yield atomicStore(RingWord.DropTaken, next);
  yield note('took', (next - taken) >>> 0, first);
}
