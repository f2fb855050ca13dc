import { describe, expect, it } from 'vitest';
import { unsampledHint } from '../../collector/query/unsampled-cpu';
import type { Batch } from '../../collector/store/batch';

const batch = (processCpu: number | null, mainCpu: number | null, threadId = 0) =>
  ({
    startMicros: 0,
    endMicros: 1e6,
    windows: [{ threadId }],
    status: {
      processCpuMicros: processCpu,
      mainCpuMicros: mainCpu,
      agentCpuMicros: 10_000,
      samplerCpuMicros: null,
    },
  }) as unknown as Batch;

describe('CPU of threads that are not sampled', () => {
  it('is told from a quarter of a core on, over all of the time', () => {
    expect(unsampledHint([batch(510_000, 100_000), batch(510_000, 100_000)])).toMatch(
      /^hint: 40 % of a core went to threads that are not sampled: worker threads \(RINGTAIL_WORKERS=1/,
    );
    expect(unsampledHint([batch(510_000, 100_000), batch(110_000, 100_000)])).toBe('');
  });

  it('is not told where worker threads are sampled, or CPU is not known', () => {
    expect(unsampledHint([batch(900_000, 100_000), batch(900_000, 100_000, 3)])).toBe('');
    expect(unsampledHint([batch(null, 100_000), batch(900_000, null)])).toBe('');
    expect(unsampledHint([])).toBe('');
  });
});
