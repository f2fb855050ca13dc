/** block: how often and how long the event loop was held up, by the stack that held it. Types as in Go. */

import { fileOf, functionName } from '../../../collector/profile/frame';
import { Profile } from '../../../collector/profile/profile';
import { namedLocation, rootNode } from '../../../collector/profile/stack-nodes';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import type { StackSums } from '../stack-sums';
import type { ProfileContext } from './context';
import type { ProfileSource } from './source';

const REST_FRAME = '(other stacks)';

/** name: 'block' or 'mutex'. amounts are µs. */
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
    comments: [],
  });
  for (const { label, frames, count, amount } of sums) {
    const labels = profile.labelSet([
      ...ownerLabels(context.identity, 0),
      ...(label === '' ? [] : ['wait', label]),
    ]);
    let node = frames.length === 0 ? rootNode(profile, REST_FRAME) : 0;
    for (const frame of frames) {
      const name = functionName(frame);
      node = profile.node(
        node,
        namedLocation(profile, {
          name,
          systemName: frame.name || name,
          file: fileOf(frame.url),
          startLine: frame.line,
          startColumn: frame.column,
          line: frame.at || frame.line,
        }),
      );
    }
    profile.add(node, labels, [count, Math.round(amount * 1000)]);
  }
  return profile;
}
