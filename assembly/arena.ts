/**
 * Memory of host threads: an arena of 64 KiB chunks. A thread hands memory to itself from its own chunk by moving a
 * cursor; only when the chunk is used up does it claim another one with an atomic add. Chunks stay with the slot: the
 * next thread that gets the slot begins again in the slot's first chunk.
 */
import { ChunkWord, CoreHeader, SlotWord } from './layout';
import { ARENA_END, CHUNK_BYTES } from './limits';

/** `bytes` zeroed bytes, aligned to 128, or 0 when the arena is used up. `bytes` must fit in one chunk. */
export function allocate(slot: usize, bytes: u32): usize {
  const size = (bytes + 127) & ~127;
  if (size > CHUNK_BYTES - 128) return 0;
  let at = (load<u32>(slot, SlotWord.ArenaCursor) + 127) & ~127;
  while (at + size > load<u32>(slot, SlotWord.ArenaLimit)) {
    if (!enterNextChunk(slot)) return 0;
    at = (load<u32>(slot, SlotWord.ArenaCursor) + 127) & ~127;
  }
  store<u32>(slot, at + size, SlotWord.ArenaCursor);
  memory.fill(at, 0, size);
  return at;
}

/** Puts the cursor into the slot's next chunk: one it already has, or a new one. False when there is none. */
function enterNextChunk(slot: usize): bool {
  const current = load<u32>(slot, SlotWord.ArenaChunk);
  let next = current ? load<u32>(current, ChunkWord.Next) : load<u32>(slot, SlotWord.ArenaFirstChunk);
  if (!next) {
    next = claimChunk();
    if (!next) return false;
    if (current) store<u32>(current, next, ChunkWord.Next);
    else store<u32>(slot, next, SlotWord.ArenaFirstChunk);
  }
  store<u32>(slot, next, SlotWord.ArenaChunk);
  store<u32>(slot, next + ChunkWord.First, SlotWord.ArenaCursor);
  store<u32>(slot, next + CHUNK_BYTES, SlotWord.ArenaLimit);
  return true;
}

/** A chunk that nobody had before, or 0. The look before the add keeps the word from running far past the end. */
function claimChunk(): u32 {
  if (atomic.load<u32>(0, CoreHeader.ArenaNext) >= ARENA_END) return 0;
  const chunk = atomic.add<u32>(0, CHUNK_BYTES, CoreHeader.ArenaNext);
  return chunk < ARENA_END ? chunk : 0;
}
