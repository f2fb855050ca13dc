/**
 * What a major collection did not give back, in a sentence. Two ways lead there: V8 keeps pages of its heap that hold
 * little, or memory of the process is neither heap nor owned by objects of it.
 */
import type { MajorMemory } from './recent-gc';

const MEBIBYTE = 1024 * 1024;
const UNUSED_MIN_BYTES = 64 * MEBIBYTE;
const OUTSIDE_MIN_BYTES = 256 * MEBIBYTE;
/** Memory outside the heap is conspicuous from so many times what is in it. */
const OUTSIDE_TIMES = 2;

/** null: nothing conspicuous. */
export function memoryHint({ used, committed, external, rss }: MajorMemory): string | null {
  const unused = committed - used;
  const owned = committed + external;
  const outside = rss - owned;
  if (unused >= UNUSED_MIN_BYTES && unused >= used) {
    return `V8 keeps ${mebibytes(unused)} of heap that no object uses after a major collection: it was larger before, or is fragmented`;
  }
  if (outside >= OUTSIDE_MIN_BYTES && outside >= owned * OUTSIDE_TIMES) {
    return `${mebibytes(outside)} of resident memory are neither heap nor owned by objects after a major collection: native allocations, or an allocator that gives nothing back`;
  }
  return null;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}
