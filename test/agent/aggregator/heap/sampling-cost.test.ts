import { describe, expect, it } from 'vitest';
import { SamplingCost } from '../../../../agent/aggregator/heap/sampling-cost';

const YOUNG = 16 * 2 ** 20;
const INTERVAL = 524_160;
const TICK_MICROS = 250e3;
/** Minor collections a second: 0.4 % of a core are allowed, which are 10.4 of them at this interval. */
const LITTLE = 6;
const MILD = 16;
const GROSS = 64;

type Program = { cost: SamplingCost; nowMicros: number; owed: number };

function program(budgetPercent = 1): Program {
  return { cost: new SamplingCost(budgetPercent), nowMicros: 1, owed: 0 };
}

/** Ticks of the agent thread for so long. When the interval changed, seconds after the first, and to what. */
function runs(
  it: Program,
  seconds: number,
  minorsPerSecond: number,
): { second: number; bytes: number } | null {
  const from = it.nowMicros;
  while (it.nowMicros < from + seconds * 1e6) {
    it.nowMicros += TICK_MICROS;
    it.owed += (minorsPerSecond * TICK_MICROS) / 1e6;
    for (; it.owed >= 1; it.owed--) it.cost.sawMinor(it.nowMicros);
    const bytes = it.cost.isDue(it.nowMicros) ? it.cost.look(it.nowMicros, YOUNG, INTERVAL) : 0;
    if (bytes !== 0) return { second: (it.nowMicros - from) / 1e6, bytes };
  }
  return null;
}

describe('the cost of heap sampling', () => {
  it('leaves the interval alone at 100 MB a second', () => {
    expect(runs(program(), 120, LITTLE)).toBeNull();
  });

  it('is not even looked at where next to nothing is collected', () => {
    const { cost } = program();
    cost.isDue(1);
    cost.sawMinor(2e6);
    cost.sawMinor(3e6);
    expect([cost.isDue(5e6), cost.isDue(60e6)]).toEqual([false, false]);
  });

  it('doubles the interval until it fits, once an excess has lasted for half a minute', () => {
    // 0.61 % of a core: 0.2 % are allowed with room.
    const changed = runs(program(), 120, MILD);
    expect(changed?.bytes).toBe(INTERVAL * 4);
    expect(changed?.second).toBeGreaterThanOrEqual(30);
    expect(changed?.second).toBeLessThan(32);
  });

  it('does so within five seconds where the excess is gross', () => {
    // 2.5 % of a core.
    const changed = runs(program(), 120, GROSS);
    expect(changed?.bytes).toBe(INTERVAL * 16);
    expect(changed?.second).toBeGreaterThan(3);
    expect(changed?.second).toBeLessThan(5);
  });

  it('forgives a burst, a gross one for less time', () => {
    const it = program();
    for (const [seconds, minors] of [
      [24, MILD],
      [12, LITTLE],
      [2, GROSS],
      [30, LITTLE],
      [2, GROSS],
      [30, 0],
    ] as const)
      expect(runs(it, seconds, minors)).toBeNull();
  });

  it('takes what main tells late for what it was', () => {
    const it = program();
    const turnSeconds = 40;
    const turnMicros = it.nowMicros;
    expect(runs(it, turnSeconds, 0)).toBeNull();
    // Main was in one turn all the time: its collections come in two batches after it.
    for (let batch = 0; batch < 2; batch++) {
      for (let minor = 0; minor < (turnSeconds / 2) * LITTLE; minor++)
        it.cost.sawMinor(turnMicros + (minor * 2e6) / LITTLE);
      expect(runs(it, 2, LITTLE)).toBeNull();
    }
  });

  it('begins anew at the interval it gave', () => {
    const it = program();
    expect(runs(it, 60, GROSS)).not.toBeNull();
    expect(runs(it, 3, GROSS)).toBeNull();
  });

  it('follows the budget', () => {
    expect(runs(program(10), 120, GROSS)).toBeNull();
  });
});
