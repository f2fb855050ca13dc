/**
 * Live asynchronous resources as the agent thread sees them: the shared table of assembly/layout.ts (AsyncRegion), which
 * main writes, and the words by which main is told what is wanted. Reading takes nothing from main and works while it
 * hangs, in native code too.
 */
import {
  type AsyncCell,
  AsyncFrame,
  AsyncLimit,
  AsyncRegion,
  AsyncRow,
  AsyncStack,
  AsyncString,
  AsyncType,
  AsyncWord,
} from '../../assembly/layout';
import { functionName } from '../../collector/profile/frame';
import type { StackFunction, StackNames } from '../../collector/profile/stack-table';

/** One live resource that is followed. */
export type LiveResource = {
  id: number;
  /** As async_hooks has it, but for timeouts that repeat: Interval. */
  type: string;
  stack: number;
  /** The resources that it stands for. */
  weight: number;
  /** Of a timer, ms. */
  delayMillis: number;
  /** Its first callback has run: known only while waits are followed. */
  hasRun: boolean;
  createdMicros: number;
};

/** How long resources waited for their first callback, by the stack that made them. */
export type StackWaits = { stack: number; count: number; micros: number };

const NO_FUNCTION: StackFunction = { name: '', url: '', line: 0, column: 0 };

export class AsyncPageReader implements StackNames {
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #text: Uint16Array;
  readonly #strings: string[] = [''];

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#cells = new Float64Array(buffer);
    this.#text = new Uint16Array(buffer, AsyncRegion.Text, AsyncLimit.TextUnits);
  }

  word(word: AsyncWord): number {
    return Atomics.load(this.#words, word);
  }

  cell(cell: AsyncCell): number {
    return this.#cells[cell]!;
  }

  /** Main reads it in its next look. */
  setWord(word: AsyncWord, value: number): void {
    Atomics.store(this.#words, word, value);
  }

  *live(): IterableIterator<LiveResource> {
    const words = this.#words;
    const end = this.word(AsyncWord.RowsEnd);
    for (let row = 0; row < end; row++) {
      const at = AsyncRegion.Rows / 4 + row * AsyncRow.Words;
      const version = Atomics.load(words, at + AsyncRow.Version);
      if ((version & 1) === 0) continue;
      const kind = words[at + AsyncRow.Kind]!;
      const flags = kind >>> AsyncRow.FlagsBit;
      const stack = words[at + AsyncRow.Stack]!;
      const delayMillis = words[at + AsyncRow.DelayMillis]!;
      const id = this.#cells[at / 2 + AsyncRow.IdCell]!;
      const createdMicros = this.#cells[at / 2 + AsyncRow.CreatedMicrosCell]!;
      if (Atomics.load(words, at + AsyncRow.Version) !== version) continue;
      yield {
        id,
        type: this.#typeName(kind & ((1 << AsyncRow.FlagsBit) - 1)),
        stack,
        weight: 2 ** (flags & AsyncRow.ShiftMask),
        delayMillis,
        hasRun: (flags & AsyncRow.HasRun) !== 0,
        createdMicros,
      };
    }
  }

  /** How many the runtime told of each type, when main looked last. */
  active(): Map<string, number> {
    const counts = new Map<string, number>();
    const types = this.word(AsyncWord.TypeCount);
    for (let type = 0; type < types; type++) {
      const count = this.#words[AsyncRegion.Types / 4 + type * AsyncType.Words + AsyncType.Active]!;
      if (count > 0) counts.set(this.#typeName(type), count);
    }
    return counts;
  }

  *waits(): IterableIterator<StackWaits> {
    const stacks = this.lastStack;
    for (let stack = 0; stack <= stacks; stack++) {
      const at = AsyncRegion.Stacks / 4 + stack * AsyncStack.Words;
      const count = this.#words[at + AsyncStack.Waits]!;
      if (count !== 0)
        yield { stack, count: count >>> 0, micros: this.#cells[at / 2 + AsyncStack.WaitMicrosCell]! };
    }
  }

  get lastStack(): number {
    return Math.max(0, this.word(AsyncWord.StackCount) - 1);
  }

  string(id: number): string {
    const known = this.#strings[id];
    if (known !== undefined) return known;
    const at = AsyncRegion.Strings / 4 + id * AsyncString.Words;
    const start = this.#words[at + AsyncString.At]!;
    const units = this.#text.subarray(start, start + this.#words[at + AsyncString.Units]!);
    const text = String.fromCharCode(...units);
    this.#strings[id] = text;
    return text;
  }

  parentOf(stack: number): number {
    return this.#words[AsyncRegion.Stacks / 4 + stack * AsyncStack.Words + AsyncStack.Parent]!;
  }

  /** Where a function begins is not known: what has no name is told apart by where it calls. */
  functionOf(stack: number): StackFunction {
    const at = this.#frameOf(stack);
    if (at === 0) return NO_FUNCTION;
    const url = this.string(this.#words[at + AsyncFrame.Url]!);
    const line = this.#words[at + AsyncFrame.Line]!;
    const name = functionName({
      name: this.string(this.#words[at + AsyncFrame.Name]!),
      url,
      line,
      column: 0,
    });
    return { name, url, line: 0, column: 0 };
  }

  lineOf(stack: number): number {
    const at = this.#frameOf(stack);
    return at === 0 ? 0 : this.#words[at + AsyncFrame.Line]!;
  }

  columnOf(stack: number): number {
    const at = this.#frameOf(stack);
    return at === 0 ? 0 : this.#words[at + AsyncFrame.Column]!;
  }

  #frameOf(stack: number): number {
    const frame = this.#words[AsyncRegion.Stacks / 4 + stack * AsyncStack.Words + AsyncStack.Frame]!;
    return frame === 0 ? 0 : AsyncRegion.Frames / 4 + frame * AsyncFrame.Words;
  }

  #typeName(type: number): string {
    return this.string(this.#words[AsyncRegion.Types / 4 + type * AsyncType.Words + AsyncType.Name]!);
  }
}
