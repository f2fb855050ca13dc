import { describe, expect, it } from 'vitest';
import { nativeLoopNanos } from '../../collector/profile/native-loop';
import { clockedCpuMicros } from '../../collector/query/cpu-clock';
import type { Batch } from '../../collector/store/batch';

const SECOND = 1e6;

const batchOf = (from: number, to: number, mainCpu: number | null | 'no status') =>
  ({
    startMicros: from * SECOND,
    endMicros: to * SECOND,
    status: mainCpu === 'no status' ? null : { mainCpuMicros: mainCpu === null ? null : mainCpu * SECOND },
  }) as unknown as Batch;

/** Of 99 Hz: ticks of CPU, ticks of idling. */
const sampled = (cpuTicks: number, idleTicks: number) => ({
  cpuTicks,
  idleTicks,
  cpuNanos: cpuTicks * 10.101e6,
  idleNanos: idleTicks * 10.101e6,
});

describe('the CPU clock of a range', () => {
  it('is the sum of the statuses, in proportion where they reach out of it', () => {
    const batches = [batchOf(0, 1, 0.2), batchOf(1, 2, 0.4), batchOf(2, 3.2, 0.6)];
    expect(clockedCpuMicros(batches, [0, 3 * SECOND])).toBeCloseTo(1.1 * SECOND, 3);
    expect(clockedCpuMicros(batches, [1 * SECOND, 3 * SECOND])).toBeCloseTo(0.9 * SECOND, 3);
  });

  it('is not known where a status is missing, silent, or reaches too far out', () => {
    const range = [0, 3 * SECOND] as const;
    for (const middle of [[], [batchOf(1, 2, null)], [batchOf(1, 2, 'no status')]]) {
      expect(clockedCpuMicros([batchOf(0, 1, 0.2), ...middle, batchOf(2, 3, 0.2)], range)).toBeNull();
    }
    expect(clockedCpuMicros([batchOf(-1, 3, 2)], range)).toBeNull();
    expect(clockedCpuMicros([batchOf(0, 2.8, 1)], range)).toBeNull();
    expect(clockedCpuMicros([], range)).toBeNull();
  });
});

describe('native code in the event loop', () => {
  it('is what the clock says more', () => {
    const more = nativeLoopNanos(1.5 * SECOND, 0, sampled(50, 150));
    expect(more).toBeCloseTo(1.5e9 - 50 * 10.101e6, 0);
    expect(nativeLoopNanos(1.5 * SECOND, 0.4 * SECOND, sampled(50, 150))).toBeCloseTo(more - 0.4e9, 0);
  });

  it('is never negative, never more than the idling that could hide it, and nothing within the sampling error', () => {
    expect(nativeLoopNanos(0.1 * SECOND, 0, sampled(50, 150))).toBe(0);
    expect(nativeLoopNanos(2 * SECOND, 0, sampled(150, 10))).toBe(10 * 10.101e6);
    expect(nativeLoopNanos(2 * SECOND, 0, sampled(150, 0))).toBe(0);
    expect(nativeLoopNanos(0.55 * SECOND, 0, sampled(50, 150))).toBe(0);
    expect(nativeLoopNanos(1 * SECOND, 0, sampled(0, 0))).toBe(0);
  });
});
