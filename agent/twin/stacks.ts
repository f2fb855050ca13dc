/** Twin of assembly/stacks.ts. */
import { TreeWord } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import type { TwinViews } from './views';

type StacksTwin = Pick<CoreExports, 'treeInit' | 'treeClear' | 'treeIntern'>;

export function stacksTwin({ u32 }: TwinViews): StacksTwin {
  function treeInit(base: number, capacity: number, hashAt: number): void {
    u32[(base + TreeWord.Capacity) >> 2] = capacity;
    u32[(base + TreeWord.HashAt) >> 2] = hashAt;
    u32[(base + TreeWord.EntriesAt) >> 2] = base + TreeWord.Bytes;
    treeClear(base);
  }

  function treeClear(base: number): void {
    u32[(base + TreeWord.Size) >> 2] = 0;
    u32[(base + TreeWord.HashMask) >> 2] = TreeWord.FirstHashMask;
    const table = u32[(base + TreeWord.HashAt) >> 2]! >> 2;
    u32.fill(0, table, table + TreeWord.FirstHashMask + 1);
  }

  function treeIntern(base: number, parent: number, functionId: number, line: number): number {
    const mask = u32[(base + TreeWord.HashMask) >> 2]!;
    const table = u32[(base + TreeWord.HashAt) >> 2]! >> 2;
    let place = hashOf(parent, functionId, line) & mask;
    for (let id = u32[table + place]!; id; id = u32[table + place]!) {
      const entry = entryOf(base, id);
      if (u32[entry] === parent >>> 0 && u32[entry + 1] === functionId >>> 0 && u32[entry + 2] === line >>> 0)
        return id;
      place = (place + 1) & mask;
    }
    const id = u32[(base + TreeWord.Size) >> 2]! + 1;
    if (id > u32[(base + TreeWord.Capacity) >> 2]!) return 0;
    const entry = entryOf(base, id);
    u32[entry] = parent;
    u32[entry + 1] = functionId;
    u32[entry + 2] = line;
    u32[(base + TreeWord.Size) >> 2] = id;
    u32[table + place] = id;
    if (id * 2 > mask) double(base);
    return id;
  }

  function double(base: number): void {
    const table = u32[(base + TreeWord.HashAt) >> 2]! >> 2;
    const mask = (u32[(base + TreeWord.HashMask) >> 2]! << 1) | 1;
    const size = u32[(base + TreeWord.Size) >> 2]!;
    u32.fill(0, table, table + mask + 1);
    for (let id = 1; id <= size; id++) {
      const entry = entryOf(base, id);
      let place = hashOf(u32[entry]!, u32[entry + 1]!, u32[entry + 2]!) & mask;
      while (u32[table + place]) place = (place + 1) & mask;
      u32[table + place] = id;
    }
    u32[(base + TreeWord.HashMask) >> 2] = mask;
  }

  function entryOf(base: number, id: number): number {
    return (u32[(base + TreeWord.EntriesAt) >> 2]! + id * TreeWord.EntryBytes) >> 2;
  }

  return { treeInit, treeClear, treeIntern };
}

function hashOf(parent: number, functionId: number, line: number): number {
  let hash = Math.imul(parent, 2654435761);
  hash = Math.imul(hash ^ (hash >>> 15) ^ functionId, 2246822519);
  hash = Math.imul(hash ^ (hash >>> 13) ^ line, 3266489917);
  return hash ^ (hash >>> 16);
}
