import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clientFrame,
  FrameReader,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
} from '../../../agent/aggregator/frames';

const KEY = new Uint8Array([1, 2, 3, 4]);
const MAX = 70_000;

/** A frame as a server sends it. */
function serverFrame(opcode: number, payload: Uint8Array, fin = true): Buffer {
  const { length } = payload;
  const head = [(fin ? 0x80 : 0) | opcode];
  if (length < 126) head.push(length);
  else if (length < 65_536) head.push(126, length >> 8, length & 255);
  else head.push(127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
  return Buffer.concat([Buffer.from(head), payload]);
}

/** What a reader makes of pieces: frames as [opcode, hex], then what it refused. */
function read(pieces: readonly Uint8Array[], max = MAX): { frames: [number, string][]; refusal: string } {
  const frames: [number, string][] = [];
  const reader = new FrameReader(max, (opcode, payload) => frames.push([opcode, payload.toString('hex')]));
  for (const piece of pieces) {
    const reused = Buffer.from(piece);
    const refusal = reader.push(reused);
    reused.fill(0xee);
    if (refusal !== '') return { frames, refusal };
  }
  return { frames, refusal: '' };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const bytes = fc.uint8Array({ maxLength: 300 });

describe('a frame of the client', () => {
  it('is masked, whole, and has the shortest length', () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
      const payload = new Uint8Array(length).map((_, index) => index);
      const frame = clientFrame(OPCODE_BINARY, payload, KEY);
      const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
      expect(frame[0]).toBe(0x82);
      expect(frame[1]! & 0x80).toBe(0x80);
      expect(frame.length).toBe(6 + lengthBytes + length);
      const unmasked = frame.subarray(6 + lengthBytes).map((byte, index) => byte ^ KEY[index & 3]!);
      expect(Buffer.from(unmasked).equals(Buffer.from(payload))).toBe(true);
    }
  });
});

describe('the frame reader', () => {
  it('gives messages and control frames in order, however the bytes are cut', () => {
    const frame = fc.oneof(
      bytes.map((payload) => ({ message: true, parts: [payload] })),
      fc.array(bytes, { minLength: 2, maxLength: 4 }).map((parts) => ({ message: true, parts })),
      fc.uint8Array({ maxLength: 125 }).map((payload) => ({ message: false, parts: [payload] })),
    );
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (given, places) => {
          const sent = given.flatMap(({ message, parts }) =>
            parts.flatMap((part, index) => {
              const opcode = message ? (index === 0 ? OPCODE_BINARY : OPCODE_CONTINUATION) : OPCODE_PING;
              const between = index === 0 ? [] : [serverFrame(OPCODE_PONG, KEY)];
              return [...between, serverFrame(opcode, part, index === parts.length - 1)];
            }),
          );
          const expected = given.flatMap(({ message, parts }) => [
            ...parts.slice(1).map(() => [OPCODE_PONG, '01020304']),
            [message ? OPCODE_BINARY : OPCODE_PING, Buffer.concat(parts).toString('hex')],
          ]);
          expect(read(cut(Buffer.concat(sent), places))).toEqual({ frames: expected, refusal: '' });
        },
      ),
    );
  });

  it('takes messages up to the limit, and refuses longer ones by their header', () => {
    const whole = serverFrame(OPCODE_BINARY, new Uint8Array(MAX));
    expect(read([whole]).frames[0]![1]).toHaveLength(2 * MAX);
    const header = serverFrame(OPCODE_BINARY, new Uint8Array(MAX + 1)).subarray(0, 10);
    expect(read([header]).refusal).toMatch(/70001 bytes or more, the limit is 70000/);
    const endless = [
      serverFrame(OPCODE_BINARY, new Uint8Array(60), false),
      serverFrame(OPCODE_CONTINUATION, new Uint8Array(60)),
    ];
    expect(read(endless, 100).refusal).toMatch(/120 bytes or more/);
  });

  it.each([
    ['a masked frame', [0x82, 0x80, 1, 2, 3, 4], /masked/],
    ['reserved bits', [0xc2, 0], /reserved/],
    ['text', [0x81, 0], /kind 1 out of place/],
    ['a fragment that continues nothing', [0x80, 0], /kind 0 out of place/],
    ['a message within a message', [0x02, 0, 0x82, 0], /kind 2 out of place/],
    ['an unknown control frame', [0x8b, 0], /unknown kind 11/],
    ['a control frame in fragments', [OPCODE_CLOSE, 0], /control frame/],
    ['a long control frame', [0x89, 126, 0, 126], /control frame/],
    ['a length beyond all numbers', [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255], /or more/],
  ])('refuses %s', (_what, sent, refusal) => {
    expect(read([Buffer.from(sent)])).toEqual({ frames: [], refusal: expect.stringMatching(refusal) });
  });

  it('never throws and never keeps more than it may, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (pieces) => {
        for (const [, payload] of read(pieces, 100).frames) expect(payload.length).toBeLessThanOrEqual(250);
      }),
    );
  });
});
