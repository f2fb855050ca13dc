/** Twin of assembly/ring.ts. */
import { CoreLimit, CoreRefusal, DropWord, RecordWord, SlotWord } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import type { TwinViews } from './views';

export function ringTwin({ u32, i32, f64 }: TwinViews): Pick<CoreExports, 'push' | 'peek' | 'release'> {
  function push(
    slot: number,
    kind: number,
    a: number,
    b: number,
    startMicros: number,
    durationMicros: number,
  ): number {
    const tail = u32[(slot + SlotWord.Tail) >> 2]!;
    let claimed = u32[(slot + SlotWord.Claimed) >> 2]!;
    if (tail === claimed) {
      claimed = claim(slot, tail);
      if (tail === claimed) return drop(slot, kind >>> 0, startMicros);
    }
    const mask = u32[(slot + SlotWord.RingMask) >> 2]!;
    const record = u32[(slot + SlotWord.RingAt) >> 2]! + ((tail & mask) >>> 0) * CoreLimit.RecordBytes;
    u32[(record + RecordWord.Kind) >> 2] = kind;
    u32[(record + RecordWord.A) >> 2] = a;
    u32[(record + RecordWord.B) >> 2] = b;
    u32[(record + RecordWord.Position) >> 2] = tail;
    f64[(record + RecordWord.StartMicros) >> 3] = startMicros;
    f64[(record + RecordWord.DurationMicros) >> 3] = durationMicros;
    Atomics.store(i32, (slot + SlotWord.Tail) >> 2, (tail + 1) | 0);
    if ((tail + 1) >>> 0 === claimed) claim(slot, claimed);
    return 1;
  }

  function claim(slot: number, from: number): number {
    const head = Atomics.load(u32, (slot + SlotWord.Head) >> 2);
    const mask = u32[(slot + SlotWord.RingMask) >> 2]!;
    const free = (head + mask + 1 - from) >>> 0;
    const block = Math.min(mask, CoreLimit.ClaimRecords - 1);
    const count = Math.min(free, block + 1 - (from & block));
    let place = u32[(slot + SlotWord.RingAt) >> 2]! + ((from & mask) >>> 0) * CoreLimit.RecordBytes;
    const end = place + count * CoreLimit.RecordBytes;
    for (; place < end; place += CoreLimit.LineBytes) u32[(place + RecordWord.Kind) >> 2] = 0;
    const claimed = (from + count) >>> 0;
    u32[(slot + SlotWord.Claimed) >> 2] = claimed;
    return claimed;
  }

  function peek(slot: number, most: number): number {
    const seen = u32[(slot + SlotWord.TailSeen) >> 2]!;
    const head = u32[(slot + SlotWord.Head) >> 2]!;
    let waiting = (seen - head) >>> 0;
    if (waiting < most >>> 0) {
      const tail = Atomics.load(u32, (slot + SlotWord.Tail) >> 2);
      u32[(slot + SlotWord.TailSeen) >> 2] = tail;
      waiting = (tail - head) >>> 0;
    }
    return Math.min(waiting, most >>> 0);
  }

  function release(slot: number, count: number): void {
    Atomics.store(i32, (slot + SlotWord.Head) >> 2, (u32[(slot + SlotWord.Head) >> 2]! + count) | 0);
  }

  function drop(slot: number, kind: number, startMicros: number): number {
    const which = kind < CoreLimit.DropKinds ? kind : 0;
    const entry = slot + SlotWord.Dropped + which * 16;
    const count = u32[(entry + DropWord.Count) >> 2]!;
    const taken = Atomics.load(u32, (slot + SlotWord.DroppedTaken + which * 4) >> 2);
    if (count === taken) f64[(entry + DropWord.FirstMicros) >> 3] = startMicros;
    Atomics.store(i32, (entry + DropWord.Count) >> 2, (count + 1) | 0);
    return CoreRefusal.Full;
  }

  return { push, peek, release };
}
