import { performance } from 'node:perf_hooks';
import { describe, expect, it, vi } from 'vitest';
import { microsOfEntry, nowMicros } from '../../agent/clock';

function hrtimeMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

describe('the clock', () => {
  it('is CLOCK_MONOTONIC in microseconds, and never runs backwards', () => {
    for (let look = 0; look < 1000; look++) {
      const before = hrtimeMicros();
      const read = nowMicros();
      expect(read).toBeGreaterThan(before - 50); // where it is read through performance.now: how well the two were laid over each other
      expect(hrtimeMicros()).toBeGreaterThan(read - 50);
      expect(nowMicros()).toBeGreaterThanOrEqual(read);
    }
  });

  it('places the entries of perf_hooks on itself', () => {
    const off = Array.from({ length: 100 }, () => {
      const before = nowMicros();
      const entry = microsOfEntry(performance.now());
      return Math.max(before - entry, entry - nowMicros());
    });
    expect(Math.min(...off)).toBeLessThan(20);
  });

  it('is out of reach of fake timers', () => {
    vi.useFakeTimers({ toFake: ['hrtime', 'performance'] });
    try {
      const before = nowMicros();
      for (let look = 0; look < 1000 && nowMicros() === before; look++);
      expect(nowMicros()).toBeGreaterThan(before);
      expect(process.hrtime()).toEqual(process.hrtime());
    } finally {
      vi.useRealTimers();
    }
  });
});
