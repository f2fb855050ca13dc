/** block: how often and how long the event loop was held up, by the stack that held it. Types as in Go. */

import { Profile } from '../../../collector/profile/profile';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import type { StackSums } from '../stack-sums';
import type { ProfileContext } from './context';
import type { ProfileSource } from './source';
import { summedNode } from './summed-node';

const SAMPLED =
  'waits of pools and ports are sampled where there are more than 100 a second: one in 2^n stands for all, so their figures are estimates';

/** sums: of block or of mutex; amounts are µs. */
export function contentionSource(context: ProfileContext, sums: StackSums): ProfileSource {
  return {
    take: async () => {
      await context.sampling.upToDate();
      return contentionProfile(context, sums);
    },
  };
}

function contentionProfile(context: ProfileContext, sums: StackSums): Profile {
  const profile = new Profile({
    sampleTypes: [
      { type: 'contentions', unit: 'count' },
      { type: 'delay', unit: 'nanoseconds' },
    ],
    periodType: { type: 'contentions', unit: 'count' },
    period: 1,
    startMillis: Date.now(),
    durationNanos: 0,
    program: context.identity.service,
    comments: sums === context.locks ? [SAMPLED] : [],
  });
  for (const { label, frames, count, amount } of sums) {
    const labels = profile.labelSet([
      ...ownerLabels(context.identity, 0),
      ...(label === '' ? [] : ['wait', label]),
    ]);
    profile.add(summedNode(profile, frames), labels, [count, Math.round(amount * 1000)]);
  }
  return profile;
}
