import { describe, expect, it } from 'vitest';
import { WindowPacer, WORK_MIN_MICROS } from '../../../agent/aggregator/window-pacer';

const S = 1e6;

describe('WindowPacer', () => {
  const grown = () => {
    const pacer = new WindowPacer(10 * S, 2000);
    for (let work = WORK_MIN_MICROS; work < 10 * S; work *= 2) pacer.observe(work, 300);
    return pacer;
  };

  it('begins with little work a window and grows while pauses stay small', () => {
    const pacer = new WindowPacer(10 * S, 2000);
    expect(pacer.isDue(0.2 * S, WORK_MIN_MICROS, false)).toBe(true);
    pacer.observe(WORK_MIN_MICROS, 300);
    expect(pacer.isDue(0.2 * S, WORK_MIN_MICROS, false)).toBe(false);
    expect(grown().isDue(9 * S, 9 * S, false)).toBe(false);
  });

  it('lets a window go on while main rests, ten seconds at most', () => {
    const pacer = new WindowPacer(10 * S, 2000);
    expect(pacer.isDue(9.9 * S, 0.03 * S, false)).toBe(false);
    expect(pacer.isDue(10 * S, 0.03 * S, false)).toBe(true);
  });

  it('shrinks at once when a pause is over budget', () => {
    const pacer = grown();
    pacer.observe(8 * S, 20_000);
    expect(pacer.isDue(2.1 * S, 2 * S, false)).toBe(true);
    expect(pacer.isDue(2.1 * S, 1.9 * S, false)).toBe(false);
  });

  it('takes one long pause among short ones for chance', () => {
    const pacer = grown();
    for (const pause of [1400, 1500, 6000, 1400, 1600]) pacer.observe(8 * S, pause);
    expect(pacer.isDue(9 * S, 7.9 * S, false)).toBe(false);
    for (const pause of [6000, 6000]) pacer.observe(8 * S, pause);
    expect(pacer.isDue(9 * S, 4 * S, false)).toBe(true);
  });

  it('finds the longest window that the budget has room for, and a longer one where it may be stretched', () => {
    // Distinct nodes as in a TypeScript compile, 5 µs each; chance makes a third of the pauses longer.
    const settle = (pacer: WindowPacer) => {
      let work = WORK_MIN_MICROS;
      const pauses = Array.from({ length: 60 }, (_, at) => {
        for (work = WORK_MIN_MICROS; !pacer.isDue(work, work, false); ) work += 10e3;
        const pause = 300 + 5 * 151 * (work / 80e3) ** 0.62;
        pacer.observe(work, pause * [1, 0.9, 1.6][at % 3]!, 10_101);
        return pause;
      });
      return { work, pause: pauses.slice(-20).sort((a, b) => a - b)[10]! };
    };
    const usual = settle(new WindowPacer(10 * S, 2000));
    expect(usual.pause).toBeGreaterThan(1100);
    expect(usual.pause).toBeLessThan(2000);
    const pacer = new WindowPacer(10 * S, 2000);
    pacer.stretch = 2;
    const stretched = settle(pacer);
    expect(stretched.pause).toBeGreaterThan(2000);
    expect(stretched.pause).toBeLessThan(4000);
    expect(stretched.work).toBeGreaterThan(2 * usual.work);
  });

  it('does not end a window that has no ticks yet, at whatever rate', () => {
    const pacer = new WindowPacer(10 * S, 2000);
    for (let i = 0; i < 9; i++) pacer.observe(200e3, 9000, 50e3);
    expect(pacer.isDue(0.5 * S, 199e3, false)).toBe(false);
    expect(pacer.isDue(0.5 * S, 200e3, false)).toBe(true);
  });

  it('gives at most a second to who watches', () => {
    expect(grown().isDue(S, 0, true)).toBe(true);
  });

  it('does not grow on windows with little work in them', () => {
    const pacer = new WindowPacer(10 * S, 2000);
    for (let i = 0; i < 20; i++) pacer.observe(1000, 100);
    expect(pacer.isDue(0.2 * S, WORK_MIN_MICROS, false)).toBe(true);
  });
});
