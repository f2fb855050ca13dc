import { describe, expect, it } from 'vitest';
import { Governor } from '../../../agent/aggregator/governor';
import { WINDOW_MIN_MILLIS, WindowPacer } from '../../../agent/aggregator/window-pacer';

describe('WindowPacer', () => {
  it('begins short and grows to the longest while pauses stay small', () => {
    const pacer = new WindowPacer(10_000, 2000);
    expect(pacer.lengthMillis(false)).toBe(WINDOW_MIN_MILLIS);
    for (let i = 0; i < 10; i++) pacer.observe(pacer.lengthMillis(false), 300);
    expect(pacer.lengthMillis(false)).toBe(10_000);
  });

  it('shrinks at once when a pause is over budget', () => {
    const pacer = new WindowPacer(10_000, 2000);
    for (let i = 0; i < 10; i++) pacer.observe(pacer.lengthMillis(false), 300);
    pacer.observe(10_000, 20_000);
    expect(pacer.lengthMillis(false)).toBe(2500);
  });

  it('gives at most a second to who watches', () => {
    const pacer = new WindowPacer(10_000, 2000);
    for (let i = 0; i < 10; i++) pacer.observe(pacer.lengthMillis(false), 300);
    expect(pacer.lengthMillis(true)).toBe(1000);
  });

  it('does not grow on windows that were cut short', () => {
    const pacer = new WindowPacer(10_000, 2000);
    for (let i = 0; i < 4; i++) pacer.observe(pacer.lengthMillis(false), 300);
    const length = pacer.lengthMillis(false);
    pacer.observe(5, 100);
    expect(pacer.lengthMillis(false)).toBe(length);
  });
});

describe('Governor', () => {
  it('leaves the rate alone inside the budget', () => {
    const governor = new Governor(99, 1);
    for (let second = 0; second < 100; second++) expect(governor.observe(second * 1e6, 0.8)).toBe(0);
  });

  it('lowers the rate at once when far over budget, not below 20 Hz, and then keeps still for a minute', () => {
    const governor = new Governor(99, 1);
    for (let second = 1; second < 4; second++) expect(governor.observe(second * 1e6, 8)).toBe(0);
    expect(governor.observe(4e6, 8)).toBe(25);
    for (let second = 5; second < 64; second++) expect(governor.observe(second * 1e6, 8)).toBe(0);
    for (let second = 64; second < 70; second++) governor.observe(second * 1e6, 8);
    expect(governor.rateHz).toBe(20);
    for (let second = 70; second < 300; second++) expect(governor.observe(second * 1e6, 8)).toBe(0);
  });

  it('bears a little over budget for ten seconds, not longer', () => {
    const governor = new Governor(99, 1);
    for (let second = 1; second < 12; second++) expect(governor.observe(second * 1e6, 1.2)).toBe(0);
    expect(governor.observe(12e6, 1.2)).toBe(66);
  });

  it('raises the rate again after five quiet minutes', () => {
    const governor = new Governor(99, 1);
    for (let second = 1; second < 5; second++) governor.observe(second * 1e6, 5);
    const lowered = governor.rateHz;
    expect(lowered).toBeLessThan(99);
    let raisedAt = 0;
    for (let second = 5; second < 400 && raisedAt === 0; second++)
      if (governor.observe(second * 1e6, 0.1) > lowered) raisedAt = second;
    expect(raisedAt).toBeGreaterThanOrEqual(300);
  });
});
