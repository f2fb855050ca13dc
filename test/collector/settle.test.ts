import { describe, expect, it } from 'vitest';
import type { SampledCpu } from '../../collector/profile/native-loop';
import { Profile } from '../../collector/profile/profile';
import { settleCpu, settledWords } from '../../collector/profile/settle';
import { profileHead } from '../../collector/profile/tick-profile';

const PERIOD = 10_000_000;

/** ticks by stack, root first; a frame is `name@file`. */
function profileOf(ticks: Record<string, number>, labels: string[] = []): Profile {
  const profile = new Profile(profileHead('cpu', 'test', 0));
  for (const [stack, count] of Object.entries(ticks)) {
    let node = 0;
    for (const frame of stack.split(';')) {
      const [name = '', file = ''] = frame.split('@');
      node = profile.node(node, profile.location(profile.function(name, name, file, 1), 1));
    }
    profile.add(node, profile.labelSet(labels), [count, count * PERIOD]);
  }
  return profile;
}

const sampled = (cpuTicks: number, idleTicks = 0): SampledCpu => ({
  cpuTicks,
  idleTicks,
  cpuNanos: cpuTicks * PERIOD,
  idleNanos: idleTicks * PERIOD,
});

const nanosOf = (profile: Profile) => profile.values.filter((_, index) => index % 2 === 1);
const everything = () => true;

describe('samples held against the CPU clock', () => {
  it('stay where the clock agrees, or differs by no more than chance', () => {
    const profile = profileOf({ 'burn@/app.js': 900, 'readFileSync@node:fs': 100 });
    for (const clock of [1000, 990, 1100]) {
      const settled = settleCpu(profile, everything, sampled(1000, 9000), clock * PERIOD);
      expect(settled).toEqual({ waitedNanos: 0, starvedNanos: 0 });
      expect(settledWords(settled)).toEqual([]);
    }
    expect(nanosOf(profile)).toEqual([900 * PERIOD, 100 * PERIOD]);
  });

  it('lose waiting in synchronous calls first', () => {
    const profile = profileOf({
      'main@/app.js;burn@/app.js': 300,
      'main@/app.js;readSync@node:fs;read@': 500,
      'main@/app.js;readSync@/app.js': 200,
    });
    const settled = settleCpu(profile, everything, sampled(1000), 600 * PERIOD);
    expect(settled).toEqual({ waitedNanos: 400 * PERIOD, starvedNanos: 0 });
    expect(nanosOf(profile)).toEqual([300 * PERIOD, 100 * PERIOD, 200 * PERIOD]);
    expect(settledWords(settled)[0]).toMatch(/^4\.00 s of samples in synchronous calls were waiting/);
  });

  it('shrink all alike where the thread waited for a core', () => {
    const profile = profileOf({ 'a@/app.js': 600, 'b@/app.js': 400 });
    const settled = settleCpu(profile, everything, sampled(1000), 500 * PERIOD);
    expect(settled).toEqual({ waitedNanos: 0, starvedNanos: 500 * PERIOD });
    expect(nanosOf(profile)).toEqual([300 * PERIOD, 200 * PERIOD]);
    expect(profile.values.filter((_, index) => index % 2 === 0)).toEqual([600, 400]);
  });

  it('are those of one thread only', () => {
    const profile = profileOf({ 'a@/app.js': 100 }, ['thread', 'main']);
    profile.add(1, profile.labelSet(['thread', 'worker-1']), [100, 100 * PERIOD]);
    const main = profile.labelSet(['thread', 'main']);
    settleCpu(profile, (labelSet) => labelSet === main, sampled(100), 50 * PERIOD);
    expect(nanosOf(profile)).toEqual([50 * PERIOD, 100 * PERIOD]);
  });
});
