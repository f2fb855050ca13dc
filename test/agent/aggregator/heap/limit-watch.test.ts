import { describe, expect, it } from 'vitest';
import { LimitWatch } from '../../../../agent/aggregator/heap/limit-watch';

const LIMIT = 1000;
const MINUTES = 60e6;

describe('the watch over the heap limit', () => {
  it('wants one capture when the share is reached', () => {
    const watch = new LimitWatch(90);
    expect(watch.isDue(0, 899, LIMIT)).toBe(false);
    expect(watch.isDue(1, 900, LIMIT)).toBe(true);
    expect(watch.isDue(2, 990, LIMIT)).toBe(false);
    expect(watch.isDue(20 * MINUTES, 990, LIMIT)).toBe(false);
  });

  it('wants another one only after the heap was well below, and not soon', () => {
    const watch = new LimitWatch(90);
    expect(watch.isDue(0, 950, LIMIT)).toBe(true);
    expect(watch.isDue(1 * MINUTES, 700, LIMIT)).toBe(false);
    expect(watch.isDue(2 * MINUTES, 950, LIMIT)).toBe(false);
    expect(watch.isDue(11 * MINUTES, 950, LIMIT)).toBe(true);
  });

  it('watches nothing at 0, and nothing before the limit is known', () => {
    expect(new LimitWatch(0).isDue(0, 1000, LIMIT)).toBe(false);
    expect(new LimitWatch(90).isDue(0, 0, 0)).toBe(false);
  });
});
