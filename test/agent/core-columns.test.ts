import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTables, type SampleEncoder } from '../../agent/core';
import { SampleState } from '../../assembly/layout';
import { cpuMillis } from '../cpu-millis';

type Sample = { after: number; stack: number; state: number; label: number };

const sample = fc.record({
  after: fc.oneof(fc.integer({ min: 9_900, max: 10_300 }), fc.nat(5_000_000), fc.constant(0)),
  stack: fc.oneof(fc.nat(8), fc.nat(200), fc.nat(2 ** 30 - 1)),
  state: fc.integer({ min: SampleState.Js, max: SampleState.Blocked }),
  label: fc.oneof(fc.constant(0), fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
});
const PERIOD = 10_101;

describe.each(['wasm', 'twin'] as const)('sample columns on %s', (kind) => {
  const tables = createTables({ forceTwin: kind === 'twin' });
  const encoder = tables.encoder(2000);

  function fill(samples: readonly Sample[], start: number): { at: number[]; bytes: Uint8Array } {
    encoder.reset(start, PERIOD);
    const at: number[] = [];
    let now = start;
    for (const { after, stack, state, label } of samples) {
      now += after;
      at.push(now);
      encoder.add(now, stack, state, label);
    }
    return { at, bytes: encoder.finish() };
  }

  it('decode to what was encoded', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 300 }), fc.nat(2 ** 40), (samples, start) => {
        const { at, bytes } = fill(samples, start);
        const decoded = tables.decodeColumns(bytes, samples.length, start, PERIOD);
        expect(decoded.count).toBe(samples.length);
        expect([...decoded.atMicros]).toEqual(at);
        expect([...decoded.stack]).toEqual(samples.map((one) => one.stack));
        expect([...decoded.state]).toEqual(samples.map((one) => one.state));
        expect([...decoded.label]).toEqual(samples.map((one) => one.label));
      }),
      { numRuns: 300 },
    );
  });

  it('remember the last 64 stacks, and tell older ones anew', () => {
    const stacks = Array.from({ length: 1500 }, (_, i) => (i % 3 === 0 ? 1000 + (i % 70) : (i * i) % 257));
    const samples = stacks.map((stack) => ({ after: PERIOD, stack, state: 0, label: 0 }));
    const { bytes } = fill(samples, 0);
    const decoded = tables.decodeColumns(bytes, stacks.length, 0, PERIOD);
    expect([...decoded.stack]).toEqual(stacks);
    expect([...decoded.atMicros]).toEqual(stacks.map((_, i) => (i + 1) * PERIOD));
    const returning = Array.from({ length: 400 }, (_, i) => 5 + 7 * (i % 65)); // each falls off just before it returns
    const again = fill(
      returning.map((stack) => ({ after: PERIOD, stack, state: 0, label: 0 })),
      0,
    );
    expect([...tables.decodeColumns(again.bytes, 400, 0, PERIOD).stack]).toEqual(returning);
  });

  it('can be finished, added to and finished again', () => {
    encoder.reset(0, 100);
    encoder.add(100, 1, 0, 0);
    const first = encoder.finish();
    expect(encoder.finish()).toEqual(first);
    encoder.add(200, 1, 0, 0);
    expect(encoder.count).toBe(2);
    expect([...tables.decodeColumns(encoder.finish(), 2, 0, 100).atMicros]).toEqual([100, 200]);
  });

  it('keep what time cannot be: neither backwards, nor before the start, nor beyond 35 minutes', () => {
    encoder.reset(1000, 10);
    for (const at of [900, 1050, 1040, NaN, 1e18, 1e18]) encoder.add(at, 1, 0, 0);
    const { atMicros } = tables.decodeColumns(encoder.finish(), 6, 1000, 10);
    expect([...atMicros]).toEqual([1000, 1050, 1050, 1050, 1000 + 2 ** 31 - 1, 1000 + 2 ** 31 - 1]);
  });

  it('add nothing beyond the capacity', () => {
    const small: SampleEncoder = tables.encoder(3);
    for (let i = 0; i < 5; i++) small.add(i, i, 0, 0);
    expect(small.count).toBe(3);
    expect([...tables.decodeColumns(small.finish(), 3, 0, 0).stack]).toEqual([0, 1, 2]);
  });

  it('take at most 4 bytes a sample for a steady sampler on a few hundred stacks', () => {
    const samples: Sample[] = [];
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let i = 0; i < 1000; i++) {
      const stack = Math.floor(300 * random() ** 3) + 1;
      samples.push({
        after: PERIOD + Math.round(200 * (random() - 0.5)),
        stack,
        state: random() < 0.9 ? 0 : 1,
        label: 0,
      });
    }
    expect(fill(samples, 0).bytes.length / samples.length).toBeLessThanOrEqual(4);
  });

  it('refuse arguments that no window has', () => {
    const none = encoder.finish();
    const refused = expect.objectContaining({ code: 'ERR_COLUMNS' });
    for (const count of [-1, 0.5, NaN, 65_537, 2 ** 40]) {
      expect(() => tables.decodeColumns(none, count, 0, 1)).toThrow(refused);
    }
    expect(() => tables.decodeColumns(none, 0, NaN, 1)).toThrow(refused);
    expect(() => tables.decodeColumns(none, 0, 0, Infinity)).toThrow(refused);
    expect(() => tables.decodeColumns(none, 0, 0, -1)).toThrow(refused);
    expect(() => tables.encoder(0)).toThrow(
      /capacity of a sample encoder must be a whole number from 1 to 65536, got 0/,
    );
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
          const { atMicros, stack, state } = tables.decodeColumns(bytes, count, 0, PERIOD);
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

  it('refuse runs that promise more samples than there are', () => {
    const refused = expect.objectContaining({ code: 'ERR_COLUMNS' });
    // one sample: time 0, stack 1 (64 + 2), then a state run of 2 and a label run of 2
    expect(tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 66, 8, 1, 0), 1, 0, 0).stack[0]).toBe(1);
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 66, 16, 1, 0), 1, 0, 0)).toThrow(refused);
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 66, 8, 2, 0), 1, 0, 0)).toThrow(refused);
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 66, 13, 1, 0), 1, 0, 0)).toThrow(refused); // state 5
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 0, 8, 1, 0), 1, 0, 0)).toThrow(refused); // no recent stack
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 1, 66, 8, 1, 0), 1, 0, 0)).toThrow(refused); // time −1
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 65, 8, 1, 0), 1, 0, 0)).toThrow(refused); // stack −1
    expect(() => tables.decodeColumns(Uint8Array.of(1, 1, 1, 2, 0, 66, 8, 1, 0, 0), 1, 0, 0)).toThrow(
      refused,
    ); // a byte more
  });
});
