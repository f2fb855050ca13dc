/** Windows of the program's threads, as they come in, added into a profile on this side of the wire. */

import { SampleState } from '../../../assembly/layout';
import { StackNodes } from '../../../collector/profile/stack-nodes';
import {
  type Owner,
  type ProfileKind,
  profileHead,
  TickProfile,
  WAITING_STATES,
} from '../../../collector/profile/tick-profile';
import type { Dictionary } from '../dictionary';
import type { TickWindow } from '../profile-reader';

export class LocalTicks extends TickProfile {
  /** Time that windows of the main thread cover, µs. */
  coveredMicros = 0;
  readonly #byState = new Float64Array(SampleState.Blocked + 1);
  #nodes: StackNodes;
  #generation: number;

  constructor(
    kind: ProfileKind,
    readonly owner: Owner,
    readonly dictionary: Dictionary,
    startMillis: number,
  ) {
    super(kind, profileHead(kind, owner.service, startMillis));
    this.#nodes = new StackNodes(this.profile, dictionary);
    this.#generation = dictionary.generation;
  }

  /** Adds what lies in [fromMicros, toMicros). */
  add(
    window: TickWindow,
    periodNanos: number,
    lostTicks: number,
    fromMicros = Number.NEGATIVE_INFINITY,
    toMicros = Number.POSITIVE_INFINITY,
  ): void {
    const { startMicros, endMicros } = window;
    const covered = Math.min(toMicros, endMicros) - Math.max(fromMicros, startMicros);
    if (covered <= 0) return;
    this.#renew();
    const { label } = window;
    let [labelId, labels] = [0, this.labelSet(this.owner, window.threadId, '')];
    let ticks = 0;
    for (let index = 0; index < window.atMicros.length; index++) {
      const at = window.atMicros[index]!;
      if (at < fromMicros || at >= toMicros) continue;
      const state = window.state[index]!;
      ticks++;
      this.#byState[state]!++;
      if (this.kind === 'cpu' && WAITING_STATES.includes(state)) continue;
      const ticksLabel = label?.[index] ?? 0;
      if (ticksLabel !== labelId) {
        labelId = ticksLabel;
        labels = this.labelSet(this.owner, window.threadId, this.dictionary.string(labelId));
      }
      this.addTicks(this.#nodes, window.stack[index]!, state, labels, 1, periodNanos);
    }
    this.sumStates(window.threadId, ticks, this.#byState, periodNanos);
    this.#byState.fill(0);
    const share = covered / Math.max(1, endMicros - startMicros);
    if (window.threadId === 0) this.coveredMicros += covered;
    this.sums.jsTicks += window.jsTicks * share;
    this.sums.repairedTicks += window.repairedTicks * share;
    this.sums.unnamedTicks += window.unnamedTicks * share;
    this.sums.lostTicks += lostTicks * share;
    this.profile.head.period = Math.max(this.profile.head.period, Math.round(periodNanos));
  }

  /** A new epoch has given the stack ids another meaning. */
  #renew(): void {
    if (this.#generation === this.dictionary.generation) return;
    this.#generation = this.dictionary.generation;
    this.#nodes = new StackNodes(this.profile, this.dictionary);
  }
}
