import { describe, expect, it } from 'vitest';
import {
  disjointPauses,
  minimumMutatorUtilization,
  type Pause,
} from '../../collector/query/mutator-utilization';

const SPAN = 400;

/** A small generator of numbers below `below`, the same for the same seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
}

/** Every window, µs by µs. */
function bruteForce(pauses: readonly Pause[], window: number): number {
  const paused = new Uint8Array(SPAN);
  for (const { startMicros, durationMicros } of pauses) {
    for (let at = Math.max(0, startMicros); at < Math.min(SPAN, startMicros + durationMicros); at++)
      paused[at] = 1;
  }
  let worst = 0;
  for (let start = 0; start + window <= SPAN; start++) {
    let sum = 0;
    for (let at = start; at < start + window; at++) sum += paused[at]!;
    worst = Math.max(worst, sum);
  }
  return 1 - worst / window;
}

describe('minimum mutator utilisation', () => {
  it('is what a look at every window finds', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const next = seeded(seed);
      const pauses = Array.from({ length: next(12) }, () => ({
        startMicros: next(SPAN + 40) - 20,
        durationMicros: next(next(4) === 0 ? 120 : 15),
      }));
      for (const window of [1, 7, 50, 399, 400]) {
        const disjoint = disjointPauses(pauses, 0, SPAN);
        const found = minimumMutatorUtilization(disjoint, 0, SPAN, window);
        expect(found, `seed ${seed}, window ${window}`).toBeCloseTo(bruteForce(pauses, window), 10);
      }
    }
  });

  it('is not known of a span that is shorter than the window, and one without a pause', () => {
    expect(minimumMutatorUtilization([], 0, 99, 100)).toBeNull();
    expect(minimumMutatorUtilization([], 0, 100, 100)).toBe(1);
  });

  it('tells pauses in a row from one that is short', () => {
    const row = [0, 2, 4, 6, 8].map((millis) => ({
      startMicros: 50_000 + millis * 1000,
      durationMicros: 1000,
    }));
    expect(minimumMutatorUtilization(row, 0, 1e6, 10_000)).toBeCloseTo(0.5);
    expect(minimumMutatorUtilization(row.slice(0, 1), 0, 1e6, 10_000)).toBeCloseTo(0.9);
  });
});
