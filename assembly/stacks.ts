/**
 * Call-tree interning: (parent, function, line) → id, ids from 1 in order of first use, 0 for the empty stack. An id
 * names a whole path from the root. Entries lie in order of id; beside them an open-addressing hash table of ids that
 * starts with 256 places and doubles with the entries (at most half of it is used), so that a small tree touches
 * little memory. The owner gives the memory: TreeWord.Bytes, then (capacity + 1) entries, then the largest hash table.
 */
import { TreeWord } from './layout';

/** Sets up an empty tree in `base`; `hashAt` has room for the power of two of places that is not below 2 × capacity (256 at least). */
export function treeInit(base: usize, capacity: u32, hashAt: usize): void {
  store<u32>(base, capacity, TreeWord.Capacity);
  store<u32>(base, <u32>hashAt, TreeWord.HashAt);
  store<u32>(base, <u32>base + TreeWord.Bytes, TreeWord.EntriesAt);
  treeClear(base);
}

/** Forgets all entries. */
export function treeClear(base: usize): void {
  store<u32>(base, 0, TreeWord.Size);
  store<u32>(base, TreeWord.FirstHashMask, TreeWord.HashMask);
  memory.fill(load<u32>(base, TreeWord.HashAt), 0, (TreeWord.FirstHashMask + 1) * 4);
}

/** The id, or 0 when the tree is full. An id above the size before the call is new. */
export function treeIntern(base: usize, parent: u32, functionId: u32, line: u32): u32 {
  const entries = load<u32>(base, TreeWord.EntriesAt);
  const mask = load<u32>(base, TreeWord.HashMask);
  const table = load<u32>(base, TreeWord.HashAt);
  let place = hashOf(parent, functionId, line) & mask;
  while (true) {
    const id = load<u32>(table + (place << 2));
    if (!id) break;
    const entry = entries + id * TreeWord.EntryBytes;
    if (load<u32>(entry) == parent && load<u32>(entry, 4) == functionId && load<u32>(entry, 8) == line)
      return id;
    place = (place + 1) & mask;
  }
  const id = load<u32>(base, TreeWord.Size) + 1;
  if (id > load<u32>(base, TreeWord.Capacity)) return 0;
  const entry = entries + id * TreeWord.EntryBytes;
  store<u32>(entry, parent);
  store<u32>(entry, functionId, 4);
  store<u32>(entry, line, 8);
  store<u32>(base, id, TreeWord.Size);
  store<u32>(table + (place << 2), id);
  if (id * 2 > mask) double(base);
  return id;
}

/** Doubles the hash table in place and puts all ids in again. */
function double(base: usize): void {
  const entries = load<u32>(base, TreeWord.EntriesAt);
  const table = load<u32>(base, TreeWord.HashAt);
  const mask = (load<u32>(base, TreeWord.HashMask) << 1) | 1;
  const size = load<u32>(base, TreeWord.Size);
  memory.fill(table, 0, (mask + 1) << 2);
  for (let id: u32 = 1; id <= size; id++) {
    const entry = entries + id * TreeWord.EntryBytes;
    let place = hashOf(load<u32>(entry), load<u32>(entry, 4), load<u32>(entry, 8)) & mask;
    while (load<u32>(table + (place << 2))) place = (place + 1) & mask;
    store<u32>(table + (place << 2), id);
  }
  store<u32>(base, mask, TreeWord.HashMask);
}

/** Multiplies and folds; the multipliers are those of xxHash's 32-bit rounds. */
function hashOf(parent: u32, functionId: u32, line: u32): u32 {
  let hash = parent * 2654435761;
  hash = (hash ^ (hash >> 15) ^ functionId) * 2246822519;
  hash = (hash ^ (hash >> 13) ^ line) * 3266489917;
  return hash ^ (hash >> 16);
}
