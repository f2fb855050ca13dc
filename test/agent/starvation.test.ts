import { describe, expect, it } from 'vitest';
import { LOOK_MICROS, readThreadFigures, Starvation, type ThreadFigures } from '../../agent/starvation';
import { ownThreadId } from '../../agent/thread-cpu';

/** What looks of a fixed length say of a thread with these shares of each. */
function looks(cpuShare: number, waitedShare: number, isReady: boolean): boolean[] {
  let nowMicros = 0;
  const figures = (): ThreadFigures => ({
    cpuMicros: nowMicros * cpuShare,
    waitedMicros: nowMicros * waitedShare,
    isReady,
  });
  const starvation = new Starvation(figures, nowMicros);
  return [1, 2, 3].map((look) => {
    nowMicros = look * LOOK_MICROS;
    const lasts = starvation.lasts(nowMicros);
    expect(starvation.lasts(nowMicros + 1)).toBe(lasts);
    return lasts;
  });
}

describe('a thread', () => {
  it.each([
    ['that waits for a core and does not get it', 0, 0, true, true],
    ['that gets a core now and then', 0.3, 0.5, false, true],
    ['that runs all the time', 0.95, 0, true, false],
    ['that sleeps', 0, 0, false, false],
    ['that works a little and waits a little', 0.1, 0.05, false, false],
  ])('%s', (_what, cpuShare, waitedShare, isReady, starves) => {
    expect(looks(cpuShare, waitedShare, isReady)).toEqual([starves, starves, starves]);
  });

  it('is given one look before anything is said, and none where the system says nothing', () => {
    const figures = { cpuMicros: 0, waitedMicros: 0, isReady: false };
    expect(new Starvation(() => figures, 0).lasts(LOOK_MICROS - 1)).toBe(true);
    expect(new Starvation(() => null, 0).lasts(1)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('has figures by its id', () => {
    const figures = readThreadFigures(ownThreadId());
    expect(figures?.cpuMicros).toBeGreaterThan(1000);
    expect(figures?.isReady).toBe(true);
    expect(readThreadFigures(0)).toBeNull();
  });
});
