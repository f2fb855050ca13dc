/** The dictionary from the agent's tables to the collector's: what was interned is what is read, whatever happened between. */
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dictionary } from '../../agent/aggregator/dictionary';
import { createTables } from '../../agent/core';
import { encodeMessage } from '../../agent/wire/encode';
import { WIRE_LIMITS } from '../../agent/wire/limits';
import type { DictionaryTuple } from '../../agent/wire/schema';
import { BatchDecoder } from '../../collector/ingest/decode-batch';
import { decodeDictionary } from '../../collector/ingest/dictionary';
import { Epoch } from '../../collector/ingest/epoch';
import { decodeMessage } from '../../collector/ingest/msgpack';
import type { WireError } from '../../collector/ingest/wire-error';
import { StackTable } from '../../collector/profile/stack-table';
import { cpuMillis } from '../cpu-millis';
import { dictionaryOf, type PlainDictionary } from './dictionary-fixture';
import { varints } from './synthetic-agent';

const tables = createTables();
const decoder = new BatchDecoder(tables);

/** As it arrives: over the wire's bytes. */
function received(tuple: DictionaryTuple): unknown {
  return (decodeMessage(encodeMessage([4, 1, tuple, []])) as unknown[])[2];
}

function grow(table: StackTable, tuple: DictionaryTuple): void {
  table.grow(decodeDictionary(received(tuple), table));
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    return (error as WireError).code;
  }
}

type Frame = { name: string; url: string; line: number; column: number; at: number };
const place = fc.oneof(fc.nat(3), fc.nat(400), fc.nat(2 ** 32 - 1));
const frame: fc.Arbitrary<Frame> = fc.record({
  name: fc.oneof(fc.constantFrom('', 'parse', 'main'), fc.string({ unit: 'binary', maxLength: 20 })),
  url: fc.constantFrom('', '/a.js', 'file:///srv/b.js'),
  line: place,
  column: place,
  at: place,
});
const path = fc.array(frame, { minLength: 1, maxLength: 12 });

/** What the collector makes of a text: lone surrogates do not survive UTF-8, control characters are replaced. */
const shown = (text: string) =>
  Buffer.from(text)
    .toString()
    .replace(/[\p{Cc}\u2028\u2029]/gu, '?');

