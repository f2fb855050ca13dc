/** Stacks of a table as nodes of a profile: each is looked up once, however often it is counted. */
import { fileOf, functionName } from './frame';
import type { Profile } from './profile';
import type { StackNames } from './stack-table';

export class StackNodes {
  readonly #profile: Profile;
  readonly #stacks: StackNames;
  readonly #files = new Map<string, string>();
  /** The profile's function for each of the table's that was asked for. */
  readonly #functions = new Map<number, number>();
  /** Node of each stack, 0 where not yet known. */
  #nodes: Uint32Array;

  constructor(profile: Profile, stacks: StackNames) {
    this.#profile = profile;
    this.#stacks = stacks;
    this.#nodes = new Uint32Array(stacks.lastStack + 1);
  }

  /** The profile's node of a stack; parents are named first, without recursion. Stack 0 is the root. */
  of(stack: number): number {
    if (stack >= this.#nodes.length) this.#grow();
    const nodes = this.#nodes;
    if (nodes[stack] !== 0 || stack === 0) return nodes[stack]!;
    const missing: number[] = [];
    let known = stack;
    for (; known !== 0 && nodes[known] === 0; known = this.#stacks.parentOf(known)) missing.push(known);
    let node = nodes[known]!;
    for (let index = missing.length - 1; index >= 0; index--) {
      const id = missing[index]!;
      node = this.#profile.node(node, this.#location(id));
      nodes[id] = node;
    }
    return node;
  }

  #grow(): void {
    const grown = new Uint32Array(Math.max(this.#stacks.lastStack + 1, this.#nodes.length * 2));
    grown.set(this.#nodes);
    this.#nodes = grown;
  }

  /** There are few files, and a URL takes longer to read than the rest of a location. */
  readonly #fileOf = (url: string): string => {
    let file = this.#files.get(url);
    if (file === undefined) {
      file = fileOf(url);
      this.#files.set(url, file);
    }
    return file;
  };

  #location(stack: number): number {
    const stacks = this.#stacks;
    const line = stacks.lineOf(stack) || stacks.functionOf(stack).line;
    const column = stacks.columnOf?.(stack) ?? 0;
    return this.#profile.location(this.#functionOf(stack), line, { column });
  }

  #functionOf(stack: number): number {
    const id = this.#stacks.functionIdOf?.(stack);
    const known = id === undefined ? undefined : this.#functions.get(id);
    if (known !== undefined) return known;
    const entry = this.#stacks.functionOf(stack);
    const name = functionName(entry, this.#fileOf);
    const file = this.#fileOf(entry.url);
    const named = namedFunction(this.#profile, name, entry.name || name, file, entry.line, entry.column);
    if (id !== undefined) this.#functions.set(id, named);
    return named;
  }
}

/** A node below the root that stands for a state, not for a function. */
export function rootNode(profile: Profile, name: string): number {
  return profile.node(0, profile.location(profile.function(name, name, '', 0), 0));
}

/** startLine, startColumn, line, column: 1-based, 0 unknown. */
export type NamedLocation = {
  name: string;
  systemName: string;
  file: string;
  startLine: number;
  startColumn?: number;
  line: number;
  column?: number;
};

export function namedLocation(
  profile: Profile,
  { name, systemName, file, startLine, startColumn, line, column = 0 }: NamedLocation,
): number {
  const functionId = namedFunction(profile, name, systemName, file, startLine, startColumn);
  return profile.location(functionId, line, { column });
}

function namedFunction(
  profile: Profile,
  name: string,
  systemName: string,
  file: string,
  startLine: number,
  startColumn?: number,
): number {
  return profile.function(name, undemangled(systemName), file, startLine, startColumn);
}

/**
 * pprof takes a system name that equals the name for one that it may demangle as C++, and would cut `get [Symbol.x]` or
 * `<anonymous>` short; where the two differ it leaves the name alone.
 */
function undemangled(name: string): string {
  return /[<>[\]()]|::|^_Z|^_R/.test(name) ? '' : name;
}
