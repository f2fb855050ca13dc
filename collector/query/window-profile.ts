/** Sampling windows to a profile: the samples whose time lies in a range, each worth one true interval of its window. */

import type { CoreTables } from '../../agent/core';
import { firstNotBefore } from '../profile/first-not-before';
import type { ProfileHead } from '../profile/profile';
import { StackNodes } from '../profile/stack-nodes';
import type { StackTable } from '../profile/stack-table';
import { type ProfileKind, TickProfile, WAITING_STATES } from '../profile/tick-profile';
import type { Batch, Instance, SampleWindow } from '../store/batch';
import { TickCounts } from './tick-counts';

export class WindowProfile extends TickProfile {
  #tables: CoreTables;
  #counts: TickCounts;
  #nodes = new Map<StackTable, StackNodes>();

  constructor(kind: ProfileKind, head: ProfileHead, tables: CoreTables) {
    super(kind, head);
    this.#tables = tables;
    this.#counts = new TickCounts(kind === 'cpu' ? WAITING_STATES : []);
  }

  /** Adds the samples of a batch's windows that lie in [fromMicros, toMicros). */
  add(batch: Batch, instance: Instance, fromMicros: number, toMicros: number): void {
    for (const window of batch.windows) {
      if (window.endMicros <= fromMicros || window.startMicros >= toMicros) continue;
      this.#window(window, batch.stacks, instance, fromMicros, toMicros);
    }
  }

  #window(
    window: SampleWindow,
    stacks: StackTable,
    instance: Instance,
    fromMicros: number,
    toMicros: number,
  ): void {
    const { columns, sampleCount, startMicros, endMicros, periodNanos, threadId } = window;
    const samples = this.#tables.decodeColumns(columns, sampleCount, startMicros);
    const end = firstNotBefore(samples.atMicros, toMicros);
    const first = firstNotBefore(samples.atMicros, fromMicros);
    this.#counts.reserve(stacks.lastStack);
    const nodes = this.#nodesOf(stacks);
    for (let index = first; index < end; ) {
      const labelSet = this.labelSet(instance, threadId, stacks.string(samples.label[index]!));
      index = this.#counts.addRun(samples, index, end);
      this.#counts.take((stack, state, ticks) => {
        this.addTicks(nodes, stack, state, labelSet, ticks, periodNanos);
      });
    }
    const { byState } = this.#counts;
    this.sumStates(threadId, end - first, byState, periodNanos);
    byState.fill(0);
    const spanMicros = endMicros - startMicros;
    const covered = Math.min(toMicros, endMicros) - Math.max(fromMicros, startMicros);
    const share = spanMicros > 0 ? covered / spanMicros : 1;
    this.sums.jsTicks += window.jsTicks * share;
    this.sums.repairedTicks += window.repairedTicks * share;
    this.sums.unnamedTicks += window.unnamedTicks * share;
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
}
