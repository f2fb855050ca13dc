/**
 * The strings, functions and stacks of one epoch: interned here, sent once. Ids only grow while the epoch lasts; three
 * quarters full asks for a new epoch. Stacks live in the core's call tree; parents are kept here too, for the join.
 */
import type { StackFunction, StackNames } from '../../collector/profile/stack-table';
import type { CallTree, CoreTables } from '../core';
import { type DictionaryEntries, type DictionarySize, encodeDictionary } from '../wire/dictionary';
import { WIRE_LIMITS } from '../wire/limits';
import type { DictionaryTuple } from '../wire/schema';
import { NamedScripts } from './source-maps/named-scripts';

/** What the DICTIONARY message of an epoch may take, estimated, so that it stays one message. */
const EPOCH_BYTES_MAX = WIRE_LIMITS.messageBytes * 0.8;
const FUNCTION_BYTES = 10;
const STACK_BYTES = 7;
/** Id of the function that stands for a stack that no longer fitted. */
const FULL_NAME = '(dictionary full)';

const NO_FUNCTION = [0, 0, 0, 0];
const FUNCTION_FIELDS = NO_FUNCTION.length;
const EMPTY: DictionarySize = { strings: 0, functions: 0, stacks: 0 };

export class Dictionary implements StackNames, DictionaryEntries {
  /** Of all epochs. */
  readonly scripts = new NamedScripts();
  #strings = new Map<string, number>();
  #stringList: string[] = [];
  #functions = new Map<string, number>();
  /** Name, url, line, column of each; those of function 0 are zeros. */
  #functionFields: number[] = [...NO_FUNCTION];
  /** By function id: whether it has a file, and that is none of Node's own. */
  #ofProgram: boolean[] = [false];
  #tree: CallTree;
  #parents: number[] = [0];
  #stackFunctions: number[] = [0];
  #stackLines: number[] = [0];
  #stringBytes = 0;
  #sent = EMPTY;
  /** Counts epochs: ids of one mean nothing in another. */
  generation = 0;
  /** Things that found no room in this epoch since the last take. */
  overflowCount = 0;

  constructor(tables: CoreTables) {
    this.#tree = tables.callTree(WIRE_LIMITS.epochStacks);
  }

  idOf(value: string): number {
    if (value === '') return 0;
    const known = this.#strings.get(value);
    if (known !== undefined) return known;
    if (this.#stringList.length >= WIRE_LIMITS.epochStrings || this.#bytes > EPOCH_BYTES_MAX) {
      this.overflowCount++;
      return 0;
    }
    const text = value.replaceAll('\0', '?');
    const id = this.#stringList.push(text.length > 1024 ? `${text.slice(0, 1023)}…` : text);
    this.#strings.set(value, id);
    this.#stringBytes += 3 + Buffer.byteLength(this.#stringList[id - 1]!);
    return id;
  }

  /** line, column: 1-based, 0 unknown. */
  function(name: string, url: string, line: number, column: number): number {
    const key = `${line}:${column}:${name}:${url}`;
    const known = this.#functions.get(key);
    if (known !== undefined) return known;
    if (this.#functions.size >= WIRE_LIMITS.epochFunctions - 1) {
      this.overflowCount++;
      return this.#functions.get(`0:0:${FULL_NAME}:`) ?? this.#addFunction(FULL_NAME, '', 0, 0);
    }
    return this.#addFunction(name, url, line, column);
  }

