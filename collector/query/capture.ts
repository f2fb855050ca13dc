/**
 * A capture: asks agents for short windows, waits until their time has gone by, and makes one profile of what has its
 * time in [t0, t0 + seconds) of each agent's own clock. It has its samples at the latest CAPTURE_GRACE_MILLIS after the
 * end, also when an agent hangs, is mute or has gone: then the profile says what it knows of the time that is missing.
 */
import type { CoreTables } from '../../agent/core';
import type { Agent, Agents } from '../ingest/agents';
import { addProfile } from '../profile/merge';
import { nativeLoopNanos } from '../profile/native-loop';
import type { Profile } from '../profile/profile';
import { settleCpu } from '../profile/settle';
import { type ProfileKind, profileHead, type TickSums } from '../profile/tick-profile';
import { type Instance, microsOf, wallMillisOf } from '../store/batch';
import type { Store } from '../store/store';
import { captureComments, clockComment, settledComments } from './capture-comments';
import { type Coverage, coverageOf } from './coverage';
import { clockedCpuMicros } from './cpu-clock';
import type { SourceMaps } from './source-maps';
import { WindowProfile } from './window-profile';

export const CAPTURE_GRACE_MILLIS = 1500;
/** How much longer a capture that took all of that waits for source maps. */
const SOURCE_MAPS_MILLIS = 500;

export type CaptureContext = {
  agents: Agents;
  store: Store;
  tables: CoreTables;
  sourceMaps: SourceMaps;
  /** A clock that is never set, for the deadline. */
  nowMillis: () => number;
  /** The wall clock, which agents' clocks are tied to. */
  wallMillis: () => number;
};

/** signal: the asker has gone; the capture ends at once and gives null. */
export type CaptureRequest = {
  kind: ProfileKind;
  seconds: number;
  agents: readonly Agent[];
  program: string;
  signal: AbortSignal;
};

/** When an agent began, on its own clock. note: why that is an estimate, or ''. */
type Start = { agent: Agent; t0Micros: number; note: string };

export async function capture(context: CaptureContext, request: CaptureRequest): Promise<Profile | null> {
  const { seconds, agents, signal } = request;
  const deadlineMillis = context.nowMillis() + seconds * 1000 + CAPTURE_GRACE_MILLIS;
  const starts = agents.map((agent) => startOf(context, agent, seconds, signal));
  await Promise.all(
    starts.map((start) => untilCovered(context, start, seconds * 1e6, deadlineMillis, signal)),
  );
  if (signal.aborted) return null;
  return profileOf(context, request, starts, deadlineMillis + SOURCE_MAPS_MILLIS);
}

/** Asks the agent; its reply replaces the estimate whenever it comes. */
function startOf({ wallMillis }: CaptureContext, agent: Agent, seconds: number, signal: AbortSignal): Start {
  const t0Micros = microsOf(agent.instance, wallMillis());
  const start = { agent, t0Micros, note: 'the agent did not say when it began: its time is estimated' };
  agent.link?.request('capture', seconds, signal).then(
    ({ code, t0Micros, text }) => {
      if (code === 0) Object.assign(start, { t0Micros, note: '' });
      else start.note = `the agent refused the capture: ${text}`;
    },
    (error: Error) => {
      start.note = error.message;
    },
  );
  return start;
}

/** Resolves when the agent's windows reach the end, when it has ended, at the deadline, or when the asker has gone. */
function untilCovered(
  { agents, nowMillis }: CaptureContext,
  start: Start,
  lengthMicros: number,
  deadlineMillis: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      stopListening();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const look = (agent: Agent) => {
      if (agent === start.agent && isCovered(agent, start.t0Micros + lengthMicros)) finish();
    };
    const timer = setTimeout(finish, Math.max(0, deadlineMillis - nowMillis()));
    const stopListening = agents.listen({ committed: look, ended: look });
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

function isCovered(agent: Agent, endMicros: number): boolean {
  if (agent.link === null && agent.lostMillis === 0) return true;
  if (agent.windowEndMicros >= endMicros) return true;
  const { status } = agent;
  return agent.batchEndMicros >= endMicros && status !== null && status.sampler !== 'on' && status.hang === 0;
}

function isStuck({ link, status }: Agent): boolean {
  return link !== null && status !== null && status.hang !== 0;
}

/** One profile of all agents' parts, each by the names of its own sources. */
async function profileOf(
  context: CaptureContext,
  request: CaptureRequest,
  starts: readonly Start[],
  deadlineMillis: number,
): Promise<Profile> {
  const parts = await Promise.all(
    starts.map(async (start) => {
      const part = await partOf(context, request, start);
      return context.sourceMaps.mapped(start.agent, part, deadlineMillis);
    }),
  );
  const [first, ...others] = parts as [Profile, ...Profile[]];
  for (const { head } of others) {
    first.head.period = Math.max(first.head.period, head.period);
    first.head.comments.push(...head.comments);
  }
  for (const other of others) addProfile(first, other);
  return first;
}

async function partOf(
  { store, tables }: CaptureContext,
  { kind, seconds, program }: CaptureRequest,
  { agent, t0Micros, note }: Start,
): Promise<Profile> {
  const { instance } = agent;
  const head = profileHead(kind, program, wallMillisOf(instance, t0Micros));
  head.durationNanos = seconds * 1e9;
  const windows = new WindowProfile(kind, head, tables);
  const { sums } = windows;
  const range = [t0Micros, t0Micros + seconds * 1e6] as const;
  const batches = await store.batches({
    agentId: instance.agentId,
    fromMicros: range[0],
    toMicros: range[1],
  });
  for (const batch of batches) windows.add(batch, instance, ...range);
  const coverage = coverageOf(batches, range, isStuck(agent));
  const periodNanos = sums.ticks > 0 ? sums.nanos / sums.ticks : instance.periodMicros * 1000;
  const stuckMicros = kind === 'cpu' ? coverage.stuckCpuMicros : coverage.stuckMicros;
  head.period = Math.round(periodNanos);
  head.comments.push(...captureComments(instance, batches, coverage, sums, note, range));
  if (kind === 'cpu') settle(windows, instance, clockedCpuMicros(batches, range), coverage, sums);
  windows.addStuck(instance, Math.round(stuckMicros * 1000), periodNanos);
  windows.addIdle(instance, Math.round(coverage.idleMicros * 1000), periodNanos);
  return windows.profile;
}

/** Holds an instance's samples, just added, against its CPU clock. */
function settle(
  windows: WindowProfile,
  instance: Instance,
  clockedMicros: number | null,
  { stuckCpuMicros, savingCpuMicros }: Coverage,
  sums: TickSums,
): void {
  const { comments } = windows.profile.head;
  comments.push(clockComment(instance, clockedMicros, sums));
  if (clockedMicros === null) return;
  // What burnt CPU while sampling rested, nobody saw.
  const sampledMicros = clockedMicros - savingCpuMicros;
  const seenMicros = sampledMicros - stuckCpuMicros;
  const settled = settleCpu(windows.profile, windows.isOf(instance, 0), sums, seenMicros * 1000);
  comments.push(...settledComments(instance, settled));
  const periodNanos = sums.ticks > 0 ? sums.nanos / sums.ticks : 0;
  const nativeNanos = nativeLoopNanos(sampledMicros, stuckCpuMicros, sums);
  windows.addNativeLoop(instance, Math.round(nativeNanos), periodNanos);
}
