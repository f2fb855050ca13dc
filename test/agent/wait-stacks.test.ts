/** Stacks of those who wait: taken once each, rarer where waits are many, counted for all. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { WaitStack } from '../../agent/thread-data';
import { WAIT_NOT_CHOSEN } from '../../agent/wait-sampler';
import { WaitStacks } from '../../agent/wait-stacks';
import { WaitBits } from '../../assembly/layout';

const clock = vi.hoisted(() => ({ micros: 5e6 }));
vi.mock('../../agent/clock', () => ({ nowMicros: () => clock.micros }));

let told: WaitStack[];
let stacks: WaitStacks;

beforeEach(() => {
  told = [];
  stacks = new WaitStacks(
    (stack) => told.push(stack),
    () => {},
  );
});

function asks(): number {
  return stacks.take(asks, clock.micros);
}
function first(): number {
  return asks();
}
function second(): number {
  return asks();
}
const stackOf = (bits: number) => bits >>> WaitBits.StackShift;
const weightOf = (bits: number) => (bits === WAIT_NOT_CHOSEN ? 0 : 2 ** (bits & WaitBits.ShiftMask));

describe('stacks of waits', () => {
  it('are told once each, as frames above the call, under the number that their waits have', () => {
    const bits = [first, second, first].map((waits) => waits());
    expect(bits.map(stackOf)).toEqual([1, 2, 1]);
    expect(bits.map(weightOf)).toEqual([1, 1, 1]);
    expect(told.map(({ waitStack }) => waitStack)).toEqual([1, 2]);
    expect(told.map(({ frames }) => frames.at(-1)![0])).toEqual(['first', 'second']);
  });

  it('are taken of few in a burst, which stand for all, and of all again when it is over', () => {
    for (let i = 0; i < 3; i++) {
      clock.micros += 1e6;
      let weight = 0;
      let taken = 0;
      for (let wait = 0; wait < 100_000; wait++) {
        clock.micros += 9;
        const each = weightOf(first());
        weight += each;
        if (each > 0) taken++;
      }
      // The first burst is known only while it lasts.
      expect(taken).toBeLessThan(1300);
      expect(Math.abs(weight / 100_000 - 1)).toBeLessThan(0.15);
    }
    // What was before is averaged over the quiet time, and forgotten a second later.
    clock.micros += 100e6;
    first();
    clock.micros += 1e6;
    for (let wait = 0; wait < 20; wait++) expect(weightOf(first())).toBe(1);
  });

  it('are those of all who wait, also where they take turns', () => {
    const weights = new Map<number, number>();
    for (let wait = 0; wait < 200_000; wait++) {
      clock.micros += 50;
      const bits = wait % 4 === 0 ? second() : first();
      if (bits !== WAIT_NOT_CHOSEN)
        weights.set(stackOf(bits), (weights.get(stackOf(bits)) ?? 0) + weightOf(bits));
    }
    const [one = 0, other = 0] = [...weights.values()].sort((a, b) => a - b);
    expect(weights.size).toBe(2);
    expect(one / (one + other)).toBeGreaterThan(0.2);
    expect(one / (one + other)).toBeLessThan(0.3);
    expect(Math.abs((one + other) / 200_000 - 1)).toBeLessThan(0.15);
  });

  it('that are too many, or cannot be taken, count without one', () => {
    for (let i = 0; i < 1100; i++) {
      clock.micros += 20e3;
      new Function('asks', `\n`.repeat(i) + 'return asks()')(asks);
    }
    expect(told).toHaveLength(1024);
    clock.micros += 20e3;
    expect(stackOf(second())).toBe(0);
    function deep(): number {
      try {
        return deep();
      } catch {
        clock.micros += 2e6;
        return first();
      }
    }
    expect(deep()).toBeGreaterThanOrEqual(0);
  });
});
