import { beforeEach, describe, expect, it } from 'vitest';
import { HangWatch } from '../../../agent/aggregator/hang-watch';
import { HANG_JS, HANG_NATIVE } from '../../../agent/wire/schema';

const MS = 1000;

describe('HangWatch', () => {
  let log: string[];
  let kind: number;
  let openSince: number;
  let watch: HangWatch;
  beforeEach(() => {
    log = [];
    kind = 0;
    openSince = 0;
    watch = new HangWatch(200 * MS, 100 * MS, {
      cut: () => log.push('cut') > 0,
      openSinceMicros: () => openSince,
      kindOf: () => kind,
      tell: (told, since, duration) => void log.push(`tell ${told} since ${since / MS} for ${duration / MS}`),
      ended: (told, start, duration) =>
        void log.push(`ended ${told} from ${start / MS} for ${duration / MS}`),
    });
  });

  it('says nothing while answers come in time, and tells late ones that may be part of a stall', () => {
    watch.pinged(1000 * MS);
    watch.check(1080 * MS);
    expect(watch.answered(1090 * MS)).toBe(90 * MS);
    expect(log).toEqual([]);
    watch.pinged(2000 * MS);
    watch.check(2150 * MS);
    expect(watch.answered(2180 * MS)).toBe(180 * MS);
    expect(log).toEqual(['ended 0 from 2000 for 180']);
  });

  it('cuts the window, then names a hang in JavaScript while it lasts, ever more rarely', () => {
    watch.pinged(1000 * MS);
    watch.check(1210 * MS);
    kind = HANG_JS;
    watch.check(1260 * MS);
    watch.check(1310 * MS);
    expect(log).toEqual(['cut', `tell ${HANG_JS} since 1000 for 260`]);
    watch.check(2270 * MS);
    watch.check(2320 * MS);
    expect(log.slice(2)).toEqual(['cut', `tell ${HANG_JS} since 1000 for 1320`]);
    for (let at = 2370; at < 61_000; at += 50) watch.check(at * MS);
    const tellings = log.filter((line) => line.startsWith('tell')).length;
    expect(tellings).toBeGreaterThan(8);
    expect(tellings).toBeLessThan(20);
    watch.answered(61_000 * MS);
    expect(log.at(-1)).toBe(`ended ${HANG_JS} from 1000 for 60000`);
    expect(watch.current).toBeNull();
  });

  it('calls it native when the inspector gets no answer either', () => {
    watch.pinged(1000 * MS);
    watch.check(1210 * MS);
    openSince = 1210 * MS;
    watch.check(1300 * MS);
    expect(log).toEqual(['cut']);
    watch.check(1420 * MS);
    expect(log.at(-1)).toBe(`tell ${HANG_NATIVE} since 1000 for 420`);
  });

  it('takes a suspension off: no stall when nobody ran', () => {
    watch.pinged(1000 * MS);
    watch.suspended(5000 * MS);
    watch.check(6020 * MS);
    expect(watch.answered(6030 * MS)).toBe(30 * MS);
    expect(log).toEqual([]);
  });
});
