import { describe, expect, it } from 'vitest';
import { PauseBaseline } from '../../../agent/aggregator/pause-baseline';

const MEGABYTE = 1e6;
const SECOND = 1e6;

/** Samples once, `seconds` after the last, then adds these pauses. */
function feed(baseline: PauseBaseline, atSecond: number, heap: number, type: string, pauses: number[]): void {
  baseline.sample(atSecond * SECOND, heap);
  for (const pause of pauses) baseline.add(type, pause);
}

const ramp = (count: number, most: number) =>
  Array.from({ length: count }, (_, i) => ((i + 1) * most) / count);

describe('PauseBaseline', () => {
  it('looks at the heap every five seconds', () => {
    const baseline = new PauseBaseline();
    expect(baseline.sample(0, MEGABYTE)).toBe(true);
    expect(baseline.sample(4.9 * SECOND, MEGABYTE)).toBe(false);
    expect(baseline.sample(5 * SECOND, MEGABYTE)).toBe(true);
    expect(baseline.sample(15 * SECOND, 0)).toBe(false);
  });

  it('says nothing before twenty pauses of a type, then their quantiles', () => {
    const baseline = new PauseBaseline();
    feed(baseline, 0, 100 * MEGABYTE, 'minor', ramp(19, 1900));
    expect(baseline.limits('minor')).toBeNull();
    feed(baseline, 5, 100 * MEGABYTE, 'minor', [2000]);
    expect(baseline.limits('minor')).toMatchObject({ count: 20, p90: 1800, p95: 1900, p99: 2000 });
    expect(baseline.limits('major')).toBeNull();
  });

  it('keeps levels of the heap apart, beyond 120 % of the moving baseline', () => {
    const baseline = new PauseBaseline();
    feed(baseline, 0, 100 * MEGABYTE, 'major', ramp(50, 10_000));
    feed(baseline, 5, 112 * MEGABYTE, 'major', []);
    expect(baseline.limits('major')!.p95).toBe(9600);
    feed(baseline, 10, 300 * MEGABYTE, 'major', []);
    // The pressed level has seen nothing yet: the nearest one's limits hold.
    expect(baseline.limits('major')!.p95).toBe(9600);
    for (const pause of ramp(50, 40_000)) baseline.add('major', pause);
    expect(baseline.limits('major')!.p95).toBe(38_400);
    expect(baseline.limits('major')!.heapBytes).toBeGreaterThan(240 * MEGABYTE);
    feed(baseline, 15, 110 * MEGABYTE, 'major', []);
    expect(baseline.limits('major')!.p95).toBe(9600);
  });

  it('follows a heap that stays where it has gone', () => {
    const baseline = new PauseBaseline();
    for (let second = 0; second < 600; second += 5) baseline.sample(second * SECOND, 100 * MEGABYTE);
    for (let second = 600; second < 1200; second += 5) baseline.sample(second * SECOND, 300 * MEGABYTE);
    expect(baseline.baselineBytes).toBeGreaterThan(295 * MEGABYTE);
  });

  it('forgets old pauses and levels, so that its memory is bounded', () => {
    const baseline = new PauseBaseline();
    feed(baseline, 0, 100 * MEGABYTE, 'minor', ramp(10_000, 9000));
    feed(baseline, 5, 100 * MEGABYTE, 'minor', ramp(256, 100));
    expect(baseline.limits('minor')).toMatchObject({ count: 256, p99: (100 * Math.ceil(0.99 * 256)) / 256 });
    for (let level = 0; level < 60; level++) {
      feed(baseline, 10 + level * 5, MEGABYTE * 1.5 ** level, 'minor', ramp(20, 500));
    }
    expect(baseline.limits('minor')!.count).toBe(20);
  });
});
