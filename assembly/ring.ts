/**
 * One thread's ring of 32-byte records: one producer (the thread), one consumer (the reader). Positions are u32 that
 * only grow, so `tail - head` by wrapping subtraction is the number of records, and every place of the ring is used.
 * Each side keeps a copy of the other's position and looks at the real one only when the copy says full (or empty).
 * A full ring drops the new record and counts it under its kind.
 *
 *   push      claims the place at Tail with plain stores, then publishes it by one atomic store of Tail
 *   peek      tells how many records wait from Head on; the reader reads them where they are
 *   release   gives their places back by one atomic store of Head
 *
 * A producer that dies between two of these stores leaves Tail where it was: its half record is never seen.
 */
import { CoreLimit, CoreRefusal, DropWord, RecordWord, SlotWord } from './layout';
import { DROP_KINDS } from './limits';

/** Stores one record: 1, or CoreRefusal.Full. */
export function push(slot: usize, kind: u32, a: u32, b: u32, startMicros: f64, durationMicros: f64): i32 {
  const mask = load<u32>(slot, SlotWord.RingMask);
  const tail = load<u32>(slot, SlotWord.Tail);
  if (tail - load<u32>(slot, SlotWord.HeadSeen) > mask) {
    const head = atomic.load<u32>(slot, SlotWord.Head); // pairs with release
    store<u32>(slot, head, SlotWord.HeadSeen);
    if (tail - head > mask) return drop(slot, kind, startMicros);
  }
  const record = load<u32>(slot, SlotWord.RingAt) + (tail & mask) * CoreLimit.RecordBytes;
  store<u32>(record, kind, RecordWord.Kind);
  store<u32>(record, a, RecordWord.A);
  store<u32>(record, b, RecordWord.B);
  store<u32>(record, tail, RecordWord.Position);
  store<f64>(record, startMicros, RecordWord.StartMicros);
  store<f64>(record, durationMicros, RecordWord.DurationMicros);
  atomic.store<u32>(slot, tail + 1, SlotWord.Tail); // pairs with peek
  return 1;
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
  atomic.store<u32>(slot, load<u32>(slot, SlotWord.Head) + count, SlotWord.Head); // pairs with push
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
