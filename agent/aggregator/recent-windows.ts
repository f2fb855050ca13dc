/**
 * The last minute of ticks, for the join: V8's sample times and the host's events are on one clock, so what ran during a
 * stall is what was sampled during it.
 */
import { SampleState } from '../../assembly/layout';
import type { TickWindow } from './profile-reader';

const KEEP_MICROS = 60e6;

export type Culprit = {
  /** The path that most ticks of the span share: a stack id, 0 when there was no tick. */
  stack: number;
  ticks: number;
  /** The state most of those ticks were in. */
  state: number;
};

export class RecentWindows {
  #windows: TickWindow[] = [];

  add(window: TickWindow): void {
    this.#windows.push(window);
    while (this.#windows[0]!.endMicros < window.endMicros - KEEP_MICROS) this.#windows.shift();
  }

  clear(): void {
    this.#windows = [];
  }

  /** True when ticks up to `micros` are in. */
  covers(micros: number): boolean {
    const last = this.#windows[this.#windows.length - 1];
    return last !== undefined && last.endMicros >= micros;
  }

  /** Time of the last idle tick in [from, to], or `from`: where a stall that was noticed at `to` may have begun. */
  lastIdleMicros(from: number, to: number): number {
    let found = from;
    this.#each(from, to, (at, _stack, state) => {
      if (state === SampleState.Idle && at > found) found = at;
    });
    return found;
  }

  /** Time of the last tick in [from, to] that has a stack and is not idle, or `from`. */
  lastStackMicros(from: number, to: number): number {
    let found = from;
    this.#each(from, to, (at, stack, state) => {
      if (state !== SampleState.Idle && stack !== 0 && at > found) found = at;
    });
    return found;
  }

  /** How long the thread did not rest in [from, to], by its ticks, µs. */
  busyMicros(from: number, to: number, periodMicros: number): number {
    let ticks = 0;
    this.#each(from, to, (_at, _stack, state) => {
      if (state !== SampleState.Idle) ticks++;
    });
    return ticks * periodMicros;
  }

  /**
   * What ran in [from, to], idle left out: down the call tree from the root while one child holds most of the ticks.
   * V8 gives garbage collection no stack; a tick in it counts for the stack that ran before it, which made the garbage.
   */
  culprit(from: number, to: number, parentOf: (stack: number) => number): Culprit {
    const leaves = new Map<number, number>();
    const states = new Map<number, number>();
    let ticks = 0;
    let before = 0;
    this.#each(from, to, (_at, sampled, state) => {
      if (state === SampleState.Idle) return;
      const stack = state === SampleState.Gc && before !== 0 ? before : sampled;
      if (state !== SampleState.Gc) before = sampled;
      ticks++;
      addTo(states, state, 1);
      addTo(leaves, stack, 1);
    });
    const totals = new Map<number, number>();
    for (const [leaf, count] of leaves)
      for (let at = leaf; at !== 0; at = parentOf(at)) addTo(totals, at, count);
    const hottestChild = new Map<number, number>();
    for (const [stack, total] of totals) {
      const parent = parentOf(stack);
      if (total > (totals.get(hottestChild.get(parent) ?? 0) ?? 0)) hottestChild.set(parent, stack);
    }
    let stack = 0;
    for (let total = ticks; ; ) {
      const next = hottestChild.get(stack) ?? 0;
      const nextTotal = totals.get(next) ?? 0;
      if (nextTotal * 2 <= total || next === 0) break;
      stack = next;
      total = nextTotal;
    }
    return { stack, ticks, state: mostFrequent(states) };
  }

  /**
   * What ran around [from, to], which has no stack of its own: the stack of the last tick before it, else of the first
   * one after it, within `slack` and with no idle tick between; 0 where there is none.
   */
  neighbour(from: number, to: number, slack: number): number {
    let [before, after] = [0, 0];
    let rested = false;
    this.#each(from - slack, to + slack, (at, stack, state) => {
      const waits = state === SampleState.Idle;
      const runs = stack !== 0 && (state === SampleState.Js || state === SampleState.Blocked);
      if (at <= to) {
        if (waits) before = 0;
        else if (runs) before = stack;
      } else if (waits) rested = true;
      else if (runs && !rested && after === 0) after = stack;
    });
    return before || after;
  }

  #each(from: number, to: number, visit: (at: number, stack: number, state: number) => void): void {
    for (const window of this.#windows) {
      if (window.endMicros < from || window.startMicros > to) continue;
      for (let i = 0; i < window.atMicros.length; i++) {
        const at = window.atMicros[i]!;
        if (at >= from && at <= to) visit(at, window.stack[i]!, window.state[i]!);
      }
    }
  }
}

function addTo(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function mostFrequent(counts: Map<number, number>): number {
  let best = 0;
  let most = 0;
  for (const [value, count] of counts) {
    if (count > most) {
      best = value;
      most = count;
    }
  }
  return best;
}
