/**
 * The tables: call trees, sample columns and histograms over one private memory. The memory is
 * reserved whole (pages are touched as they are used); regions are handed out from its start and never given back,
 * except the histograms' pages, which return to the heap when a histogram is cleared or collected.
 */
import { CoreRegion, TablesHeader, TreeWord } from '../assembly/layout';
import type { CallTree, CoreTables, MergedHistogram, SampleArrays, SampleColumns } from './core';
import { Columns } from './core-columns';
import { CoreError } from './core-error';
import type { CoreEngine, CoreExports } from './core-exports';
import { Merged } from './core-merged';

/** Address space of one CoreTables. */
export const CORE_TABLES_BYTES = 256 * 1024 * 1024;

const LARGEST_TREE = 4_194_304;

export function openTables(engine: CoreEngine): CoreTables {
  return new Tables(engine);
}

class Tables implements CoreTables {
  readonly kind: 'wasm' | 'twin';
  readonly #engine: CoreEngine;
  readonly #u32: Uint32Array;
  readonly #scratchAt: number;
  #columns: Columns | null = null;

  constructor(engine: CoreEngine) {
    this.kind = engine.kind;
    this.#engine = engine;
    this.#u32 = new Uint32Array(engine.buffer);
    this.#u32[TablesHeader.HeapCursor >> 2] = CoreRegion.TablesHeap;
    this.#u32[TablesHeader.HeapEnd >> 2] = engine.buffer.byteLength;
    this.#scratchAt = this.#reserve(Merged.scratchBytes);
  }

  callTree(capacity: number): CallTree {
    checkCapacity('call tree', capacity, LARGEST_TREE);
    const entries = TreeWord.Bytes + (capacity + 1) * TreeWord.EntryBytes;
    const places = Math.max(TreeWord.FirstHashMask + 1, 2 ** Math.ceil(Math.log2(capacity * 2 + 1)));
    const base = this.#reserve(entries);
    return new Tree(this.#engine, base, capacity, this.#reserve(places * 4));
  }

  encodeColumns(startMicros: number, samples: SampleArrays): Uint8Array {
    return this.#columnsOf().encode(startMicros, samples);
  }

  decodeColumns(bytes: Uint8Array, count: number, startMicros: number): SampleColumns {
    return this.#columnsOf().decode(bytes, count, startMicros);
  }

  histogram(): MergedHistogram {
    return new Merged(this.#engine, this.#scratchAt);
  }

  #columnsOf(): Columns {
    this.#columns ??= new Columns(this.#engine, this.#reserve(Columns.bytes));
    return this.#columns;
  }

  /** `bytes` of the heap, aligned to 64. */
  #reserve(bytes: number): number {
    const at = this.#u32[TablesHeader.HeapCursor >> 2]!;
    const next = (at + bytes + 63) & ~63;
    const end = this.#u32[TablesHeader.HeapEnd >> 2]!;
    if (next > end) {
      throw new CoreError(
        'ERR_TABLES_FULL',
        `tables have ${end - at} bytes left, ${bytes} were asked for: make tables of their own`,
      );
    }
    this.#u32[TablesHeader.HeapCursor >> 2] = next;
    return at;
  }
}

class Tree implements CallTree {
  readonly #core: CoreExports;
  readonly #base: number;
  #size = 0;
  #added = false;

  constructor({ core }: CoreEngine, base: number, capacity: number, hashAt: number) {
    this.#core = core;
    this.#base = base;
    core.treeInit(base, capacity, hashAt);
  }

  get size(): number {
    return this.#size;
  }

  get added(): boolean {
    return this.#added;
  }

  intern(parent: number, functionId: number, line: number): number {
    const id = this.#core.treeIntern(this.#base, parent, functionId, line);
    this.#added = id > this.#size;
    if (this.#added) this.#size = id;
    return id;
  }

  clear(): void {
    this.#core.treeClear(this.#base);
    this.#size = 0;
    this.#added = false;
  }
}

function checkCapacity(what: string, got: number, most: number): void {
  if (Number.isInteger(got) && got >= 1 && got <= most) return;
  throw new CoreError(
    'ERR_CORE_ARGUMENT',
    `capacity of a ${what} must be a whole number from 1 to ${most}, got ${got}`,
  );
}
