import { describe, expect, it } from 'vitest';
import { type ConsoleProfile, Sampler, type SamplerSession } from '../../../agent/aggregator/sampler';

/** A sampler on that session, whose thread has waited for a core so long. */
function started(
  session: SamplerSession,
  waited: () => number,
  onRotated: (own: number, pause: number) => void = () => {},
): Sampler {
  const events = { onProfile() {}, onRotated, onNote() {}, onRestart() {} };
  const sampler = new Sampler(
    () => 0,
    events,
    () => session,
    waited,
  );
  sampler.start(10_101);
  return sampler;
}

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
  return started(session, () => waited);
}

const WINDOW = { nodes: [], startTime: 0, endTime: 1 };

describe('the end of sampling', () => {
  function endedSampler() {
    const told: unknown[] = [];
    const connections: string[] = [];
    let tell: (message: { params: { title?: string; profile: unknown } }) => void = () => {};
    const session: SamplerSession = {
      post(method, parameters, callback) {
        if (method === 'Runtime.evaluate') return callback?.(null, { result: { objectId: 'holder' } });
        if (method !== 'Runtime.callFunctionOn') return callback?.(null, {});
        const [, last] = (parameters as { arguments: { value: string }[] }).arguments;
        if (last!.value !== '') tell({ params: { title: last!.value, profile: WINDOW } });
        callback?.(null, { result: { value: [900, 1e5] } });
      },
      on(_event, listener) {
        tell = listener as typeof tell;
      },
      disconnect() {
        connections.push('disconnected');
      },
    };
    const events = {
      onProfile: (profile: unknown) => void told.push(profile),
      onRotated() {},
      onNote() {},
      onRestart() {},
    };
    const sampler = new Sampler(
      () => 0,
      events,
      () => {
        connections.push('connected');
        return session;
      },
    );
    sampler.start(10_101);
    return { sampler, told, connections };
  }

  it('lets go of the thread before its last window is read', () => {
    const { sampler, told, connections } = endedSampler();
    sampler.end(() => {
      expect(connections).toEqual(['connected', 'disconnected']);
      expect(told).toEqual([]);
    });
    sampler.tellLast();
    sampler.tellLast();
    expect(told).toEqual([WINDOW]);
    expect.assertions(3);
  });

  it('is for good: whatever was about to start it again, it takes hold of nothing', () => {
    const { sampler, connections } = endedSampler();
    sampler.end(() => {});
    let started = true;
    sampler.start(10_101, (does) => {
      started = does;
    });
    expect(started).toBe(false);
    expect(connections).toEqual(['connected', 'disconnected']);
  });
});

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

describe('the pause of a rotation', () => {
  const rotate = (pauseMicros: number, waitedMicros: number, nodes: number) => {
    let waited = 0;
    let told = { own: 0, pause: 0 };
    let finished: (message: ConsoleProfile) => void = () => {};
    const session: SamplerSession = {
      post(method, parameters, callback) {
        if (method === 'Runtime.evaluate') return callback?.(null, { result: { objectId: 'holder' } });
        if (method !== 'Runtime.callFunctionOn') return callback?.(null, {});
        const [, last] = (parameters as { arguments: { value: string }[] }).arguments;
        if (last!.value !== '')
          finished({
            params: { title: last!.value, profile: { nodes: new Array(nodes), startTime: 0, endTime: 1 } },
          });
        waited += waitedMicros;
        callback?.(null, { result: { value: [pauseMicros, 0] } });
      },
      on(_event, listener) {
        finished = listener;
      },
      disconnect() {},
    };
    const onRotated = (own: number, pause: number) => {
      told = { own, pause };
    };
    const sampler = started(session, () => waited, onRotated);
    sampler.rotate();
    return told;
  };

  it('leaves out what the thread waited for a core', () => {
    expect(rotate(9000, 0, 100).own).toBe(9000);
    expect(rotate(9000, 7000, 100).own).toBe(2000);
  });

  it('is no less than its nodes must have cost: the wait may have come before it', () => {
    expect(rotate(2000, 50_000, 200).own).toBe(1100);
    expect(rotate(500, 50_000, 200).own).toBe(500);
  });

  it('is told with those waits, too: main was held up by them', () => {
    expect(rotate(9000, 7000, 100)).toEqual({ own: 2000, pause: 9000 });
  });
});