  #addFunction(name: string, url: string, line: number, column: number): number {
    this.#functionFields.push(this.idOf(name), this.idOf(url), line, column);
    this.#ofProgram.push(url !== '' && !url.startsWith('node:'));
    const id = this.#functions.size + 1;
    this.#functions.set(`${line}:${column}:${name}:${url}`, id);
    this.scripts.add(url);
    return id;
  }

  /** The stack that is `parent` with one more frame; `parent` itself when the tree is full (counted). */
  stack(parent: number, functionId: number, line: number): number {
    const id = this.#bytes > EPOCH_BYTES_MAX ? 0 : this.#tree.intern(parent, functionId, line);
    if (id === 0) {
      this.overflowCount++;
      return parent;
    }
    if (id === this.#parents.length) {
      this.#parents.push(parent);
      this.#stackFunctions.push(functionId);
      this.#stackLines.push(line);
    }
    return id;
  }

  parentOf(stack: number): number {
    return this.#parents[stack] ?? 0;
  }

  get lastStack(): number {
    return this.#parents.length - 1;
  }

  string(id: number): string {
    return this.#stringList[id - 1] ?? '';
  }

  functionOf(stack: number): StackFunction {
    const id = this.functionIdOf(stack);
    return {
      name: this.string(this.nameIdOf(id)),
      url: this.string(this.urlIdOf(id)),
      line: this.startLineOf(id),
      column: this.startColumnOf(id),
    };
  }

  functionIdOf(stack: number): number {
    return this.#stackFunctions[stack] ?? 0;
  }

  nameIdOf(functionId: number): number {
    return this.#functionFields[functionId * FUNCTION_FIELDS] ?? 0;
  }

  urlIdOf(functionId: number): number {
    return this.#functionFields[functionId * FUNCTION_FIELDS + 1] ?? 0;
  }

  startLineOf(functionId: number): number {
    return this.#functionFields[functionId * FUNCTION_FIELDS + 2] ?? 0;
  }

  startColumnOf(functionId: number): number {
    return this.#functionFields[functionId * FUNCTION_FIELDS + 3] ?? 0;
  }

  lineOf(stack: number): number {
    return this.#stackLines[stack] ?? 0;
  }

  /** Stands for the outermost function of the program in a stack, and how it was come to; 0 for a stack without one. */
  entryOf(stack: number): number {
    let entry = 0;
    for (let id = stack; id !== 0; id = this.parentOf(id)) {
      const functionId = this.#stackFunctions[id]!;
      if (this.#ofProgram[functionId] === true)
        entry = this.parentOf(id) * WIRE_LIMITS.epochFunctions + functionId;
    }
    return entry;
  }

  get #bytes(): number {
    return this.#stringBytes + this.#functions.size * FUNCTION_BYTES + this.#tree.size * STACK_BYTES;
  }

  /** True when three quarters of any table are used: time for a new epoch. */
  get nearlyFull(): boolean {
    return (
      this.#bytes > EPOCH_BYTES_MAX * 0.75 ||
      this.#tree.size > WIRE_LIMITS.epochStacks * 0.75 ||
      this.#functions.size > WIRE_LIMITS.epochFunctions * 0.75 ||
      this.#stringList.length > WIRE_LIMITS.epochStrings * 0.75
    );
  }

  /** What came since the last take; null when nothing did. */
  takeNew(): DictionaryTuple | null {
    const from = this.#sent;
    const to = this.#size;
    if (from.strings === to.strings && from.functions === to.functions && from.stacks === to.stacks)
      return null;
    this.#sent = to;
    return encodeDictionary(this, from, to);
  }

  /** Everything that takeNew has given so far, for a new connection. */
  taken(): DictionaryTuple {
    return encodeDictionary(this, EMPTY, this.#sent);
  }

  /** Forgets all: a new epoch. */
  clear(): void {
    this.generation++;
    this.#strings.clear();
    this.#stringList = [];
    this.#stringBytes = 0;
    this.#functions.clear();
    this.#functionFields = [...NO_FUNCTION];
    this.#ofProgram = [false];
    this.#tree.clear();
    this.#parents = [0];
    this.#stackFunctions = [0];
    this.#stackLines = [0];
    this.#sent = EMPTY;
  }

  get #size(): DictionarySize {
    return { strings: this.#stringList.length, functions: this.#functions.size, stacks: this.lastStack };
  }
}
