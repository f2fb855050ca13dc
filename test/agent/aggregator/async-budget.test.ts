/** How many stacks may be taken, and when hooks go off. */
import { describe, expect, it } from 'vitest';
import { AsyncBudget, type AsyncSpent } from '../../../agent/aggregator/async-budget';

const QUIET: AsyncSpent = { seconds: 1, events: 100, captures: 50, captureMicros: 50 * 15 };

function secondsUntilOff(budget: AsyncBudget, spent: AsyncSpent, window: boolean, promises: boolean): number {
  for (let second = 1; second <= 60; second++)
    if (budget.observe(spent, window, promises).over) return second;
  return Number.POSITIVE_INFINITY;
}

describe('the budget of following asynchronous resources', () => {
  it('leaves a quiet program alone', () => {
    expect(secondsUntilOff(new AsyncBudget(1), QUIET, false, false)).toBe(Number.POSITIVE_INFINITY);
    expect(new AsyncBudget(1).observe(QUIET, false, false).costPercent).toBeLessThan(0.1);
  });

  it('ends after ten seconds over it, after two far over it', () => {
    const over = { ...QUIET, events: 60_000 };
    const farOver = { ...QUIET, events: 600_000 };
    expect(secondsUntilOff(new AsyncBudget(1), over, false, false)).toBe(10);
    expect(secondsUntilOff(new AsyncBudget(1), farOver, false, false)).toBe(2);
  });

  it('gives a window more, but not everything', () => {
    const busy = { ...QUIET, events: 100_000 };
    expect(secondsUntilOff(new AsyncBudget(1), busy, true, true)).toBe(Number.POSITIVE_INFINITY);
    const flood = { ...QUIET, events: 2_000_000 };
    expect(secondsUntilOff(new AsyncBudget(1), flood, true, true)).toBe(2);
  });

  it('takes fewer stacks when calls of hooks take most of it, before it ends', () => {
    const budget = new AsyncBudget(1);
    const busy = { ...QUIET, events: 20_000 };
    expect(budget.observe(busy, false, false).quota).toBeLessThan(budget.quota(false) / 2);
    const taken = { ...busy, captures: 32, captureMicros: 32 * 15 };
    expect(secondsUntilOff(budget, taken, false, false)).toBe(Number.POSITIVE_INFINITY);
  });

  it('begins anew when hooks do', () => {
    const budget = new AsyncBudget(1);
    const over = { ...QUIET, events: 60_000 };
    for (let second = 0; second < 9; second++) budget.observe(over, false, false);
    budget.reset();
    expect(secondsUntilOff(budget, over, false, false)).toBe(10);
  });

  it('allows fewer stacks where they cost more, and never none', () => {
    const dear = { ...QUIET, captures: 10, captureMicros: 10 * 50 };
    const [cheap, costly] = [new AsyncBudget(1), new AsyncBudget(1)];
    for (let second = 0; second < 20; second++) {
      cheap.observe(QUIET, false, false);
      costly.observe(dear, false, false);
    }
    expect(costly.quota(false)).toBeLessThan(cheap.quota(false));
    expect(costly.quota(true)).toBeGreaterThan(costly.quota(false));
    expect(new AsyncBudget(0.1).quota(false)).toBeGreaterThan(0);
  });
});
