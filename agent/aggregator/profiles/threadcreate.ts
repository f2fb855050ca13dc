/** threadcreate: worker threads that the main thread has started, by the stack that did. Types as in Go. */
import { Profile } from '../../../collector/profile/profile';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import type { ProfileContext } from './context';
import type { ProfileSource } from './source';
import { summedNode } from './summed-node';

export function threadcreateSource(context: ProfileContext): ProfileSource {
  return {
    take: async () => {
      const type = { type: 'threadcreate', unit: 'count' };
      const profile = new Profile({
        sampleTypes: [type],
        periodType: type,
        period: 1,
        startMillis: Date.now(),
        durationNanos: 0,
        program: context.identity.service,
        comments: [],
      });
      const labels = profile.labelSet(ownerLabels(context.identity, 0));
      for (const { frames, count } of context.threads)
        profile.add(summedNode(profile, frames), labels, [count]);
      return profile;
    },
  };
}
