/**
 * One thread's ring of 32-byte records: one producer (the thread), one consumer (the reader). Positions are u32 that
 * only grow, so `tail - head` by wrapping subtraction is the number of records, and every place of the ring is used.
 * The producer claims free places a block at a time, the reader keeps a copy of Tail; each looks at the other's position
 * only when what it knows is used up. A full ring drops the new record and counts it under its kind.
 *
 *   push      fills the place at Tail with plain stores, then publishes it by one atomic store of Tail
 *   peek      tells how many records wait from Head on; the reader reads them where they are
 *   release   gives their places back by one atomic store of Head
 *
 * A producer that dies between two of these stores leaves Tail where it was: its half record is never seen.
 *
 * Why blocks: the reader's core has a copy of every line that it read, and the first store to such a line waits until
 * that copy is gone, which takes 20 to 200 ns between cores. The atomic store of Tail waits for all stores before it, so
 * line by line each of them would be waited for in full. A claim stores a word into each of its lines instead, so that
 * they come together, and it follows the store of Tail, so that they come while the program goes on.
 */
import { CoreLimit, CoreRefusal, DropWord, RecordWord, SlotWord } from './layout';
import { CLAIM_RECORDS, DROP_KINDS } from './limits';

/** Stores one record: 1, or CoreRefusal.Full. */
export function push(slot: usize, kind: u32, a: u32, b: u32, startMicros: f64, durationMicros: f64): i32 {
  const tail = load<u32>(slot, SlotWord.Tail);
  let claimed = load<u32>(slot, SlotWord.Claimed);
  if (tail == claimed) {
    claimed = claim(slot, tail);
    if (tail == claimed) return drop(slot, kind, startMicros);
  }
  const mask = load<u32>(slot, SlotWord.RingMask);
  const record = load<u32>(slot, SlotWord.RingAt) + (tail & mask) * CoreLimit.RecordBytes;
  store<u32>(record, kind, RecordWord.Kind);
  store<u32>(record, a, RecordWord.A);
  store<u32>(record, b, RecordWord.B);
  store<u32>(record, tail, RecordWord.Position);
  store<f64>(record, startMicros, RecordWord.StartMicros);
  store<f64>(record, durationMicros, RecordWord.DurationMicros);
  atomic.store<u32>(slot, tail + 1, SlotWord.Tail); // pairs with peek
  if (tail + 1 == claimed) claim(slot, claimed);
  return 1;
}

/**
 * Claims the free places from `from` on to the end of its block: the position behind them. Blocks are CLAIM_RECORDS, or
 * the ring where that is smaller, so none runs over the ring's end.
 */
function claim(slot: usize, from: u32): u32 {
  const head = atomic.load<u32>(slot, SlotWord.Head); // pairs with release
  const mask = load<u32>(slot, SlotWord.RingMask);
  const free = head + mask + 1 - from;
  const block = mask < CLAIM_RECORDS ? mask : CLAIM_RECORDS - 1;
  const rest = block + 1 - (from & block);
  const count = free < rest ? free : rest;
  let place = load<u32>(slot, SlotWord.RingAt) + (from & mask) * CoreLimit.RecordBytes;
  const end = place + count * CoreLimit.RecordBytes;
  for (; place < end; place += CoreLimit.LineBytes) store<u32>(place, 0, RecordWord.Kind);
  store<u32>(slot, from + count, SlotWord.Claimed);
  return from + count;
}

/** How many records wait, at most `most`. Looks at the producer's position only when its copy shows fewer. */
export function peek(slot: usize, most: u32): u32 {
  const seen = load<u32>(slot, SlotWord.TailSeen);
  const head = load<u32>(slot, SlotWord.Head);
  let waiting = seen - head;
  if (waiting < most) {
    const tail = atomic.load<u32>(slot, SlotWord.Tail); // pairs with push
    store<u32>(slot, tail, SlotWord.TailSeen);
    waiting = tail - head;
  }
  return waiting < most ? waiting : most;
}

/** Gives back the first `count` places; they must have been peeked. */
export function release(slot: usize, count: u32): void {
  atomic.store<u32>(slot, load<u32>(slot, SlotWord.Head) + count, SlotWord.Head); // pairs with claim
}

/** Counts a record that found no place. The count is stored last, so whoever reads it finds the time of the first. */
function drop(slot: usize, kind: u32, startMicros: f64): i32 {
  const which = kind < DROP_KINDS ? kind : 0;
  const entry = slot + which * 16;
  const count = load<u32>(entry, SlotWord.Dropped + DropWord.Count);
  const taken = atomic.load<u32>(slot + which * 4, SlotWord.DroppedTaken); // pairs with the reader's takeDropped
  if (count == taken) store<f64>(entry, startMicros, SlotWord.Dropped + DropWord.FirstMicros);
  atomic.store<u32>(entry, count + 1, SlotWord.Dropped + DropWord.Count);
  return CoreRefusal.Full;
}
