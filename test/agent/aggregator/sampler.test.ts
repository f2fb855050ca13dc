import { describe, expect, it } from 'vitest';
import { Sampler, type SamplerSession } from '../../../agent/aggregator/sampler';

/** A session of a thread that answers each rotation with a pause and a size of code, after it has waited for a core. */
function startedSampler(start: { pauseMicros: number; waitedMicros: number; codeBytes: number }): Sampler {
  let waited = 1e6;
  const session: SamplerSession = {
    post(method, _parameters, callback) {
      if (method === 'Runtime.evaluate') return callback?.(null, { result: { objectId: 'holder' } });
      if (method !== 'Runtime.callFunctionOn') return callback?.(null, {});
      waited += start.waitedMicros;
      callback?.(null, { result: { value: [start.pauseMicros, start.codeBytes] } });
    },
    on() {},
    disconnect() {},
  };
  const events = { onProfile() {}, onRotated() {}, onNote() {}, onRestart() {} };
  const sampler = new Sampler(
    () => 0,
    events,
    () => session,
    () => waited,
  );
  sampler.start(10_101);
  return sampler;
}

describe('what a restart of the sampler would cost', () => {
  it('is what the start took', () => {
    expect(startedSampler({ pauseMicros: 9000, waitedMicros: 0, codeBytes: 100_000 }).restartMicros).toBe(
      9000,
    );
  });

  it('leaves out what the thread waited for a core', () => {
    const sampler = startedSampler({ pauseMicros: 83_000, waitedMicros: 75_000, codeBytes: 100_000 });
    expect(sampler.restartMicros).toBe(8000);
  });

  it('stays at what so much code costs, when more was waited than the start can have taken', () => {
    const sampler = startedSampler({ pauseMicros: 400_000, waitedMicros: 500_000, codeBytes: 9_000_000 });
    expect(sampler.restartMicros).toBe(360_000);
  });

  it('is never more than what was seen', () => {
    const sampler = startedSampler({ pauseMicros: 5000, waitedMicros: 6000, codeBytes: 9_000_000 });
    expect(sampler.restartMicros).toBe(5000);
  });
});
