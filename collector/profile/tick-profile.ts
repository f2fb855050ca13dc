/**
 * Ticks and times of threads as a profile. A CPU profile counts ticks in JavaScript, in the garbage collector and in
 * native code without JavaScript; a wall profile counts all of them, idle and blocked ones too. States without a stack get
 * a root frame of their own.
 */
import { labelsOfText } from '../../agent/wire/label-text';
import { SEVERAL_THREADS } from '../../agent/wire/schema';
import { SampleState } from '../../assembly/layout';
import { FRAME_BLOCKED, FRAME_GC, FRAME_IDLE, FRAME_NATIVE_LOOP, FRAME_PROGRAM, FRAME_STUCK } from './frame';
import type { SampledCpu } from './native-loop';
import { Profile, type ProfileHead } from './profile';
import { rootNode, type StackNodes } from './stack-nodes';

export type ProfileKind = 'cpu' | 'wall';

/** What was summed up of one thread or more, for the comments. Ticks are those of the range, shares by the window. */
export type TickSums = SampledCpu & {
  ticks: number;
  jsTicks: number;
  repairedTicks: number;
  unnamedTicks: number;
  lostTicks: number;
  nanos: number;
};

const ROOT_FRAMES: Readonly<Record<number, string>> = {
  [SampleState.Js]: FRAME_PROGRAM,
  [SampleState.Gc]: FRAME_GC,
  [SampleState.Program]: FRAME_PROGRAM,
  [SampleState.Idle]: FRAME_IDLE,
  [SampleState.Blocked]: FRAME_BLOCKED,
};

/** States of waiting: they take no CPU. */
export const WAITING_STATES: readonly SampleState[] = [SampleState.Idle, SampleState.Blocked];

/** Sample types are exactly Go's for the CPU profile; wall time is a profile of its own. */
export function profileHead(kind: ProfileKind, program: string, startMillis: number): ProfileHead {
  const type = { type: kind, unit: 'nanoseconds' };
  return {
    sampleTypes: [{ type: 'samples', unit: 'count' }, type],
    periodType: type,
    period: 0,
    startMillis,
    durationNanos: 0,
    program,
    comments: [],
  };
}

const OWNER_KEYS = ['service', 'instance', 'thread'];

/** Whose ticks they are. labels: what every sample of the instance carries, flat key and value (RINGTAIL_LABELS). */
export type Owner = { service: string; instance: string; labels?: readonly string[] };

export class TickProfile {
  readonly profile: Profile;
  readonly kind: ProfileKind;
  readonly sums: TickSums = {
    ticks: 0,
    jsTicks: 0,
    repairedTicks: 0,
    unnamedTicks: 0,
    lostTicks: 0,
    nanos: 0,
    cpuNanos: 0,
    idleNanos: 0,
    cpuTicks: 0,
    idleTicks: 0,
  };

  /** Label sets by label, of the owner and the thread that were asked for last. */
  readonly #labelSets = new Map<string, number>();
  #lastOwner: Owner | null = null;
  #lastThread = 0;

  constructor(kind: ProfileKind, head: ProfileHead) {
    this.kind = kind;
    this.profile = new Profile(head);
  }

  /** Ticks of one stack, or, where stack is 0, of one state. */
  addTicks(
    nodes: StackNodes,
    stack: number,
    state: number,
    labelSet: number,
    ticks: number,
    periodNanos: number,
  ): void {
    const node = stack === 0 ? rootNode(this.profile, ROOT_FRAMES[state]!) : nodes.of(stack);
    this.profile.add(node, labelSet, [ticks, ticks * periodNanos]);
  }

  /** Time that no window covers because the main thread was stuck in native code. */
  addStuck(owner: Owner, nanos: number, periodNanos: number): void {
    this.#addTime(FRAME_STUCK, owner, nanos, periodNanos);
  }

  /** CPU of the main thread that no sample shows, because V8 was told that it idles. */
  addNativeLoop(owner: Owner, nanos: number, periodNanos: number): void {
    if (this.kind === 'cpu') this.#addTime(FRAME_NATIVE_LOOP, owner, nanos, periodNanos);
  }

  /** Time that no window covers because the sampler sleeps while the program does. */
  addIdle(owner: Owner, nanos: number, periodNanos: number): void {
    if (this.kind === 'wall') this.#addTime(FRAME_IDLE, owner, nanos, periodNanos);
  }

  /** ticks: all of a thread's; byState: the same by SampleState. Idle and CPU time are the main thread's. */
  sumStates(threadId: number, ticks: number, byState: Float64Array, periodNanos: number): void {
    const idleTicks = byState[SampleState.Idle]!;
    const cpuTicks = ticks - idleTicks - byState[SampleState.Blocked]!;
    this.sums.ticks += ticks;
    this.sums.nanos += ticks * periodNanos;
    if (threadId !== 0) return;
    this.sums.cpuTicks += cpuTicks;
    this.sums.cpuNanos += cpuTicks * periodNanos;
    this.sums.idleTicks += idleTicks;
    this.sums.idleNanos += idleTicks * periodNanos;
  }

  /** An owner does not change. */
  labelSet(owner: Owner, threadId: number, label: string): number {
    if (owner !== this.#lastOwner || threadId !== this.#lastThread) {
      this.#labelSets.clear();
      this.#lastOwner = owner;
      this.#lastThread = threadId;
    }
    let labelSet = this.#labelSets.get(label);
    if (labelSet === undefined) {
      const labels = ownerLabels(owner, threadId);
      labelSet = this.profile.labelSet(label === '' ? labels : overridden(labels, labelsOfText(label)));
      this.#labelSets.set(label, labelSet);
    }
    return labelSet;
  }

  /** Tells of label sets whether they are those of one thread. */
  isOf({ service, instance }: Owner, threadId: number): (labelSet: number) => boolean {
    const wanted = new Map(pairsOf(ownerLabels({ service, instance }, threadId)));
    const known = new Map<number, boolean>();
    return (labelSet) => {
      let is = known.get(labelSet);
      if (is === undefined) {
        const labels = new Map(pairsOf(this.profile.labelSets[labelSet]!));
        is = [...wanted].every(([key, value]) => labels.get(key) === value);
        known.set(labelSet, is);
      }
      return is;
    };
  }

  #addTime(frame: string, owner: Owner, nanos: number, periodNanos: number): void {
    if (nanos <= 0) return;
    const count = periodNanos > 0 ? Math.round(nanos / periodNanos) : 0;
    this.profile.add(rootNode(this.profile, frame), this.labelSet(owner, 0, ''), [count, nanos]);
  }
}

/** The labels that every sample of every profile carries: flat key, value. */
export function ownerLabels({ service, instance, labels = [] }: Owner, threadId: number): string[] {
  const worker = threadId === SEVERAL_THREADS ? 'workers' : `worker-${threadId}`;
  const thread = threadId === 0 ? 'main' : worker;
  return overridden(['service', service, 'instance', instance, 'thread', thread], labels);
}

/** With more labels, which take the place of those with their keys; whose a sample is cannot be given by the program. */
function overridden(labels: readonly string[], more: readonly string[]): string[] {
  const all = new Map(pairsOf(labels));
  for (const [key, value] of pairsOf(more)) if (!OWNER_KEYS.includes(key)) all.set(key, value);
  return [...all].flat();
}

function pairsOf(labels: readonly string[]): [string, string][] {
  return Array.from({ length: labels.length / 2 }, (_, index) => [
    labels[index * 2]!,
    labels[index * 2 + 1]!,
  ]);
}
