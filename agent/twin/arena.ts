/** Twin of assembly/arena.ts and assembly/cells.ts. */
import { ChunkWord, CoreHeader, CoreLimit, CoreRegion, SlotWord } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import type { TwinViews } from './views';

const BITS = new BigInt64Array(1);
const BITS_AS_F64 = new Float64Array(BITS.buffer);

export function arenaTwin({
  u8,
  i32,
  u32,
  f64,
  i64,
}: TwinViews): Pick<CoreExports, 'allocate' | 'cellCreate' | 'cellAdd' | 'cellSet' | 'cellRead'> {
  function allocate(slot: number, bytes: number): number {
    const size = (bytes + 127) & ~127;
    if (size > CoreLimit.ChunkBytes - 128) return 0;
    let at = (u32[(slot + SlotWord.ArenaCursor) >> 2]! + 127) & ~127;
    while (at + size > u32[(slot + SlotWord.ArenaLimit) >> 2]!) {
      if (!enterNextChunk(slot)) return 0;
      at = (u32[(slot + SlotWord.ArenaCursor) >> 2]! + 127) & ~127;
    }
    u32[(slot + SlotWord.ArenaCursor) >> 2] = at + size;
    u8.fill(0, at, at + size);
    return at;
  }

  function enterNextChunk(slot: number): boolean {
    const current = u32[(slot + SlotWord.ArenaChunk) >> 2]!;
    let next = current ? u32[(current + ChunkWord.Next) >> 2]! : u32[(slot + SlotWord.ArenaFirstChunk) >> 2]!;
    if (!next) {
      next = claimChunk();
      if (!next) return false;
      u32[(current ? current + ChunkWord.Next : slot + SlotWord.ArenaFirstChunk) >> 2] = next;
    }
    u32[(slot + SlotWord.ArenaChunk) >> 2] = next;
    u32[(slot + SlotWord.ArenaCursor) >> 2] = next + ChunkWord.First;
    u32[(slot + SlotWord.ArenaLimit) >> 2] = next + CoreLimit.ChunkBytes;
    return true;
  }

  function claimChunk(): number {
    if (Atomics.load(u32, CoreHeader.ArenaNext >> 2) >= CoreRegion.End) return 0;
    const chunk = Atomics.add(i32, CoreHeader.ArenaNext >> 2, CoreLimit.ChunkBytes) >>> 0;
    return chunk < CoreRegion.End ? chunk : 0;
  }

  function cellCreate(slot: number): number {
    return allocate(slot, 8);
  }

  function cellAdd(cell: number, delta: number): void {
    cellSet(cell, f64[cell >> 3]! + delta);
  }

  /** The atomic store goes through the bits: JavaScript has no atomics on f64. */
  function cellSet(cell: number, value: number): void {
    BITS_AS_F64[0] = value;
    Atomics.store(i64, cell >> 3, BITS[0]!);
  }

  function cellRead(cell: number): number {
    BITS[0] = Atomics.load(i64, cell >> 3);
    return BITS_AS_F64[0]!;
  }

  return { allocate, cellCreate, cellAdd, cellSet, cellRead };
}
