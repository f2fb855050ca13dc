/**
 * Reads the dictionary part of a message into the growth of a stack table. What overlaps with the table (a batch that
 * is sent again brings entries that came with the full dictionary) must be the same and is skipped; a gap, an id out of
 * range or a difference is refused, and then nothing was added.
 */
import { unZigZag } from '../../agent/wire/dictionary';
import { WIRE_LIMITS } from '../../agent/wire/limits';
import { RecentCallees } from '../../agent/wire/recent-callees';
import type { StackFunction, StackTable, StackTableGrowth } from '../profile/stack-table';
import { Fields } from './fields';
import { readTexts, takeUnpacked } from './unpack';
import { readVarints } from './varint';
import { WireError } from './wire-error';

/** Bytes that one epoch's dictionary may take here. */
export const DICTIONARY_BYTES = 32 * 1024 * 1024;
/** Lines and columns are u32. */
const PLACE_MAX = 0xffffffff;

/** Where the entries of one message lie in a table: ids first .. first + count − 1. */
type Range = { first: number; count: number };

/** Throws a WireError. */
export function decodeDictionary(tuple: unknown, table: StackTable): StackTableGrowth {
  const fields = new Fields(tuple, 'dictionary', 10);
  const strings = takeRange(fields, 'strings', table.lastString, WIRE_LIMITS.epochStrings);
  const functions = takeRange(fields, 'functions', table.lastFunction, WIRE_LIMITS.epochFunctions);
  const stacks = takeRange(fields, 'stacks', table.lastStack, WIRE_LIMITS.epochStacks);
  if (table.byteSize > DICTIONARY_BYTES) {
    throw new WireError('ERR_WIRE_LIMIT', `dictionary takes ${table.byteSize} bytes: start a new epoch`);
  }
  const partBytes = WIRE_LIMITS.dictionaryPartBytes;
  const texts = readTexts(takeUnpacked(fields, 'strings', partBytes), strings.count);
  const most = (functions.count + stacks.count) * 4;
  const words = readVarints(takeUnpacked(fields, 'columns', partBytes), most);
  const leastWords = functions.count * 4 + stacks.count * 3;
  if (words.length < leastWords) throw wrongLength(words.length, leastWords);

  const newStrings = growStrings(texts, strings, table);
  const names = { table, added: newStrings, last: table.lastString + newStrings.length };
  const newFunctions = growFunctions(words, functions, strings.first, names);
  const newStacks = growStacks(words, functions, stacks, table, newFunctions);
  return { strings: newStrings, functions: newFunctions, stacks: newStacks };
}

function takeRange(fields: Fields, what: string, last: number, limit: number): Range {
  const first = fields.integer(`first of ${what}`, limit, 1);
  const count = fields.integer(`number of ${what}`, limit);
  if (first > last + 1) {
    throw new WireError(
      'ERR_WIRE_DICTIONARY',
      `${what} begin at ${first} but only ${last} are known: send the dictionary`,
    );
  }
  if (first + count - 1 > limit) {
    throw new WireError('ERR_WIRE_LIMIT', `${what} up to ${first + count - 1}, an epoch may have ${limit}`);
  }
  return { first, count };
}

function growStrings(texts: readonly string[], { first }: Range, table: StackTable): string[] {
  const known = table.lastString - first + 1;
  for (let index = 0; index < known && index < texts.length; index++) {
    if (texts[index] !== table.string(first + index)) throw differs('string', first + index);
  }
  return texts.slice(known);
}

type Names = { table: StackTable; added: readonly string[]; last: number };

function stringOf({ table, added }: Names, id: number): string {
  return id <= table.lastString ? table.string(id) : added[id - table.lastString - 1]!;
}

/** The columns of agent/wire/dictionary.ts: names, urls, lines, columns. */
function growFunctions(
  words: readonly number[],
  { first, count }: Range,
  firstString: number,
  names: Names,
): StackFunction[] {
  const { table } = names;
  const added: StackFunction[] = [];
  let highest = firstString - 1;
  let url = 0;
  let line = 0;
  const stringId = (what: string, code: number) => {
    const id = checkId(what, highest + 1 + unZigZag(code), names.last);
    highest = Math.max(highest, id);
    return id;
  };
  for (let index = 0; index < count; index++) {
    const name = stringId('function name', words[index]!);
    const urlCode = words[count + index]!;
    if (urlCode > 0) url = stringId('function url', urlCode - 1);
    line = checkPlace('line', line + unZigZag(words[count * 2 + index]!));
    const column = checkPlace('column', words[count * 3 + index]!);
    const id = first + index;
    const entry = { name: stringOf(names, name), url: stringOf(names, url), line, column };
    if (id > table.lastFunction) added.push(entry);
    else if (!sameFunction(entry, table.function(id))) throw differs('function', id);
  }
  return added;
}

/** The columns behind those: parents, callees, lines, and functions of the callees that were not called lately. */
function growStacks(
  words: readonly number[],
  functions: Range,
  { first, count }: Range,
  table: StackTable,
  newFunctions: readonly StackFunction[],
): number[] {
  const added: number[] = [];
  const functionIds: number[] = [];
  const recent = new RecentCallees();
  const lastFunction = table.lastFunction + newFunctions.length;
  const startLineOf = (id: number) =>
    (id <= table.lastFunction ? table.function(id) : newFunctions[id - table.lastFunction - 1]!).line;
  const at = functions.count * 4;
  let highest = functions.first - 1;
  let next = at + count * 3;
  for (let index = 0; index < count; index++) {
    const id = first + index;
    const parent = id - 1 - words[at + index]!;
    if (parent < 0) throw unknown('parent of stack', id);
    const caller = parent < first ? table.functionIdOf(parent) : functionIds[parent - first]!;
    const callee = words[at + count + index]!;
    let functionId = recent.at(caller, callee - 1);
    if (callee === 0) {
      if (next >= words.length) throw wrongLength(words.length, next + 1);
      functionId = checkId('stack function', highest + 1 + unZigZag(words[next++]!), lastFunction);
      highest = Math.max(highest, functionId);
      recent.placeOf(caller, functionId);
    }
    if (functionId === undefined) throw unknown('callee of stack', id);
    functionIds.push(functionId);
    const lineCode = words[at + count * 2 + index]!;
    const line = lineCode === 0 ? 0 : checkPlace('line', startLineOf(functionId) + unZigZag(lineCode - 1));
    if (id > table.lastStack) added.push(parent, functionId, line);
    else if (!sameStack(table, id, parent, functionId, line)) throw differs('stack', id);
  }
  if (next !== words.length) throw wrongLength(words.length, next);
  return added;
}

/** The id itself when the table has it. */
export function checkId(what: string, id: number, last: number): number {
  if (id >= 0 && id <= last) return id;
  throw unknown(what, id);
}

function checkPlace(what: string, value: number): number {
  if (value >= 0 && value <= PLACE_MAX) return value;
  throw new WireError('ERR_WIRE_LIMIT', `${what} ${value} of a dictionary entry is no ${what}`);
}

function wrongLength(got: number, wanted: number): WireError {
  return new WireError('ERR_WIRE_MESSAGE', `dictionary: columns of ${wanted} numbers, got ${got}`);
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
