import { describe, expect, it } from 'vitest';
import { PauseBudget } from '../../../../agent/aggregator/heap/pause-budget';

const MB = 1e6;
const LIMITS = { pauseMicros: 20_000, everyMicros: 600e6 };

describe('the pause budget of heap captures', () => {
  it('predicts a millisecond a megabyte where a collection is forced, until it knows better', () => {
    const budget = new PauseBudget();
    expect(budget.predictedMicros(400 * MB, true)).toBeGreaterThan(400_000);
    expect(budget.predictedMicros(400 * MB, false)).toBeLessThan(10_000);
    budget.learn(0, 100_000, 400 * MB);
    expect(budget.predictedMicros(400 * MB, true)).toBeCloseTo(125_000);
    expect(budget.predictedMicros(800 * MB, true)).toBeCloseTo(250_000);
  });

  it('is never below the last major collections of the program', () => {
    const budget = new PauseBudget();
    budget.sawMajor(90_000);
    expect(budget.predictedMicros(10 * MB, true)).toBe(90_000);
    for (let later = 0; later < 5; later++) budget.sawMajor(2000);
    expect(budget.predictedMicros(10 * MB, true)).toBeLessThan(20_000);
  });

  it('refuses a scheduled capture over the limit, and says what it would cost', () => {
    const budget = new PauseBudget();
    expect(budget.refusal(10 * MB, true, LIMITS)).toBe('');
    expect(budget.refusal(100 * MB, true, LIMITS)).toMatch(/about 125 ms, 20 ms are allowed/);
    expect(budget.refusal(100 * MB, false, LIMITS)).toBe('');
  });

  it('never spends more than a thousandth of the time between captures', () => {
    const budget = new PauseBudget();
    expect(budget.refusal(12 * MB, true, { pauseMicros: 20_000, everyMicros: 60e6 })).toBe('');
    expect(budget.refusal(12 * MB, true, { pauseMicros: 20_000, everyMicros: 10e6 })).toMatch(
      /10 ms are allowed/,
    );
  });

  it('rations captures that were felt to one a minute', () => {
    const budget = new PauseBudget();
    expect(budget.rationMicros(0)).toBe(0);
    budget.learn(10e6, 9000, MB);
    expect(budget.rationMicros(11e6)).toBe(0);
    budget.learn(20e6, 11_000, MB);
    expect(budget.rationMicros(30e6)).toBe(50e6);
    expect(budget.rationMicros(80e6)).toBe(0);
    expect(budget.made).toEqual({ count: 2, pauseMicros: 20_000 });
  });
});