describe('a dictionary', () => {
  const dictionary = new Dictionary(tables);

  it('names every path after any number of messages, reconnects and repeats', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(path, fc.constantFrom('stay', 'send', 'again', 'reconnect')), { maxLength: 40 }),
        (steps) => {
          dictionary.clear();
          const known = new Map<number, Frame[]>();
          const sent: DictionaryTuple[] = [];
          let table = new StackTable();
          const send = () => {
            const tuple = dictionary.takeNew();
            if (tuple === null) return;
            sent.push(tuple);
            grow(table, tuple);
          };
          for (const [frames, then] of steps) {
            let stack = 0;
            for (const { name, url, line, column, at } of frames) {
              stack = dictionary.stack(stack, dictionary.function(name, url, line, column), at);
            }
            known.set(stack, frames);
            if (then === 'stay') continue;
            send();
            if (then === 'reconnect') {
              table = new StackTable();
              grow(table, dictionary.taken());
            }
            // What was sent before comes once more, in order, as after a reconnect.
            if (then !== 'send') for (const tuple of sent) grow(table, tuple);
          }
          send();
          for (const [stack, frames] of known) {
            const ids = table.pathOf(stack);
            expect(ids.map((id) => ({ ...table.functionOf(id), at: table.lineOf(id) }))).toEqual(
              frames.map((one) => ({ ...one, name: shown(one.name), url: shown(one.url) })),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stays the same to its receiver when it overflows, and begins anew with the next epoch', () => {
    dictionary.clear();
    const epoch = new Epoch();
    const messages: DictionaryTuple[] = [];
    let stack = 0;
    for (let i = 0; dictionary.overflowCount === 0; i++) {
      stack = dictionary.stack(i % 7 === 0 ? 0 : stack, dictionary.function(`f${i % 100}`, '/a.js', i, 1), i);
      if (i % 1000 === 0) messages.push(dictionary.takeNew()!);
    }
    messages.push(dictionary.takeNew()!);
    for (const tuple of messages) decoder.dictionary([4, 1, received(tuple), []], epoch);
    expect(epoch.stacks.lastFunction).toBe(WIRE_LIMITS.epochFunctions);
    expect(epoch.stacks.functionOf(epoch.stacks.lastStack).name).toBe('(dictionary full)');
    const again = new StackTable();
    grow(again, dictionary.taken());
    for (const id of [1, 777, epoch.stacks.lastStack]) {
      expect(again.pathOf(id).map((one) => again.functionOf(one))).toEqual(
        epoch.stacks.pathOf(id).map((one) => epoch.stacks.functionOf(one)),
      );
    }
    dictionary.clear();
    dictionary.stack(0, dictionary.function('fresh', '', 1, 1), 1);
    const next = new StackTable();
    grow(next, dictionary.takeNew()!);
    expect(next.functionOf(1).name).toBe('fresh');
  });

  it('is deflated where that pays, and not where it does not', () => {
    const long = dictionaryOf({ strings: Array.from({ length: 200 }, (_, i) => `getTypeOfExpression${i}`) });
    expect(long[7]).toBeGreaterThan(long[6].length * 3);
    expect(dictionaryOf({ strings: ['short'] }).slice(6, 8)).toEqual([Buffer.from('short\0'), 0]);
    const table = new StackTable();
    grow(table, long);
    expect(table.string(200)).toBe('getTypeOfExpression199');
  });

  it('takes a full one of every size without a long stop', () => {
    const functions = Array.from({ length: 60_000 }, (_, i): [number, number, number, number] => [
      0,
      0,
      i,
      1,
    ]);
    const stacks = Array.from({ length: 250_000 }, (_, i): [number, number, number] => [
      i >> 1,
      1 + ((i * 7919) % 60_000),
      0,
    ]);
    const tuple = dictionaryOf({ functions, stacks });
    const table = new StackTable();
    const before = cpuMillis();
    grow(table, tuple);
    const spent = cpuMillis() - before;
    console.log(
      `60,000 functions and 250,000 stacks: ${tuple[8].length} bytes, read in ${spent.toFixed(0)} ms`,
    );
    expect(spent).toBeLessThan(1000);
    expect(table.lastStack).toBe(250_000);
  });
});

describe('a hostile dictionary', () => {
  const plain: Required<PlainDictionary> = {
    strings: ['a', 'b'],
    functions: [[1, 2, 3, 4]],
    stacks: [
      [0, 1, 9],
      [1, 1, 9],
    ],
  };
  const table = new StackTable();
  grow(table, dictionaryOf(plain));
  /** first and number of strings, of functions, of stacks; strings; columns */
  const tuple = (counts: number[], text: string | Uint8Array, columns: Uint8Array, unpacked = [0, 0]) => {
    const strings = typeof text === 'string' ? Buffer.from(text) : text;
    return [...counts, strings, unpacked[0], columns, unpacked[1]];
  };
  const none = varints([]);
  const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
  const cases: [name: string, code: string, tuple: unknown][] = [
    ['a gap', 'ERR_WIRE_DICTIONARY', tuple([9, 0, 1, 0, 1, 0], '', none)],
    ['another string than before', 'ERR_WIRE_DICTIONARY', tuple([1, 1, 2, 0, 3, 0], 'x\0', none)],
    ['a string too few', 'ERR_WIRE_MESSAGE', tuple([3, 2, 2, 0, 3, 0], 'x\0', none)],
    ['a string too many', 'ERR_WIRE_MESSAGE', tuple([3, 1, 2, 0, 3, 0], 'x\0y\0', none)],
    ['a string without an end', 'ERR_WIRE_MESSAGE', tuple([3, 1, 2, 0, 3, 0], 'x', none)],
    ['a string too long', 'ERR_WIRE_LIMIT', tuple([3, 1, 2, 0, 3, 0], `${'x'.repeat(4097)}\0`, none)],
    ['more strings than an epoch has', 'ERR_WIRE_LIMIT', tuple([3, 65_536, 2, 0, 3, 0], '', none)],
    ['an unknown name', 'ERR_WIRE_DICTIONARY', tuple([3, 0, 2, 1, 3, 0], '', varints([0, 0, 0, 0]))],
    ['a name below nothing', 'ERR_WIRE_DICTIONARY', tuple([3, 0, 2, 1, 3, 0], '', varints([7, 0, 0, 0]))],
    ['an unknown url', 'ERR_WIRE_DICTIONARY', tuple([3, 0, 2, 1, 3, 0], '', varints([1, 1, 0, 0]))],
    ['a line below nothing', 'ERR_WIRE_LIMIT', tuple([3, 0, 2, 1, 3, 0], '', varints([1, 0, 1, 0]))],
    ['a column beyond u32', 'ERR_WIRE_LIMIT', tuple([3, 0, 2, 1, 3, 0], '', varints([1, 0, 0, 2 ** 32]))],
    ['too few columns', 'ERR_WIRE_MESSAGE', tuple([3, 0, 2, 1, 3, 0], '', varints([1, 0, 0]))],
    ['columns too many', 'ERR_WIRE_LIMIT', tuple([3, 0, 2, 1, 3, 0], '', varints([1, 0, 0, 0, 0]))],
    [
      'an unused number',
      'ERR_WIRE_MESSAGE',
      tuple([3, 0, 2, 0, 3, 2], '', varints([0, 1, 0, 1, 0, 0, 1, 0])),
    ],
    ['a parent below nothing', 'ERR_WIRE_DICTIONARY', tuple([3, 0, 2, 0, 3, 1], '', varints([3, 0, 0, 1]))],
    ['a callee never called', 'ERR_WIRE_DICTIONARY', tuple([3, 0, 2, 0, 3, 1], '', varints([0, 1, 0]))],
    ['no function for a callee', 'ERR_WIRE_MESSAGE', tuple([3, 0, 2, 0, 3, 1], '', varints([0, 0, 0]))],
    ['an unknown function', 'ERR_WIRE_DICTIONARY', tuple([3, 0, 2, 0, 3, 1], '', varints([0, 0, 0, 0]))],
    ['a stack line below nothing', 'ERR_WIRE_LIMIT', tuple([3, 0, 2, 0, 3, 1], '', varints([0, 0, 8, 1]))],
    [
      'another stack than before',
      'ERR_WIRE_DICTIONARY',
      tuple([3, 0, 2, 0, 2, 1], '', varints([0, 0, 0, 1])),
    ],
    ['a varint cut off', 'ERR_WIRE_ENCODING', tuple([3, 0, 2, 0, 3, 0], '', Uint8Array.of(0x80))],
    [
      'what does not unpack',
      'ERR_WIRE_ENCODING',
      tuple([3, 0, 2, 0, 3, 0], Uint8Array.of(7, 7), none, [9, 0]),
    ],
    [
      'fewer bytes than said',
      'ERR_WIRE_ENCODING',
      tuple([3, 0, 2, 0, 3, 0], deflateRawSync('ab'), none, [9, 0]),
    ],
    [
      'more bytes than said',
      'ERR_WIRE_ENCODING',
      tuple([3, 0, 2, 0, 3, 0], deflateRawSync('abc'), none, [2, 0]),
    ],
    ['a bomb', 'ERR_WIRE_ENCODING', tuple([3, 0, 2, 0, 3, 0], bomb, none, [4 * 1024 * 1024, 0])],
    ['a bomb that says so', 'ERR_WIRE_MESSAGE', tuple([3, 0, 2, 0, 3, 0], bomb, none, [64 * 1024 * 1024, 0])],
    ['strings of another kind', 'ERR_WIRE_MESSAGE', [1, 1, 2, 0, 3, 0, ['a'], 0, none, 0]],
    ['too few fields', 'ERR_WIRE_MESSAGE', [1, 1, 2, 0, 3, 0]],
  ];

  it.each(cases)('%s: %s', (_name, code, hostile) => {
    const rss = process.memoryUsage().rss;
    const before = cpuMillis();
    expect(codeOf(() => decodeDictionary(hostile, table))).toBe(code);
    expect(cpuMillis() - before).toBeLessThan(50);
    expect(process.memoryUsage().rss - rss).toBeLessThan(32e6);
    expect([table.lastString, table.lastFunction, table.lastStack]).toEqual([2, 1, 2]);
  });

  it('skips what is known and adds what is new', () => {
    const grown = {
      strings: ['a', 'b', 'c'],
      functions: [...plain.functions, [3, 2, 5, 6]],
      stacks: [...plain.stacks, [1, 2, 8]],
    };
    const growth = decodeDictionary(dictionaryOf(grown as PlainDictionary), table);
    expect(growth).toEqual({
      strings: ['c'],
      functions: [{ name: 'c', url: 'b', line: 5, column: 6 }],
      stacks: [1, 2, 8],
    });
  });
});
