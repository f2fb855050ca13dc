import { describe, expect, it } from 'vitest';
import type { HeapPoint, SiteValue } from '../../collector/profile/heap-sites';
import { evidence, leakSuspects } from '../../collector/profile/leak-suspects';

const MB = 1e6;
const SAMPLE_BYTES = 524_160;

function value(bytes: number, oldBytes = bytes): SiteValue {
  return { objects: bytes / 64, bytes, oldBytes, samples: Math.round(bytes / SAMPLE_BYTES), stack: ['main'] };
}

/** Captures a minute apart. */
function series(sites: Record<string, readonly number[]>, runId = 1): HeapPoint[] {
  const length = Math.max(...Object.values(sites).map((bytes) => bytes.length));
  return Array.from({ length }, (_, index) => ({
    atMillis: index * 60_000,
    runId,
    sites: new Map(Object.entries(sites).map(([name, bytes]) => [name, value((bytes[index] ?? 0) * MB)])),
  }));
}

describe('leak suspects', () => {
  it('are the sites that grow, the fastest first, with their evidence', () => {
    const [first, second, ...rest] = leakSuspects(
      series({ steady: [500, 500, 500, 500], slow: [10, 20, 30, 40], fast: [10, 60, 110, 160] }),
    );
    expect([first!.site, second!.site, rest.length]).toEqual(['fast', 'slow', 0]);
    expect(first!.bytesPerHour).toBeCloseTo(3000 * MB);
    expect(first!.stepsUp).toBe(3);
    expect(evidence(first!)).toMatch(/^fast: \+3000 MB an hour \(3 of 3 steps up in 180 s, /);
  });

  it('are not what wobbles within its sampling error', () => {
    expect(leakSuspects(series({ wobbles: [50, 52, 49, 53, 54] }))).toEqual([]);
  });

  it('are not what shrinks, nor one that grew once and then stayed', () => {
    expect(leakSuspects(series({ shrinks: [90, 60, 30] }))).toEqual([]);
    expect(leakSuspects(series({ filled: [0, 200, 200, 200, 200, 200, 200] }))).toEqual([]);
  });

  it('do not count what is young: work in progress looks like growth', () => {
    const points = series({ busy: [10, 60, 110] });
    for (const { sites } of points) sites.get('busy')!.oldBytes = 5 * MB;
    expect(leakSuspects(points)).toEqual([]);
  });

  it('are the oldest bytes where there is one capture only', () => {
    const [point] = series({ young: [90], old: [40], few: [0.5] });
    point!.sites.get('young')!.oldBytes = MB;
    expect(leakSuspects([point!]).map(({ site, bytesPerHour }) => [site, bytesPerHour])).toEqual([
      ['old', null],
      ['young', null],
    ]);
  });

  it('begin afresh with each run of the sampler', () => {
    const before = series({ leak: [10, 100, 200] }, 1);
    const [after] = series({ leak: [5] }, 2);
    expect(leakSuspects([...before, after!]).map(({ capturesAll }) => capturesAll)).toEqual([1]);
  });
});
