/**
 * Dictionary entries as bytes (DictionaryTuple of schema.ts). Strings are UTF-8, each ended by a zero byte, which none
 * of them contains. Functions and stacks are columns of unsigned varints, one column after the other:
 *
 *   functions   name      zig-zag of (string id − (highest string id so far + 1)): a new string is 0
 *               url       0, the url of the function before; else 1 + the same as for a name
 *               line      zig-zag of (line − line of the function before)
 *               column    as it is
 *   stacks      parent    stack id − parent − 1: a path that goes on is 0
 *               callee    1 + the function's place among those last called from the parent's function (recent-callees.ts);
 *                         0, it is not among them: see `function`
 *               line      0, unknown; else 1 + zig-zag of (line − the function's own line)
 *               function  of each callee 0: zig-zag of (function id − (highest function id so far + 1))
 *
 * The highest ids so far begin below the first ones of the message, the function before with zeros. Each of the two
 * byte strings is deflated (raw) where that pays.
 */
import { RecentCallees } from './recent-callees';
import type { DictionaryTuple } from './schema';
import { VarintWriter } from './varint';

/** Ids are indices; index 0 is the empty string, the unknown function, the empty stack. */
export interface DictionaryEntries {
  string(id: number): string;
  nameIdOf(functionId: number): number;
  urlIdOf(functionId: number): number;
  startLineOf(functionId: number): number;
  startColumnOf(functionId: number): number;
  parentOf(stack: number): number;
  functionIdOf(stack: number): number;
  lineOf(stack: number): number;
}

/** How many of each there are, without index 0. */
export type DictionarySize = { strings: number; functions: number; stacks: number };

/** Bytes below this are not worth deflating. */
const PACK_BYTES_MIN = 1024;
/** Above this, a reconnect must be quick rather than small. */
const PACK_WELL_BYTES_MAX = 256 * 1024;

/** Entries behind `from` up to `to`. */
export function encodeDictionary(
  entries: DictionaryEntries,
  from: DictionarySize,
  to: DictionarySize,
): DictionaryTuple {
  let text = '';
  for (let id = from.strings + 1; id <= to.strings; id++) text += `${entries.string(id)}\0`;
  const functions = functionColumns(entries, from, to);
  const stacks = stackColumns(entries, from, to);
  return [
    from.strings + 1,
    to.strings - from.strings,
    from.functions + 1,
    to.functions - from.functions,
    from.stacks + 1,
    to.stacks - from.stacks,
    ...packed(Buffer.from(text)),
    ...packed(concatenated([...functions, ...stacks])),
  ];
}

function functionColumns(
  entries: DictionaryEntries,
  from: DictionarySize,
  to: DictionarySize,
): VarintWriter[] {
  const [names, urls, lines, columns] = [writer(), writer(), writer(), writer()];
  let highest = from.strings;
  let url = 0;
  let line = 0;
  const stringCode = (id: number) => {
    const code = zigZag(id - highest - 1);
    highest = Math.max(highest, id);
    return code;
  };
  for (let id = from.functions + 1; id <= to.functions; id++) {
    names.write(stringCode(entries.nameIdOf(id)));
    const nextUrl = entries.urlIdOf(id);
    urls.write(nextUrl === url ? 0 : 1 + stringCode(nextUrl));
    url = nextUrl;
    lines.write(zigZag(entries.startLineOf(id) - line));
    line = entries.startLineOf(id);
    columns.write(entries.startColumnOf(id));
  }
  return [names, urls, lines, columns];
}

function stackColumns(entries: DictionaryEntries, from: DictionarySize, to: DictionarySize): VarintWriter[] {
  const [parents, callees, lines, functions] = [writer(), writer(), writer(), writer()];
  const recent = new RecentCallees();
  let highest = from.functions;
  for (let id = from.stacks + 1; id <= to.stacks; id++) {
    const parent = entries.parentOf(id);
    const functionId = entries.functionIdOf(id);
    const line = entries.lineOf(id);
    parents.write(id - parent - 1);
    const place = recent.placeOf(entries.functionIdOf(parent), functionId);
    callees.write(place + 1);
    lines.write(line === 0 ? 0 : 1 + zigZag(line - entries.startLineOf(functionId)));
    if (place >= 0) continue;
    functions.write(zigZag(functionId - highest - 1));
    highest = Math.max(highest, functionId);
  }
  return [parents, callees, lines, functions];
}

function writer(): VarintWriter {
  return new VarintWriter(256);
}

/** Small for small magnitudes of either sign; any whole number below 2^52. */
export function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unZigZag(code: number): number {
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}

function concatenated(columns: readonly VarintWriter[]): Uint8Array {
  return Buffer.concat(columns.map((column) => column.finish()));
}

/** The bytes, and how many they were before deflating; 0 where they are as they are. */
function packed(bytes: Uint8Array): [bytes: Uint8Array, unpackedBytes: number] {
  if (bytes.length < PACK_BYTES_MIN) return [bytes, 0];
  // Loaded late: a program that hardly grows its dictionary never needs it.
  const { deflateRawSync } = require('node:zlib') as typeof import('node:zlib');
  const small = deflateRawSync(bytes, { level: bytes.length > PACK_WELL_BYTES_MAX ? 1 : 6 });
  return small.length < bytes.length ? [small, bytes.length] : [bytes, 0];
}
