/**
 * Hostile bytes: whatever comes, the decoder answers with a coded error or a checked message, soon and in little
 * memory: no message keeps it for more than 50 ms of CPU, and all of them leave at most 32 MB more. RINGTAIL_FUZZ gives
 * the number of random and of mutated messages (10,000 each by default).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { BatchDecoder } from '../../collector/ingest/decode-batch';
import { decodeGoodbye, decodeHello, decodeReply } from '../../collector/ingest/decode-hello';
import { Epoch } from '../../collector/ingest/epoch';
import { decodeMessage } from '../../collector/ingest/msgpack';
import { scanMessage } from '../../collector/ingest/scan';
import { WIRE_ERRORS, WireError } from '../../collector/ingest/wire-error';
import { cpuMillis } from '../cpu-millis';
import { dictionaryOf } from './dictionary-fixture';

const COUNT = Number(process.env.RINGTAIL_FUZZ ?? 10_000);
const GOLDEN = ['hello', 'dictionary', 'batch', 'reply', 'goodbye'].map((name) =>
  Buffer.from(readFileSync(join(__dirname, 'golden', `${name}.hex`), 'utf8').trim(), 'hex'),
);
const decoder = new BatchDecoder(createTables());

/** mulberry32: the same bytes every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** What a session does with a message, without the session. Returns the code of the refusal or 'ok'. */
function digest(bytes: Uint8Array): string {
  try {
    const message = decodeMessage(bytes);
    if (!Array.isArray(message)) return 'no array';
    const epoch = new Epoch();
    if (message[0] === 2) decodeHello(message);
    else if (message[0] === 4) decoder.dictionary(message, epoch);
    else if (message[0] === 7) decoder.batch(message, 'aa', epoch, bytes.length);
    else if (message[0] === 8) decodeReply(message);
    else if (message[0] === 10) decodeGoodbye(message);
    return 'ok';
  } catch (error) {
    if (error instanceof WireError && error.code in WIRE_ERRORS) return error.code;
    throw error;
  }
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    return (error as WireError).code;
  }
}

const MESSAGE_MILLIS_MAX = 50;
/** zlib gives its memory back when the event loop turns, which it does between the messages of a session. */
const ROUNDS_PER_TURN = 100;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const GROWTH_BYTES_MAX = 32e6;

/** Holds what `run` does against the bounds of time and memory; the longest of its messages, and the growth. */
class Bounds {
  #longestMillis = 0;
  #before = 0;

  /** What the runtime itself needs for such work is taken before the measure begins. */
  warmed(): this {
    for (let round = 0; round < 2000; round++) digest(GOLDEN[round % GOLDEN.length]!);
    this.#before = process.memoryUsage().rss;
    return this;
  }

  digest(bytes: Uint8Array): string {
    const began = performance.now();
    const cpuBefore = cpuMillis();
    const outcome = digest(bytes);
    // The wall clock is cheap and also counts others' work: only what is long by it is looked at.
    if (performance.now() - began > this.#longestMillis)
      this.#longestMillis = Math.max(this.#longestMillis, cpuMillis() - cpuBefore);
    return outcome;
  }

  check(what: string): void {
    const growth = process.memoryUsage().rss - this.#before;
    console.log(
      `${what}: longest ${this.#longestMillis.toFixed(1)} ms of CPU, ${(growth / 1e6).toFixed(1)} MB more`,
    );
    expect(this.#longestMillis).toBeLessThan(MESSAGE_MILLIS_MAX);
    expect(growth).toBeLessThanOrEqual(GROWTH_BYTES_MAX);
  }
}

describe('hostile bytes', () => {
  it(`${COUNT} random messages are refused with a code`, async () => {
    const random = seeded(1);
    const bounds = new Bounds().warmed();
    for (let round = 0; round < COUNT; round++) {
      const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 120) }, () =>
        Math.floor(random() * 256),
      );
      bounds.digest(bytes);
      if (round % ROUNDS_PER_TURN === 0) await turn();
    }
    bounds.check(`${COUNT} random messages`);
  });

