import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { SampleState } from '../../assembly/layout';
import { readVarints } from '../../collector/ingest/varint';
import { cpuMillis } from '../cpu-millis';

type Sample = { after: number; stack: number; state: number; label: number };

const sample = fc.record({
  after: fc.oneof(fc.integer({ min: 9_900, max: 10_300 }), fc.nat(5_000_000), fc.constant(0)),
  stack: fc.oneof(fc.constant(1), fc.nat(8), fc.nat(200), fc.nat(2 ** 30 - 1)),
  state: fc.integer({ min: SampleState.Js, max: SampleState.Blocked }),
  label: fc.oneof(fc.constant(0), fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
});
const PERIOD = 10_101;
const refused = expect.objectContaining({ code: 'ERR_COLUMNS' });

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe.each(['wasm', 'twin'] as const)('sample columns on %s', (kind) => {
  const tables = createTables({ forceTwin: kind === 'twin' });

  function fill(samples: readonly Sample[], start: number): { at: number[]; bytes: Uint8Array } {
    let now = start;
    const atMicros = samples.map(({ after }) => {
      now += after;
      return now;
    });
    const bytes = tables.encodeColumns(start, {
      atMicros,
      stack: samples.map(({ stack }) => stack),
      state: samples.map(({ state }) => state),
      label: samples.map(({ label }) => label),
    });
    return { at: atMicros, bytes };
  }

  /** Samples a period apart, of these stacks, without labels. */
  function ofStacks(stacks: readonly number[]): Uint8Array {
    const state = new Uint8Array(stacks.length);
    return tables.encodeColumns(0, {
      atMicros: stacks.map((_, i) => (i + 1) * PERIOD),
      stack: stacks,
      state,
    });
  }

  it('decode to what was encoded', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 300 }), fc.nat(2 ** 40), (samples, start) => {
        const { at, bytes } = fill(samples, start);
        const decoded = tables.decodeColumns(bytes, samples.length, start);
        expect(decoded.count).toBe(samples.length);
        expect([...decoded.atMicros]).toEqual(at);
        expect([...decoded.stack]).toEqual(samples.map((one) => one.stack));
        expect([...decoded.state]).toEqual(samples.map((one) => one.state));
        expect([...decoded.label]).toEqual(samples.map((one) => one.label));
      }),
      { numRuns: 300 },
    );
  });

  it('remember the last 32 stacks, and tell older ones anew', () => {
    const stacks = Array.from({ length: 1500 }, (_, i) => (i % 3 === 0 ? 1000 + (i % 70) : (i * i) % 257));
    const decoded = tables.decodeColumns(ofStacks(stacks), stacks.length, 0);
    expect([...decoded.stack]).toEqual(stacks);
    expect([...decoded.atMicros]).toEqual(stacks.map((_, i) => (i + 1) * PERIOD));
    for (const cycle of [31, 32, 33]) {
      const returning = Array.from({ length: 400 }, (_, i) => 5 + 7 * (i % cycle)); // of 33, each falls off just before it returns
      expect([...tables.decodeColumns(ofStacks(returning), 400, 0).stack]).toEqual(returning);
    }
  });

  it('tell runs of a stack in a byte for each 32', () => {
    for (const [count, bytes] of [
      [1, 1],
      [2, 2],
      [33, 2],
      [34, 3],
      [65, 3],
      [66, 4],
    ] as const) {
      const stacks = Array<number>(count).fill(9);
      const encoded = ofStacks(stacks);
      expect([...tables.decodeColumns(encoded, count, 0).stack]).toEqual(stacks);
      const [, , stackBytes] = readVarints(encoded.subarray(0, 9), 9);
      expect([count, stackBytes]).toEqual([count, bytes]);
    }
  });

  it('take ordinary arrays, typed arrays and no labels for the same', () => {
    const plain = { atMicros: [5, 10_106, 20_300], stack: [1, 1, 7], state: [0, 0, 3] };
    const typed = {
      atMicros: Float64Array.from(plain.atMicros),
      stack: Uint32Array.from(plain.stack),
      state: Uint8Array.from(plain.state),
    };
    const bytes = tables.encodeColumns(0, plain);
    expect(tables.encodeColumns(0, typed)).toEqual(bytes);
    expect(tables.encodeColumns(0, { ...plain, label: [0, 0, 0] })).toEqual(bytes);
    expect([...tables.decodeColumns(bytes, 3, 0).label]).toEqual([0, 0, 0]);
    expect(
      tables.decodeColumns(tables.encodeColumns(0, { atMicros: [], stack: [], state: [] }), 0, 0),
    ).toEqual(expect.objectContaining({ count: 0 }));
  });

  it('keep what time cannot be: neither backwards, nor before the start, nor beyond 35 minutes', () => {
    const atMicros = [900, 1050, 1040, NaN, 1e18, 1e18];
    const same = new Uint8Array(6);
    const bytes = tables.encodeColumns(1000, { atMicros, stack: same, state: same });
    const latest = 1000 + 2 ** 31 - 1;
    expect([...tables.decodeColumns(bytes, 6, 1000).atMicros]).toEqual([
      1000,
      1050,
      1050,
      1050,
      latest,
      latest,
    ]);
  });

  it('tell a stack id that is none as the empty stack', () => {
    const stack = Uint32Array.of(2 ** 30, 3, 2 ** 32 - 1, 2 ** 32 - 1);
    const bytes = tables.encodeColumns(0, { atMicros: [1, 2, 3, 4], stack, state: new Uint8Array(4) });
    expect([...tables.decodeColumns(bytes, 4, 0).stack]).toEqual([0, 3, 0, 0]);
  });

  it('take at most 4 bytes a sample for a steady sampler on a few hundred stacks', () => {
    const random = seeded(7);
    const samples = Array.from({ length: 1000 }, () => ({
      after: PERIOD + Math.round(200 * (random() - 0.5)),
      stack: Math.floor(300 * random() ** 3) + 1,
      state: random() < 0.9 ? 0 : 1,
      label: 0,
    }));
    expect(fill(samples, 0).bytes.length / samples.length).toBeLessThanOrEqual(4);
  });

  it('are not made longer by gaps between steady ticks', () => {
    const steady = Array.from({ length: 500 }, () => ({ after: 9_150, stack: 1, state: 0, label: 0 }));
    const gaps = steady.map((one, i) => (i % 10 === 5 ? { ...one, after: 19_000 } : one));
    expect(fill(gaps, 0).bytes.length - fill(steady, 0).bytes.length).toBeLessThan(120);
  });

  it('refuse arguments that no window has', () => {
    const none = tables.encodeColumns(0, { atMicros: [], stack: [], state: [] });
    for (const count of [-1, 0.5, NaN, 65_537, 2 ** 40]) {
      expect(() => tables.decodeColumns(none, count, 0)).toThrow(refused);
    }
    expect(() => tables.decodeColumns(none, 0, NaN)).toThrow(refused);
    expect(() => tables.encodeColumns(0, { atMicros: [1], stack: [], state: [0] })).toThrow(
      'columns need arrays of one length up to 65536, got 1, 0, 1, 1',
    );
    const long = new Uint8Array(65_537);
    expect(() => tables.encodeColumns(0, { atMicros: long, stack: long, state: long })).toThrow(refused);
  });

  it('turn hostile bytes into a coded error or into samples that are in bounds, never longer than 50 ms', () => {
    const damaged = fc
      .tuple(
        fc.array(sample, { minLength: 1, maxLength: 60 }),
        fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 4 }),
        fc.nat(9),
      )
      .map(([samples, damage, cut]) => {
        const { bytes } = fill(samples, 0);
        for (const [place, byte] of damage) bytes[place % bytes.length] = byte;
        return { bytes: bytes.subarray(0, bytes.length - (cut > 5 ? cut - 5 : 0)), count: samples.length };
      });
    const random = fc.record({ bytes: fc.uint8Array({ maxLength: 80 }), count: fc.nat(70_000) });
    let refusals = 0;
    fc.assert(
      fc.property(fc.oneof(damaged, random), ({ bytes, count }) => {
        const before = cpuMillis();
        try {
          const { atMicros, stack, state } = tables.decodeColumns(bytes, count, 0);
          expect(stack.every((id) => id < 2 ** 30)).toBe(true);
          expect(state.every((one) => one <= SampleState.Blocked)).toBe(true);
          expect(atMicros.every((at, i) => at >= (atMicros[i - 1] ?? 0) && at < 2 ** 31)).toBe(true);
        } catch (error) {
          refusals++;
          expect(error).toMatchObject({ code: 'ERR_COLUMNS' });
        }
        expect(cpuMillis() - before).toBeLessThan(50);
      }),
      { numRuns: 5000 },
    );
    expect(refusals).toBeGreaterThan(1000);
  });

  it('refuse runs that promise more samples than there are, and what was never told', () => {
    /** One sample: step, lengths, time 0, a stack token (66 is stack 1), a state run of 1, a label run of 1. */
    const decode = (...bytes: number[]) => tables.decodeColumns(Uint8Array.from(bytes), 1, 0);
    expect(decode(0, 1, 1, 1, 2, 0, 66, 8, 1, 0).stack[0]).toBe(1);
    expect(decode(7, 1, 1, 1, 2, 0, 66, 8, 1, 0).atMicros[0]).toBe(7);
    expect(() => decode(0, 1, 1, 1, 2, 0, 66, 16, 1, 0)).toThrow(refused); // state run of 2
    expect(() => decode(0, 1, 1, 1, 2, 0, 66, 0, 1, 0)).toThrow(refused); // state run of none
    expect(() => decode(0, 1, 1, 1, 2, 0, 66, 8, 2, 0)).toThrow(refused); // label run of 2
    expect(() => decode(0, 1, 1, 1, 2, 0, 66, 13, 1, 0)).toThrow(refused); // state 5
    expect(() => decode(0, 1, 1, 1, 2, 0, 0, 8, 1, 0)).toThrow(refused); // again, but nothing before it
    expect(() => decode(0, 1, 1, 1, 2, 0, 32, 8, 1, 0)).toThrow(refused); // no recent stack
    expect(() => decode(0, 1, 1, 1, 2, 1, 66, 8, 1, 0)).toThrow(refused); // time −1
    expect(() => decode(0, 1, 1, 1, 2, 0, 65, 8, 1, 0)).toThrow(refused); // stack −1
    expect(() => decode(0, 1, 1, 1, 2, 0, 66, 8, 1, 0, 0)).toThrow(refused); // a byte more
    const two = Uint8Array.of(0, 2, 2, 1, 2, 0, 0, 66, 1, 16, 2, 0); // stack 1, then twice more of it
    expect(() => tables.decodeColumns(two, 2, 0)).toThrow(refused);
    two[8] = 0;
    expect([...tables.decodeColumns(two, 2, 0).stack]).toEqual([1, 1]);
  });
});
