/**
 * asyncwait: how long asynchronous work waited between its making and its first callback, by the stack that made it,
 * during the time asked for. Promises are in it where they may be followed.
 */
import { setTimeout as after } from 'node:timers/promises';
import { AsyncBit } from '../../../assembly/layout';
import { Profile } from '../../../collector/profile/profile';
import { rootNode, StackNodes } from '../../../collector/profile/stack-nodes';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import type { StackWaits } from '../async-page';
import { callSiteOf } from '../call-site';
import { asyncComments } from './async-comments';
import type { ProfileContext } from './context';
import { NO_STACK_FRAME, openWindow, watchOf } from './goroutine';
import { type ProfileSource, TakeError } from './source';

const MARGIN_MICROS = 1e6;
const STATUS_REFUSED = 503;

export function asyncWaitSource(context: ProfileContext): ProfileSource {
  return {
    timed: true,
    take: async ({ seconds, proven, signal }) => {
      const watch = watchOf(context);
      await openWindow(watch, seconds * 1e6 + MARGIN_MICROS, { proven, signal }, AsyncBit.Waits);
      const startMillis = Date.now();
      if ((watch.state & AsyncBit.Waits) === 0)
        throw new TakeError(STATUS_REFUSED, asyncComments(watch, context.nowMicros()).join('; '));
      const before = new Map([...watch.page.waits()].map((waits) => [waits.stack, waits]));
      await after(seconds * 1000, undefined, { signal });
      const profile = waitProfile(context, before);
      profile.head.startMillis = startMillis;
      profile.head.durationNanos = Math.round(seconds * 1e9);
      return profile;
    },
  };
}

function waitProfile(context: ProfileContext, before: ReadonlyMap<number, StackWaits>): Profile {
  const watch = watchOf(context);
  const profile = new Profile({
    sampleTypes: [
      { type: 'contentions', unit: 'count' },
      { type: 'delay', unit: 'nanoseconds' },
    ],
    periodType: { type: 'contentions', unit: 'count' },
    period: 1,
    startMillis: 0,
    durationNanos: 0,
    program: context.identity.service,
    comments: asyncComments(watch, context.nowMicros()),
  });
  const labels = profile.labelSet(ownerLabels(context.identity, 0));
  const nodes = new StackNodes(profile, watch.page);
  for (const { stack, count, micros } of watch.page.waits()) {
    const earlier = before.get(stack);
    const more = (count - (earlier?.count ?? 0)) >>> 0;
    if (more === 0) continue;
    const site = callSiteOf(watch.page, stack);
    const node = site === 0 ? rootNode(profile, NO_STACK_FRAME) : nodes.of(site);
    profile.add(node, labels, [more, Math.round((micros - (earlier?.micros ?? 0)) * 1000)]);
  }
  return profile;
}
