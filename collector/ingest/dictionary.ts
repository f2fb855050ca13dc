/**
 * Reads the dictionary part of a message into the growth of a stack table. What overlaps with the table (a batch that
 * is sent again brings entries that came with the full dictionary) must be the same and is skipped; a gap, an id out of
 * range or a difference is refused, and then nothing was added.
 */
import { WIRE_LIMITS } from '../../agent/wire/limits';
import type { StackFunction, StackTable, StackTableGrowth } from '../profile/stack-table';
import { Fields } from './fields';
import { readVarints } from './varint';
import { WireError } from './wire-error';

/** Bytes that one epoch's dictionary may take here. */
export const DICTIONARY_BYTES = 32 * 1024 * 1024;

/** Throws a WireError. */
export function decodeDictionary(tuple: unknown, table: StackTable): StackTableGrowth {
  const fields = new Fields(tuple, 'dictionary', 6);
  const firstString = fields.integer('first string', WIRE_LIMITS.epochStrings, 1);
  const strings = fields.texts('strings', WIRE_LIMITS.epochStrings);
  const firstFunction = fields.integer('first function', WIRE_LIMITS.epochFunctions, 1);
  const functionWords = readVarints(fields.bytes('functions'), WIRE_LIMITS.epochFunctions * 4);
  const firstStack = fields.integer('first stack', WIRE_LIMITS.epochStacks, 1);
  const stackWords = readVarints(fields.bytes('stacks'), WIRE_LIMITS.epochStacks * 3);
  if (table.byteSize > DICTIONARY_BYTES) {
    throw new WireError('ERR_WIRE_LIMIT', `dictionary takes ${table.byteSize} bytes: start a new epoch`);
  }
  const newStrings = growStrings(strings, firstString, table);
  const lastString = table.lastString + newStrings.length;
  const stringOf = (id: number) =>
    id <= table.lastString ? table.string(id) : newStrings[id - table.lastString - 1]!;
  const functions = growFunctions(functionWords, firstFunction, table, lastString, stringOf);
  const stacks = growStacks(stackWords, firstStack, table, table.lastFunction + functions.length);
  return { strings: newStrings, functions, stacks };
}

function growStrings(texts: readonly string[], first: number, table: StackTable): string[] {
  checkRange('strings', first, texts.length, table.lastString, WIRE_LIMITS.epochStrings);
  const known = table.lastString - first + 1;
  for (let index = 0; index < known && index < texts.length; index++) {
    if (texts[index] !== table.string(first + index)) throw differs('string', first + index);
  }
  return texts.slice(known);
}

function growFunctions(
  words: readonly number[],
  first: number,
  table: StackTable,
  lastString: number,
  stringOf: (id: number) => string,
): StackFunction[] {
  const count = tupleCount('functions', words, 4);
  checkRange('functions', first, count, table.lastFunction, WIRE_LIMITS.epochFunctions);
  const added: StackFunction[] = [];
  for (let index = 0; index < count; index++) {
    const name = checkId('function name', words[index * 4]!, lastString);
    const url = checkId('function url', words[index * 4 + 1]!, lastString);
    const [line, column] = [words[index * 4 + 2]!, words[index * 4 + 3]!];
    const id = first + index;
    const entry = { name: stringOf(name), url: stringOf(url), line, column };
    if (id > table.lastFunction) added.push(entry);
    else if (!sameFunction(entry, table.function(id))) throw differs('function', id);
  }
  return added;
}

function growStacks(
  words: readonly number[],
  first: number,
  table: StackTable,
  lastFunction: number,
): number[] {
  const count = tupleCount('stacks', words, 3);
  checkRange('stacks', first, count, table.lastStack, WIRE_LIMITS.epochStacks);
  const added: number[] = [];
  for (let index = 0; index < count; index++) {
    const id = first + index;
    const parent = id - words[index * 3]!;
    const functionId = checkId('stack function', words[index * 3 + 1]!, lastFunction);
    const line = words[index * 3 + 2]!;
    if (parent < 0 || parent >= id) throw unknown('parent of stack', id);
    if (line > 0xffffffff) throw new WireError('ERR_WIRE_LIMIT', `line ${line} of stack ${id} is no line`);
    if (id > table.lastStack) added.push(parent, functionId, line);
    else if (!sameStack(table, id, parent, functionId, line)) throw differs('stack', id);
  }
  return added;
}

function checkRange(what: string, first: number, count: number, last: number, limit: number): void {
  if (first > last + 1) {
    throw new WireError(
      'ERR_WIRE_DICTIONARY',
      `${what} begin at ${first} but only ${last} are known: send the dictionary`,
    );
  }
  if (first + count - 1 > limit) {
    throw new WireError('ERR_WIRE_LIMIT', `${what} up to ${first + count - 1}, an epoch may have ${limit}`);
  }
}

function tupleCount(what: string, words: readonly number[], size: number): number {
  if (words.length % size === 0) return words.length / size;
  throw new WireError(
    'ERR_WIRE_MESSAGE',
    `dictionary: ${what} must have ${size} numbers each, got ${words.length} in all`,
  );
}

/** The id itself when the table has it. */
export function checkId(what: string, id: number, last: number): number {
  if (id <= last) return id;
  throw unknown(what, id);
}

function sameFunction(one: StackFunction, other: StackFunction): boolean {
  return (
    one.name === other.name && one.url === other.url && one.line === other.line && one.column === other.column
  );
}

function sameStack(table: StackTable, id: number, parent: number, functionId: number, line: number): boolean {
  return table.parentOf(id) === parent && table.functionIdOf(id) === functionId && table.lineOf(id) === line;
}

function unknown(what: string, id: number): WireError {
  return new WireError('ERR_WIRE_DICTIONARY', `${what} ${id} is not in the dictionary`);
}

function differs(what: string, id: number): WireError {
  return new WireError('ERR_WIRE_DICTIONARY', `${what} ${id} is another one than before in this epoch`);
}
