/**
 * The stacks of an epoch that is over, as far as somebody still needs them: stack ids end with their epoch, what was
 * recorded in it does not.
 */
import type { StackFunction } from '../../../collector/profile/stack-table';
import type { RecordedNames } from './recorded';

/** What an entry costs, about: a map's slot and a small object; a function with its strings. */
const STACK_BYTES = 96;
const FUNCTION_BYTES = 256;

const UNKNOWN: StackFunction = { name: '', url: '', line: 0, column: 0 };

type Kept = { parent: number; entry: StackFunction; line: number };

export class KeptStacks implements RecordedNames {
  readonly byteSize: number;
  readonly #stacks = new Map<number, Kept>();

  /** Copies the stacks of `ids` and everything above them. */
  constructor(names: RecordedNames, ids: Iterable<number>) {
    const functions = new Map<string, StackFunction>();
    for (const id of ids) {
      for (let stack = id; stack !== 0 && !this.#stacks.has(stack); stack = names.parentOf(stack)) {
        const entry = names.functionOf(stack);
        const key = `${entry.line}:${entry.column}:${entry.name}:${entry.url}`;
        const known = functions.get(key) ?? entry;
        functions.set(key, known);
        this.#stacks.set(stack, {
          parent: names.parentOf(stack),
          entry: known,
          line: names.lineOf(stack),
        });
      }
    }
    this.byteSize = this.#stacks.size * STACK_BYTES + functions.size * FUNCTION_BYTES;
  }

  parentOf(stack: number): number {
    return this.#stacks.get(stack)?.parent ?? 0;
  }

  functionOf(stack: number): StackFunction {
    return this.#stacks.get(stack)?.entry ?? UNKNOWN;
  }

  lineOf(stack: number): number {
    return this.#stacks.get(stack)?.line ?? 0;
  }
}
