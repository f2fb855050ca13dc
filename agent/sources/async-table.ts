/** The rows of live asynchronous resources in shared memory: written by main alone, read by the agent thread at any time. */
import { AsyncLimit, AsyncRegion, AsyncRow, AsyncStack, AsyncWord } from '../../assembly/layout';

export type AsyncResourceRow = {
  id: number;
  type: number;
  /** One in 2^shift is followed. */
  shift: number;
  stack: number;
  /** Of a timer, ms; 0 for others. */
  delayMillis: number;
  createdMicros: number;
};

export class AsyncTable {
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #rows = new Map<number, number>();
  /** Of the chain of free rows: the first plus one; 0 when there is none. */
  #free = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#cells = new Float64Array(buffer);
  }

  get full(): boolean {
    return this.#rows.size >= AsyncLimit.Rows;
  }

  add({ id, type, shift, stack, delayMillis, createdMicros }: AsyncResourceRow): void {
    if (this.full || this.#rows.has(id)) return;
    const words = this.#words;
    const row = this.#claim();
    const at = wordOf(row);
    words[at + AsyncRow.Stack] = stack;
    words[at + AsyncRow.Kind] = type | (shift << AsyncRow.FlagsBit);
    words[at + AsyncRow.DelayMillis] = delayMillis;
    this.#cells[at / 2 + AsyncRow.IdCell] = id;
    this.#cells[at / 2 + AsyncRow.CreatedMicrosCell] = createdMicros;
    Atomics.store(words, at + AsyncRow.Version, words[at + AsyncRow.Version]! + 1);
    this.#rows.set(id, row);
    words[AsyncWord.RowsUsed] = this.#rows.size;
  }

  remove(id: number): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#release(row);
    this.#words[AsyncWord.RowsUsed] = this.#rows.size;
  }

  /** The first callback of a resource made since `sinceMicros`: how long it waited is added to its stack. */
  hasRun(id: number, sinceMicros: number, nowMicros: () => number): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    const words = this.#words;
    const at = wordOf(row);
    const hasRun = AsyncRow.HasRun << AsyncRow.FlagsBit;
    const kind = words[at + AsyncRow.Kind]!;
    const createdMicros = this.#cells[at / 2 + AsyncRow.CreatedMicrosCell]!;
    if ((kind & hasRun) !== 0 || createdMicros < sinceMicros) return;
    words[at + AsyncRow.Kind] = kind | hasRun;
    const weight = 2 ** ((kind >> AsyncRow.FlagsBit) & AsyncRow.ShiftMask);
    const stackAt = AsyncRegion.Stacks / 4 + words[at + AsyncRow.Stack]! * AsyncStack.Words;
    this.#cells[stackAt / 2 + AsyncStack.WaitMicrosCell]! += (nowMicros() - createdMicros) * weight;
    words[stackAt + AsyncStack.Waits]! += weight;
  }

  clear(): void {
    for (const row of this.#rows.values()) this.#release(row);
    this.#rows.clear();
    this.#words[AsyncWord.RowsUsed] = 0;
  }

  #claim(): number {
    const words = this.#words;
    if (this.#free === 0) {
      const row = words[AsyncWord.RowsEnd]!;
      Atomics.store(words, AsyncWord.RowsEnd, row + 1);
      return row;
    }
    const row = this.#free - 1;
    this.#free = words[wordOf(row) + AsyncRow.Stack]!;
    return row;
  }

  #release(row: number): void {
    const words = this.#words;
    const at = wordOf(row);
    Atomics.store(words, at + AsyncRow.Version, words[at + AsyncRow.Version]! + 1);
    words[at + AsyncRow.Stack] = this.#free;
    this.#free = row + 1;
  }
}

function wordOf(row: number): number {
  return AsyncRegion.Rows / 4 + row * AsyncRow.Words;
}
