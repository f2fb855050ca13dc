import { describe, expect, it } from 'vitest';
import type { ProfileContext } from '../../../agent/aggregator/profiles/context';
import { ticksSource } from '../../../agent/aggregator/profiles/ticks';
import type { Profile } from '../../../collector/profile/profile';

const PERIOD = 10e6;

/** A capture of a second: 20 ticks outside JavaScript and 20 idle ones in its first 400 ms, then a rest. */
async function captureWithRest(clockMicros: number, unsampledMicros: number): Promise<Profile> {
  let [now, cpu, unsampled] = [0, 0, 0];
  const listeners = new Set<(window: object, periodNanos: number, lostTicks: number) => void>();
  const window = (startMicros: number, endMicros: number, state: number[]) => ({
    threadId: 0,
    startMicros,
    endMicros,
    atMicros: Float64Array.from(state, (_, at) => startMicros + at * 1e4),
    stack: new Uint32Array(state.length),
    state: Uint8Array.from(state),
    label: null,
    jsTicks: 0,
    repairedTicks: 0,
    unnamedTicks: 0,
  });
  const capture = () => {
    [now, cpu, unsampled] = [1e6, clockMicros, unsampledMicros];
    const states = Array.from({ length: 40 }, (_, at) => (at < 20 ? 2 : 3));
    for (const listener of listeners) listener(window(0, 4e5, states), PERIOD, 0);
    for (const listener of listeners) listener(window(1e6 - 1, 1e6, []), PERIOD, 0);
  };
  const context = {
    data: { options: { cpuHz: 99 } },
    identity: { service: 'a', instance: 'b' },
    dictionary: { generation: 0, string: () => '' },
    sampling: { listeners, state: 'saving', capture, cancel() {} },
    nowMicros: () => now,
    stuckSinceMicros: () => 0,
    mainCpuMicros: () => cpu,
    unsampledCpuMicros: () => unsampled,
  } as unknown as ProfileContext;
  const request = { seconds: 1, signal: new AbortController().signal };
  return (await ticksSource(context, 'cpu').take(request as never)) as Profile;
}

describe('a profile of CPU that the agent makes itself', () => {
  it('leaves out what was burnt while sampling rested: it is neither native code in the loop nor hides waiting', async () => {
    const rested = await captureWithRest(0.8e6, 0.6e6);
    expect([...rested.values]).toEqual([20, 0.2e9]);
    const waited = await captureWithRest(0.7e6, 0.6e6);
    expect([...waited.values]).toEqual([20, 0.1e9]);
    expect(waited.head.comments.join('\n')).toContain('thread CPU clock 0.70 s');
  });

  it('still tells native code in the loop of what was sampled', async () => {
    const profile = await captureWithRest(0.95e6, 0.6e6);
    expect([...profile.values]).toEqual([20, 0.2e9, 15, 0.15e9]);
  });
});