  it(`${COUNT} mutated messages are refused with a code or still make sense`, async () => {
    const random = seeded(2);
    const outcomes = new Map<string, number>();
    const bounds = new Bounds().warmed();
    for (let round = 0; round < COUNT; round++) {
      let bytes = Uint8Array.from(GOLDEN[round % GOLDEN.length]!);
      for (let change = 0; change <= random() * 4; change++) {
        const at = Math.floor(random() * bytes.length);
        const kind = random();
        if (kind < 0.6) bytes[at] = Math.floor(random() * 256);
        else if (kind < 0.8) bytes = bytes.slice(0, at + 1);
        else bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1)]);
      }
      const outcome = bounds.digest(bytes);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (round % ROUNDS_PER_TURN === 0) await turn();
    }
    bounds.check(`${COUNT} mutated messages`);
    console.log([...outcomes].map(([code, count]) => `${code} ${count}`).join(', '));
    // The mutations reach past the scan into every check of the decoder.
    for (const code of [
      'ok',
      'ERR_WIRE_ENCODING',
      'ERR_WIRE_MESSAGE',
      'ERR_WIRE_DICTIONARY',
      'ERR_WIRE_VERSION',
      'ERR_WIRE_COLUMNS',
      'ERR_WIRE_BUCKETS',
    ]) {
      expect([code, (outcomes.get(code) ?? 0) > 0]).toEqual([code, true]);
    }
  });

  it('every golden message passes', () => {
    expect(GOLDEN.map(digest)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  });

  it('bombs are refused at once and without memory', () => {
    const bombs: [string, Uint8Array][] = [
      ['ERR_WIRE_ENCODING', Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
      ['ERR_WIRE_ENCODING', Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff])],
      ['ERR_WIRE_ENCODING', Uint8Array.from([0xc6, 0xff, 0xff, 0xff, 0xff])],
      ['ERR_WIRE_LIMIT', Uint8Array.from([0xdb, 0xff, 0xff, 0xff, 0xff])],
      ['ERR_WIRE_ENCODING', Uint8Array.from([0xd4, 0x72, 0x40])],
      ['ERR_WIRE_LIMIT', new Uint8Array(100_000).fill(0x91)],
      ['ERR_WIRE_LIMIT', Uint8Array.from([0xdd, 0, 6, 0x1a, 0x81, ...new Uint8Array(400_001)])],
    ];
    const before = process.memoryUsage().rss;
    const began = cpuMillis();
    for (const [code, bytes] of bombs) expect(codeOf(() => decodeMessage(bytes))).toBe(code);
    expect(cpuMillis() - began).toBeLessThan(MESSAGE_MILLIS_MAX * bombs.length);
    expect(process.memoryUsage().rss - before).toBeLessThan(GROWTH_BYTES_MAX / 2);
  });
});

describe('the scan', () => {
  it('counts values and finds what follows the message', () => {
    expect(scanMessage(Uint8Array.from([0x93, 0x01, 0xa1, 0x61, 0x91, 0xc0]))).toBe(5);
    expect(codeOf(() => scanMessage(Uint8Array.from([0x90, 0x90])))).toBe('ERR_WIRE_ENCODING');
    expect(codeOf(() => scanMessage(Uint8Array.from([])))).toBe('ERR_WIRE_ENCODING');
  });

  it('holds limits exactly', () => {
    const limits = { nestingDepth: 2, messageValues: 4, stringBytes: 2 };
    expect(scanMessage(Uint8Array.from([0x91, 0x91, 0x01]), limits)).toBe(3);
    expect(() => scanMessage(Uint8Array.from([0x91, 0x91, 0x91, 0x01]), limits)).toThrow(
      'nests deeper than 2',
    );
    expect(scanMessage(Uint8Array.from([0x93, 1, 2, 3]), limits)).toBe(4);
    expect(codeOf(() => scanMessage(Uint8Array.from([0x94, 1, 2, 3, 4]), limits))).toBe('ERR_WIRE_LIMIT');
    expect(codeOf(() => scanMessage(Uint8Array.from([0xa3, 97, 97, 97]), limits))).toBe('ERR_WIRE_LIMIT');
  });
});

describe('the dictionary', () => {
  const decode = (epoch: Epoch, strings: string[]) =>
    decoder.dictionary([4, 1, dictionaryOf({ strings }), []], epoch);

  it('begins anew when a full one contradicts it, and leaves the old one to whoever holds it', () => {
    const epoch = new Epoch();
    decode(epoch, ['a']);
    const held = epoch.stacks;
    decode(epoch, ['other']);
    expect([held.string(1), epoch.stacks.string(1)]).toEqual(['a', 'other']);
  });

  it('replaces control characters', () => {
    const epoch = new Epoch();
    decode(epoch, ['a\u001b[31mb\n']);
    expect(epoch.stacks.string(1)).toBe('a?[31mb?');
  });
});
