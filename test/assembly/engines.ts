/** Both engines over memories of their own, to be driven in step: the functions of assembly/index.ts, wasm and twin, and a recorder on each. */
import { type CoreMemory, createCoreMemory } from '../../agent/core';
import type { CoreExports } from '../../agent/core-exports';
import { openRecorder, type Recorder } from '../../agent/core-recorder';
import { createTwin } from '../../agent/twin/twin';
import { CoreHeader, CoreLimit, CoreRegion, SlotWord, TablesHeader } from '../../assembly/layout';

export type Engine = {
  name: 'wasm' | 'twin';
  core: CoreExports;
  recorder: Recorder;
  buffer: SharedArrayBuffer;
};

/** A fresh memory and its functions. */
export function openEngine(name: 'wasm' | 'twin'): Engine {
  const memory = createCoreMemory({ forceTwin: name === 'twin' });
  if (memory.kind !== name) throw new Error(`no ${name}: ${memory.reason}`);
  const { buffer } = memory;
  const core = functionsOf(memory);
  const views = { words: new Int32Array(buffer), cells: new Float64Array(buffer) };
  return { name, core, recorder: openRecorder(core, views), buffer };
}

function functionsOf({ module, memory, buffer }: CoreMemory): CoreExports {
  if (!module || !memory) return createTwin(buffer);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as CoreExports;
}

/** Where a slot's block is. */
export function slotAt(slot: number): number {
  return CoreRegion.Slots + slot * CoreLimit.SlotBytes;
}

/** Puts a memory back to its first day and gives slot 0 a ring of `records` whose positions start at `position`. */
export function resetEngine({ buffer }: Engine, records = 8, position = 0): void {
  const words = new Uint32Array(buffer);
  words.fill(0, CoreRegion.Slots >> 2, CoreRegion.Rings >> 2);
  words.fill(0, CoreRegion.Rings >> 2, (CoreRegion.Rings >> 2) + records * 8);
  words.fill(0, CoreRegion.Arena >> 2, words[CoreHeader.ArenaNext >> 2]! >> 2);
  words[CoreHeader.ArenaNext >> 2] = CoreRegion.Arena;
  const slot = slotAt(0) >> 2;
  words[slot + (SlotWord.RingAt >> 2)] = CoreRegion.Rings;
  words[slot + (SlotWord.RingMask >> 2)] = records - 1;
  for (const word of [SlotWord.Tail, SlotWord.Head, SlotWord.Claimed, SlotWord.TailSeen]) {
    words[slot + (word >> 2)] = position;
  }
}

/** Gives the arena to the functions that work on a CoreTables' heap instead; where it begins. */
export function resetHeap({ buffer }: Engine): number {
  const words = new Uint32Array(buffer);
  words.fill(0, CoreRegion.Rings >> 2, CoreRegion.End >> 2);
  words[TablesHeader.FreePage >> 2] = 0;
  words[TablesHeader.FreeMerged >> 2] = 0;
  words[TablesHeader.HeapCursor >> 2] = CoreRegion.Arena;
  words[TablesHeader.HeapEnd >> 2] = CoreRegion.End;
  return CoreRegion.Rings;
}

/** The bytes of a memory that anything may have written to. */
export function bytesOf(
  { buffer }: Engine,
  end: number = CoreRegion.Arena + 4 * CoreLimit.ChunkBytes,
): Buffer {
  return Buffer.from(buffer, 0, end);
}
