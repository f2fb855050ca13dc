/**
 * The strings, functions and stacks that one agent named during one epoch. It only grows; whoever holds a stack id
 * holds the table it belongs to. Ids start at 1: string 0 is '', function 0 is unknown, stack 0 is the empty stack.
 * Stacks are root first: a stack's parent is nearer to the root, its own entry is the leaf.
 */

/** line, column: 1-based, 0 unknown. */
export type StackFunction = { name: string; url: string; line: number; column: number };

/** What is added to a table in one go: ids continue where the table ends. Already range-checked. */
export type StackTableGrowth = {
  strings: readonly string[];
  functions: readonly StackFunction[];
  /** Three numbers a stack: parent stack id, function id, line. */
  stacks: readonly number[];
};

/** What names stacks: this table, or an agent's own dictionary. */
export interface StackNames {
  readonly lastStack: number;
  string(id: number): string;
  parentOf(stack: number): number;
  functionOf(stack: number): StackFunction;
  /** Where functions have ids of their own: those of equal ids are equal. */
  functionIdOf?(stack: number): number;
  /** The line within the function's file that the stack's leaf stood at; 0 unknown. */
  lineOf(stack: number): number;
  /** And the column, where it is known at all; 0 unknown. */
  columnOf?(stack: number): number;
}

const STACK_WORDS = 3;
/** What a function object costs, about. */
const FUNCTION_BYTES = 64;

export class StackTable implements StackNames {
  #strings: string[] = [''];
  #functions: StackFunction[] = [{ name: '', url: '', line: 0, column: 0 }];
  #stacks = new Uint32Array(STACK_WORDS * 64);
  #stackCount = 1;
  #stringBytes = 0;

  /** Highest ids in use. */
  get lastString(): number {
    return this.#strings.length - 1;
  }
  get lastFunction(): number {
    return this.#functions.length - 1;
  }
  get lastStack(): number {
    return this.#stackCount - 1;
  }

  get byteSize(): number {
    return this.#stringBytes + this.#functions.length * FUNCTION_BYTES + this.#stacks.byteLength;
  }

  grow(growth: StackTableGrowth): void {
    for (const string of growth.strings) {
      this.#strings.push(string);
      this.#stringBytes += 16 + string.length * 2;
    }
    for (const entry of growth.functions) this.#functions.push(entry);
    this.#reserve(growth.stacks.length);
    this.#stacks.set(growth.stacks, this.#stackCount * STACK_WORDS);
    this.#stackCount += growth.stacks.length / STACK_WORDS;
  }

  string(id: number): string {
    return this.#strings[id] ?? '';
  }

  function(id: number): StackFunction {
    return this.#functions[id] ?? this.#functions[0]!;
  }

  parentOf(stack: number): number {
    return this.#stacks[stack * STACK_WORDS]!;
  }

  functionIdOf(stack: number): number {
    return this.#stacks[stack * STACK_WORDS + 1]!;
  }

  functionOf(stack: number): StackFunction {
    return this.function(this.functionIdOf(stack));
  }

  lineOf(stack: number): number {
    return this.#stacks[stack * STACK_WORDS + 2]!;
  }

  /** The ids from the root to `stack` itself. */
  pathOf(stack: number): number[] {
    const path: number[] = [];
    for (let id = stack; id !== 0; id = this.parentOf(id)) path.push(id);
    return path.reverse();
  }

  #reserve(words: number): void {
    const needed = this.#stackCount * STACK_WORDS + words;
    if (needed <= this.#stacks.length) return;
    const grown = new Uint32Array(Math.max(needed, this.#stacks.length * 2));
    grown.set(this.#stacks);
    this.#stacks = grown;
  }
}
