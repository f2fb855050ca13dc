/**
 * Sampling windows to a profile: the samples whose time lies in a range, each worth one true interval of its window.
 * A CPU profile counts ticks in JavaScript, in the garbage collector and in native code without JavaScript; a wall
 * profile counts all of them, idle and blocked ones too. States without a stack get a root frame of their own.
 */

import type { CoreTables } from '../../agent/core';
import { SampleState } from '../../assembly/layout';
import {
  FRAME_BLOCKED,
  FRAME_GC,
  FRAME_IDLE,
  FRAME_NATIVE_LOOP,
  FRAME_PROGRAM,
  FRAME_STUCK,
} from '../profile/frame';
import { Profile, type ProfileHead } from '../profile/profile';
import { rootNode, StackNodes } from '../profile/stack-nodes';
import type { StackTable } from '../profile/stack-table';
import { type Batch, columnPeriodMicros, type Instance, type SampleWindow } from '../store/batch';
import type { SampledCpu } from './cpu-clock';
import { firstNotBefore, TickCounts } from './tick-counts';

export type ProfileKind = 'cpu' | 'wall';

/** What was summed up of one thread or more, for the comments. Ticks are those of the range, shares by the window. */
export type TickSums = SampledCpu & {
  ticks: number;
  jsTicks: number;
  repairedTicks: number;
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
const WAITING = [SampleState.Idle, SampleState.Blocked];

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

export class WindowProfile {
  readonly profile: Profile;
  readonly sums: TickSums = {
    ticks: 0,
    jsTicks: 0,
    repairedTicks: 0,
    lostTicks: 0,
    nanos: 0,
    cpuNanos: 0,
    idleNanos: 0,
    cpuTicks: 0,
    idleTicks: 0,
  };
  #kind: ProfileKind;
  #tables: CoreTables;
  #counts: TickCounts;
  #nodes = new Map<StackTable, StackNodes>();

  constructor(kind: ProfileKind, head: ProfileHead, tables: CoreTables) {
    this.#kind = kind;
    this.#tables = tables;
    this.#counts = new TickCounts(kind === 'cpu' ? WAITING : []);
    this.profile = new Profile(head);
  }

  /** Adds the samples of a batch's windows that lie in [fromMicros, toMicros). */
  add(batch: Batch, instance: Instance, fromMicros: number, toMicros: number): void {
    for (const window of batch.windows) {
      if (window.endMicros <= fromMicros || window.startMicros >= toMicros) continue;
      this.#window(window, batch.stacks, instance, fromMicros, toMicros);
    }
  }

  /** Time that no window covers because the main thread was stuck in native code. */
  addStuck(instance: Instance, nanos: number, periodNanos: number): void {
    this.#addTime(FRAME_STUCK, instance, nanos, periodNanos);
  }

  /** CPU of the main thread that no sample shows, because V8 was told that it idles. */
  addNativeLoop(instance: Instance, nanos: number, periodNanos: number): void {
    if (this.#kind === 'cpu') this.#addTime(FRAME_NATIVE_LOOP, instance, nanos, periodNanos);
  }

  /** Time that no window covers because the sampler sleeps while the program does. */
  addIdle(instance: Instance, nanos: number, periodNanos: number): void {
    if (this.#kind === 'wall') this.#addTime(FRAME_IDLE, instance, nanos, periodNanos);
  }

  #addTime(frame: string, instance: Instance, nanos: number, periodNanos: number): void {
    if (nanos <= 0) return;
    const labels = this.profile.labelSet(labelsOf(instance, 0, ''));
    const count = periodNanos > 0 ? Math.round(nanos / periodNanos) : 0;
    this.profile.add(rootNode(this.profile, frame), labels, [count, nanos]);
  }

  #window(
    window: SampleWindow,
    stacks: StackTable,
    instance: Instance,
    fromMicros: number,
    toMicros: number,
  ): void {
    const { columns, sampleCount, startMicros, endMicros, periodNanos, threadId } = window;
    const samples = this.#tables.decodeColumns(columns, sampleCount, startMicros, columnPeriodMicros(window));
    const end = firstNotBefore(samples.atMicros, toMicros);
    const first = firstNotBefore(samples.atMicros, fromMicros);
    this.#counts.reserve(stacks.lastStack);
    const nodes = this.#nodesOf(stacks);
    for (let index = first; index < end; ) {
      const labels = labelsOf(instance, threadId, stacks.string(samples.label[index]!));
      const labelSet = this.profile.labelSet(labels);
      index = this.#counts.addRun(samples, index, end);
      this.#counts.take((stack, state, ticks) => {
        const node = stack === 0 ? rootNode(this.profile, ROOT_FRAMES[state]!) : nodes.of(stack);
        this.profile.add(node, labelSet, [ticks, ticks * periodNanos]);
      });
    }
    const inRange = end - first;
    this.#sumStates(threadId, inRange, periodNanos);
    const spanMicros = endMicros - startMicros;
    const covered = Math.min(toMicros, endMicros) - Math.max(fromMicros, startMicros);
    const share = spanMicros > 0 ? covered / spanMicros : 1;
    this.sums.ticks += inRange;
    this.sums.nanos += inRange * periodNanos;
    this.sums.jsTicks += window.jsTicks * share;
    this.sums.repairedTicks += window.repairedTicks * share;
    this.sums.lostTicks += window.lostTicks * share;
  }

  #nodesOf(stacks: StackTable): StackNodes {
    let nodes = this.#nodes.get(stacks);
    if (nodes === undefined) {
      nodes = new StackNodes(this.profile, stacks);
      this.#nodes.set(stacks, nodes);
    }
    return nodes;
  }

  /** Takes the states of the samples that were counted; idle and CPU time are the main thread's. */
  #sumStates(threadId: number, ticks: number, periodNanos: number): void {
    const { byState } = this.#counts;
    const idleTicks = byState[SampleState.Idle]!;
    const cpuTicks = ticks - idleTicks - byState[SampleState.Blocked]!;
    byState.fill(0);
    if (threadId !== 0) return;
    this.sums.cpuTicks += cpuTicks;
    this.sums.cpuNanos += cpuTicks * periodNanos;
    this.sums.idleTicks += idleTicks;
    this.sums.idleNanos += idleTicks * periodNanos;
  }
}

function labelsOf(instance: Instance, threadId: number, label: string): string[] {
  const thread = threadId === 0 ? 'main' : `worker-${threadId}`;
  const labels = ['service', instance.service, 'instance', instance.instance, 'thread', thread];
  return label === '' ? labels : [...labels, 'label', label];
}
