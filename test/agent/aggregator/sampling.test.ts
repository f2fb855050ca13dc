import { describe, expect, it } from 'vitest';
import { Sampling, type SamplingHost } from '../../../agent/aggregator/sampling';
import { createTables } from '../../../agent/core';
import { readOptions } from '../../../agent/options';

const tables = createTables({ forceTwin: true });

/** Of a program that must not be sampled: who waits is kept all the same. */
function unsampled(): Sampling {
  const host = {
    refused: 'a debugger',
    options: readOptions({}).options,
    startWallMillis: 0,
    tables,
    nowMicros: () => 0,
  };
  return new Sampling(host as unknown as SamplingHost);
}

describe('captures', () => {
  it('of a collector end with its connection, those of others go on', () => {
    const sampling = unsampled();
    const here = {};
    sampling.capture(0, 600, 1);
    sampling.capture(0, 600, 2);
    sampling.cancelRequests();
    expect(sampling.watched(1)).toBe(false);
    sampling.capture(0, 600, 3);
    sampling.capture(0, 500, here);
    sampling.cancelRequests();
    expect(sampling.watched(1)).toBe(true);
    sampling.cancel(here);
    expect(sampling.watched(1)).toBe(false);
  });
});
