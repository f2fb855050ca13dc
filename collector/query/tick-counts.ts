/**
 * Counts the ticks of samples by what they are in a profile: a stack, or, where there is none, a state. A sample costs
 * an addition in a typed array that is indexed by stack id; only what was touched is looked at afterwards.
 */
import type { SampleColumns } from '../../agent/core';
import { SampleState } from '../../assembly/layout';

const STATES = SampleState.Blocked + 1;

export class TickCounts {
  /** Ticks by SampleState, of all samples that came; whoever reads them resets them. */
  readonly byState = new Float64Array(STATES);
  /** Keys: a state where there is no stack, else STATES + stack id. */
  #ticks = new Uint32Array(1024);
  #touched = new Uint32Array(1024);
  #touchedCount = 0;
  #left: Uint8Array;

  /** leftOut: states that only byState counts. */
  constructor(leftOut: readonly SampleState[]) {
    this.#left = Uint8Array.from({ length: STATES }, (_, state) => (leftOut.includes(state) ? 1 : 0));
  }

  /** Makes room for stack ids up to `lastStack`; nothing may be counted and not taken. */
  reserve(lastStack: number): void {
    const needed = STATES + lastStack + 1;
    if (needed <= this.#ticks.length) return;
    const length = Math.max(needed, this.#ticks.length * 2);
    this.#ticks = new Uint32Array(length);
    this.#touched = new Uint32Array(length);
  }

  /** Counts samples from `first` on, up to `end` or to where the label changes; returns where it stopped. */
  addRun({ stack, state, label }: SampleColumns, first: number, end: number): number {
    const ticks = this.#ticks;
    const touched = this.#touched;
    const left = this.#left;
    const { byState } = this;
    const runLabel = label[first];
    let touchedCount = this.#touchedCount;
    let index = first;
    for (; index < end && label[index] === runLabel; index++) {
      const now = state[index]!;
      byState[now]!++;
      if (left[now] === 1) continue;
      const id = stack[index]!;
      const key = id === 0 ? now : id + STATES;
      if (ticks[key]!++ === 0) touched[touchedCount++] = key;
    }
    this.#touchedCount = touchedCount;
    return index;
  }

  /** Hands over what was counted and forgets it. state: of ticks without a stack (0), else -1. */
  take(visit: (stack: number, state: number, ticks: number) => void): void {
    for (let index = 0; index < this.#touchedCount; index++) {
      const key = this.#touched[index]!;
      const ticks = this.#ticks[key]!;
      this.#ticks[key] = 0;
      if (key < STATES) visit(0, key, ticks);
      else visit(key - STATES, -1, ticks);
    }
    this.#touchedCount = 0;
  }
}
