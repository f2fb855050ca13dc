/**
 * pool: libuv's pool during the time asked for: how long its queue let work wait, by probes; and, where the program allows
 * the runtime's trace events, operations by kind with what they waited and ran.
 */
import { Profile } from '../../../collector/profile/profile';
import { rootNode } from '../../../collector/profile/stack-nodes';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import { probePool } from '../pool/pool-probe';
import { tracePool } from '../pool/pool-trace';
import type { ProfileContext } from './context';
import { type ProfileSource, TakeError } from './source';

const PROBE_FRAME = '(probe of the queue)';
const SECONDS_MAX = 600;
const STATUS_BUSY = 503;

export function poolSource(context: ProfileContext): ProfileSource {
  let busy = false;
  return {
    timed: true,
    take: async ({ seconds, signal }) => {
      if (busy) throw new TakeError(STATUS_BUSY, 'the pool is being looked at already, try again later');
      busy = true;
      try {
        return await poolProfile(context, Math.min(SECONDS_MAX, seconds), signal);
      } finally {
        busy = false;
      }
    },
  };
}

async function poolProfile(context: ProfileContext, seconds: number, signal: AbortSignal): Promise<Profile> {
  const profile = new Profile({
    sampleTypes: [
      { type: 'operations', unit: 'count' },
      { type: 'wait', unit: 'nanoseconds' },
      { type: 'run', unit: 'nanoseconds' },
      { type: 'total', unit: 'nanoseconds' },
    ],
    periodType: { type: 'operations', unit: 'count' },
    period: 1,
    startMillis: Date.now(),
    durationNanos: Math.round(seconds * 1e9),
    program: context.identity.service,
    comments: [],
    defaultSampleType: 'wait',
  });
  const { comments } = profile.head;
  const labels = profile.labelSet(ownerLabels(context.identity, 0));
  const add = (name: string, waitMicros: number, runMicros: number, totalMicros: number) => {
    const values = [1, waitMicros * 1000, runMicros * 1000, totalMicros * 1000];
    profile.add(rootNode(profile, name), labels, values.map(Math.round));
  };
  const traced = followed(context, seconds, signal, add);
  const { waitMicros, unanswered } = await probePool(seconds, signal);
  for (const micros of waitMicros) add(PROBE_FRAME, micros, 0, micros);
  comments.push(probeWords(waitMicros, unanswered), await traced);
  return profile;
}

/** What is to be said of operations by kind. */
async function followed(
  { data, sampling }: ProfileContext,
  seconds: number,
  signal: AbortSignal,
  add: (name: string, waitMicros: number, runMicros: number, totalMicros: number) => void,
): Promise<string> {
  if (!data.options.poolTrace)
    return 'operations by kind are not followed: RINGTAIL_POOL_TRACE=1 allows the trace events of the runtime, which can abort it under heavy load';
  if (data.samplingRefused !== '' || sampling.state === 'foreign')
    return 'operations by kind are not followed: the inspector is in other hands';
  let unknown = 0;
  const { followedMicros, windows, refusal } = await tracePool(
    seconds,
    signal,
    ({ kind, waitMicros, runMicros, durationMicros }) => {
      if (waitMicros < 0) unknown++;
      add(kind, Math.max(0, waitMicros), Math.max(0, runMicros), durationMicros);
    },
  );
  if (refusal !== '') return `operations by kind are not followed: ${refusal}`;
  const time = `${windows} windows, ${(followedMicros / 1e6).toFixed(2)} of ${seconds} s together`;
  return `operations by kind are those of ${time}; of ${unknown} the runtime tells the total only`;
}

function probeWords(waitMicros: readonly number[], unanswered: number): string {
  if (waitMicros.length === 0) return 'no probe was answered';
  const sorted = [...waitMicros].sort((left, right) => left - right);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)]! / 1000).toFixed(2);
  const late = unanswered === 0 ? '' : `; ${unanswered} of them still waited at the end`;
  return `wait in the queue by ${sorted.length} probes: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms${late}`;
}
