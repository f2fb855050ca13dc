/**
 * Sampling windows to a profile: the samples whose time lies in a range, each worth one true interval of its window.
 * A CPU profile counts ticks in JavaScript, in the garbage collector and in native code without JavaScript; a wall
 * profile counts all of them, idle and blocked ones too. States without a stack get a root frame of their own.
 */

import type { CoreTables } from '../../agent/core';
import { SampleState } from '../../assembly/layout';
import { Profile, type ProfileHead } from '../profile/profile';
import type { StackTable } from '../profile/stack-table';
import { type Batch, columnPeriodMicros, type Instance, type SampleWindow } from '../store/batch';
import {
  FRAME_BLOCKED,
  FRAME_GC,
  FRAME_IDLE,
  FRAME_PROGRAM,
  FRAME_STUCK,
  fileOf,
  functionName,
} from './frame';

export type ProfileKind = 'cpu' | 'wall';

/** What was summed up of one thread or more, for the comments. Ticks are those of the range, shares by the window. */
export type TickSums = {
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
  readonly sums: TickSums = { ticks: 0, jsTicks: 0, repairedTicks: 0, lostTicks: 0, nanos: 0 };
  #kind: ProfileKind;
  #tables: CoreTables;
  /** Node of each stack of a table, 0 where not yet known. */
  #nodes = new Map<StackTable, Uint32Array>();

  constructor(kind: ProfileKind, head: ProfileHead, tables: CoreTables) {
    this.#kind = kind;
    this.#tables = tables;
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
    if (nanos <= 0) return;
    const node = this.#rootNode(FRAME_STUCK);
    const labels = this.profile.labelSet(labelsOf(instance, 0, ''));
    this.profile.add(node, labels, [periodNanos > 0 ? Math.round(nanos / periodNanos) : 0, nanos]);
  }

  /** Time that no window covers because the sampler sleeps while the program does. */
  addIdle(instance: Instance, nanos: number, periodNanos: number): void {
    if (nanos <= 0 || this.#kind === 'cpu') return;
    const labels = this.profile.labelSet(labelsOf(instance, 0, ''));
    const count = periodNanos > 0 ? Math.round(nanos / periodNanos) : 0;
    this.profile.add(this.#rootNode(FRAME_IDLE), labels, [count, nanos]);
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
    const values = [1, periodNanos];
    let labels = -1;
    let labelOf = -1;
    let inRange = 0;
    for (let index = 0; index < samples.count; index++) {
      const atMicros = samples.atMicros[index]!;
      if (atMicros < fromMicros || atMicros >= toMicros) continue;
      inRange++;
      const state = samples.state[index]!;
      if (this.#kind === 'cpu' && (state === SampleState.Idle || state === SampleState.Blocked)) continue;
      const label = samples.label[index]!;
      if (label !== labelOf) {
        labels = this.profile.labelSet(labelsOf(instance, threadId, stacks.string(label)));
        labelOf = label;
      }
      const stack = samples.stack[index]!;
      const node = stack === 0 ? this.#rootNode(ROOT_FRAMES[state]!) : this.#stackNode(stacks, stack);
      this.profile.add(node, labels, values);
    }
    const spanMicros = endMicros - startMicros;
    const covered = Math.min(toMicros, endMicros) - Math.max(fromMicros, startMicros);
    const share = spanMicros > 0 ? covered / spanMicros : 1;
    this.sums.ticks += inRange;
    this.sums.nanos += inRange * periodNanos;
    this.sums.jsTicks += window.jsTicks * share;
    this.sums.repairedTicks += window.repairedTicks * share;
    this.sums.lostTicks += window.lostTicks * share;
  }

  #rootNode(name: string): number {
    const { profile } = this;
    return profile.node(0, profile.location(profile.function(name, name, '', 0), 0));
  }

  /** The profile's node of a stack; parents are named first, without recursion. */
  #stackNode(stacks: StackTable, stack: number): number {
    let nodes = this.#nodes.get(stacks);
    if (nodes === undefined || nodes.length <= stack) {
      const grown = new Uint32Array(stacks.lastStack + 1);
      if (nodes !== undefined) grown.set(nodes);
      nodes = grown;
      this.#nodes.set(stacks, nodes);
    }
    if (nodes[stack] !== 0) return nodes[stack]!;
    const missing: number[] = [];
    let known = stack;
    for (; known !== 0 && nodes[known] === 0; known = stacks.parentOf(known)) missing.push(known);
    let node = nodes[known]!;
    for (let index = missing.length - 1; index >= 0; index--) {
      const id = missing[index]!;
      node = this.profile.node(node, this.#location(stacks, id));
      nodes[id] = node;
    }
    return node;
  }

  #location(stacks: StackTable, stack: number): number {
    const entry = stacks.functionOf(stack);
    const name = functionName(entry);
    const functionId = this.profile.function(
      name,
      systemNameOf(entry.name || name),
      fileOf(entry.url),
      entry.line,
    );
    return this.profile.location(functionId, stacks.lineOf(stack) || entry.line);
  }
}

/**
 * pprof takes a system name that equals the name for one that it may demangle as C++, and would cut `get [Symbol.x]` or
 * `<anonymous>` short; where the two differ it leaves the name alone.
 */
function systemNameOf(name: string): string {
  return /[<>[\]()]|::|^_Z|^_R/.test(name) ? '' : name;
}

function labelsOf(instance: Instance, threadId: number, label: string): string[] {
  const thread = threadId === 0 ? 'main' : `worker-${threadId}`;
  const labels = ['service', instance.service, 'instance', instance.instance, 'thread', thread];
  return label === '' ? labels : [...labels, 'label', label];
}
