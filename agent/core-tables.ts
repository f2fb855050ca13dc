/**
 * The tables: call trees, column encoders, a column decoder and histograms over one private memory. The memory is
 * reserved whole (pages are touched as they are used); regions are handed out from its start and never given back,
 * except the histograms' pages, which return to the heap when a histogram is cleared or collected.
 */
import { CoreLimit, CoreRefusal, CoreRegion, EncoderWord, TablesHeader, TreeWord } from '../assembly/layout';
import type { CallTree, CoreTables, MergedHistogram, SampleColumns, SampleEncoder } from './core';
import { CoreError } from './core-error';
import type { CoreEngine, CoreExports } from './core-exports';
import { Merged } from './core-merged';

/** Address space of one CoreTables. */
export const CORE_TABLES_BYTES = 256 * 1024 * 1024;

const LARGEST_TREE = 4_194_304;
const ENCODED_CHUNK_BYTES = 65_536;
/** Longest window: times are kept as 31-bit microseconds. */
const LONGEST_PERIOD_MICROS = 2_147_483_647;

export function openTables(engine: CoreEngine): CoreTables {
  return new Tables(engine);
}

class Tables implements CoreTables {
  readonly kind: 'wasm' | 'twin';
  readonly #engine: CoreEngine;
  readonly #u32: Uint32Array;
  readonly #scratchAt: number;
  #decoder: Decoder | null = null;

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
    return new Tree(
      this.#engine,
      base,
      capacity,
      this.#reserve(places * 4),
      this.#reserve(ENCODED_CHUNK_BYTES),
    );
  }

  encoder(capacity: number): SampleEncoder {
    checkCapacity('sample encoder', capacity, CoreLimit.ColumnSamples);
    const bytes = capacity * CoreLimit.ColumnSampleBytes;
    const base = this.#reserve(EncoderWord.Columns + bytes);
    const out = this.#reserve(bytes + CoreLimit.ColumnLengthBytes);
    this.#u32[(base + EncoderWord.Capacity) >> 2] = capacity;
    return new Encoder(this.#engine, base, out);
  }

  decodeColumns(bytes: Uint8Array, count: number, startMicros: number, periodMicros: number): SampleColumns {
    this.#decoder ??= new Decoder(this.#engine, this.#reserve(Decoder.bytes));
    return this.#decoder.decode(bytes, count, startMicros, periodMicros);
  }

  histogram(): MergedHistogram {
    return new Merged(this.#engine, this.#scratchAt);
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
  readonly #out: number;
  readonly #bytes: Uint8Array;
  readonly #u32: Uint32Array;
  #size = 0;
  #added = false;

  constructor({ core, buffer }: CoreEngine, base: number, capacity: number, hashAt: number, out: number) {
    this.#core = core;
    this.#base = base;
    this.#out = out;
    this.#bytes = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
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

  encodeFrom(first: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    for (
      let next = Math.max(1, first);
      next <= this.#size;
      next = this.#u32[(this.#base + TreeWord.NextToEncode) >> 2]!
    ) {
      const length = this.#core.treeEncode(this.#base, next, this.#out, ENCODED_CHUNK_BYTES);
      chunks.push(this.#bytes.slice(this.#out, this.#out + length));
    }
    return chunks.length === 1 ? chunks[0]! : new Uint8Array(Buffer.concat(chunks));
  }

  clear(): void {
    this.#core.treeClear(this.#base);
    this.#size = 0;
    this.#added = false;
  }
}

class Encoder implements SampleEncoder {
  readonly #core: CoreExports;
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #out: number;
  #count = 0;

  constructor({ core, buffer }: CoreEngine, base: number, out: number) {
    this.#core = core;
    this.#bytes = new Uint8Array(buffer);
    this.#base = base;
    this.#out = out;
    this.reset(0, 0);
  }

  get count(): number {
    return this.#count;
  }

  reset(startMicros: number, periodMicros: number): void {
    this.#count = 0;
    this.#core.encoderReset(this.#base, startMicros, Math.round(periodMicros));
  }

  add(atMicros: number, stackId: number, state: number, label: number): void {
    this.#count = this.#core.encoderAdd(this.#base, atMicros, stackId, state, label);
  }

  finish(): Uint8Array {
    const length = this.#core.encoderFinish(this.#base, this.#out);
    return this.#bytes.slice(this.#out, this.#out + length);
  }
}

/** Scratch for one set of columns: the bytes, then the arrays. */
class Decoder {
  static readonly #inBytes =
    CoreLimit.ColumnSamples * CoreLimit.ColumnSampleBytes + CoreLimit.ColumnLengthBytes;
  static readonly #recentBytes = CoreLimit.ColumnRecentStacks * 4;
  static readonly bytes = Decoder.#recentBytes + CoreLimit.ColumnSamples * 17 + Decoder.#inBytes;

  readonly #core: CoreExports;
  readonly #buffer: SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  readonly #recent: number;
  readonly #times: number;
  readonly #stacks: number;
  readonly #labels: number;
  readonly #states: number;
  readonly #in: number;

  constructor({ core, buffer }: CoreEngine, base: number) {
    this.#core = core;
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#recent = base;
    this.#times = base + Decoder.#recentBytes;
    this.#stacks = this.#times + CoreLimit.ColumnSamples * 8;
    this.#labels = this.#stacks + CoreLimit.ColumnSamples * 4;
    this.#states = this.#labels + CoreLimit.ColumnSamples * 4;
    this.#in = this.#states + CoreLimit.ColumnSamples;
  }

  decode(bytes: Uint8Array, count: number, startMicros: number, periodMicros: number): SampleColumns {
    const period = Math.round(periodMicros);
    if (!Number.isInteger(count) || count < 0 || count > CoreLimit.ColumnSamples) {
      throw new CoreError(
        'ERR_COLUMNS',
        `sample count must be a whole number up to ${CoreLimit.ColumnSamples}, got ${count}`,
      );
    }
    if (!Number.isFinite(startMicros) || !(period >= 0 && period <= LONGEST_PERIOD_MICROS)) {
      throw new CoreError(
        'ERR_COLUMNS',
        `columns need a finite start and period, got ${startMicros} and ${periodMicros} µs`,
      );
    }
    if (bytes.length > count * CoreLimit.ColumnSampleBytes + CoreLimit.ColumnLengthBytes) {
      throw new CoreError('ERR_COLUMNS', `${bytes.length} bytes are too many for ${count} samples`);
    }
    this.#bytes.set(bytes, this.#in);
    const result = this.#core.columnsDecode(
      this.#in,
      bytes.length,
      count,
      startMicros,
      period,
      this.#times,
      this.#stacks,
      this.#labels,
      this.#states,
      this.#recent,
    );
    if (result === CoreRefusal.Malformed) {
      throw new CoreError('ERR_COLUMNS', `${bytes.length} bytes are not ${count} samples`);
    }
    return {
      count,
      atMicros: new Float64Array(this.#buffer, this.#times, count).slice(),
      stack: new Uint32Array(this.#buffer, this.#stacks, count).slice(),
      state: this.#bytes.slice(this.#states, this.#states + count),
      label: new Uint32Array(this.#buffer, this.#labels, count).slice(),
    };
  }
}

function checkCapacity(what: string, got: number, most: number): void {
  if (Number.isInteger(got) && got >= 1 && got <= most) return;
  throw new CoreError(
    'ERR_CORE_ARGUMENT',
    `capacity of a ${what} must be a whole number from 1 to ${most}, got ${got}`,
  );
}
