/**
 * Synchronous waits of the main thread, found in its ticks: consecutive ones inside the same synchronous call, or in
 * Atomics.wait, are one wait as long as they are many. What is long enough to be a stall is left to the stalls. Short
 * calls are seen as often as ticks fall into them, so the time is right on average and the number of calls is a lower bound.
 */
import { SampleState } from '../../assembly/layout';
import { SyncCallFinder } from '../../collector/profile/sync-calls';
import { HANG_BLOCKED } from '../wire/schema';
import type { Dictionary } from './dictionary';
import type { TickWindow } from './profile-reader';
import type { StackSums } from './stack-sums';

export const ATOMICS_WAIT = 'Atomics.wait';
/** Ticks further apart than so many periods belong to two waits. */
const APART_PERIODS = 2.5;

type Run = { stack: number; kind: string; ticks: number; lastMicros: number };

export class Waits {
  readonly #dictionary: Dictionary;
  readonly #blocked: StackSums;
  readonly #locks: StackSums;
  readonly #stallMicros: number;
  #finder: SyncCallFinder;
  #generation: number;
  #run: Run | null = null;

  /** blocked: takes all waits; locks: those in Atomics.wait. */
  constructor(dictionary: Dictionary, blocked: StackSums, locks: StackSums, stallMicros: number) {
    this.#dictionary = dictionary;
    this.#blocked = blocked;
    this.#locks = locks;
    this.#stallMicros = stallMicros;
    this.#finder = new SyncCallFinder(dictionary);
    this.#generation = dictionary.generation;
  }

  /** Windows of other threads are passed over: a pool's idle worker rests in Atomics.wait as well. */
  add(window: TickWindow, periodNanos: number): void {
    if (window.threadId !== 0) return;
    if (this.#generation !== this.#dictionary.generation) {
      this.#generation = this.#dictionary.generation;
      this.#finder = new SyncCallFinder(this.#dictionary);
      this.#run = null;
    }
    const periodMicros = periodNanos / 1000;
    for (let index = 0; index < window.atMicros.length; index++) {
      const at = window.atMicros[index]!;
      const sampled = window.stack[index]!;
      const call = sampled === 0 ? null : this.#finder.of(sampled);
      const waits = window.state[index] === SampleState.Blocked;
      const kind = call?.module || (waits ? ATOMICS_WAIT : '');
      const stack = call?.stack || (waits ? sampled : 0);
      const run = this.#run;
      if (run !== null && run.stack === stack && at - run.lastMicros < APART_PERIODS * periodMicros) {
        run.ticks++;
        run.lastMicros = at;
        continue;
      }
      this.#end(periodMicros);
      if (stack !== 0) this.#run = { stack, kind, ticks: 1, lastMicros: at };
    }
  }

  /** Whether what stalled the loop there, for less than a stall that leaves, was such a wait. kind: a HANG_*. */
  isWait(stack: number, kind: number): boolean {
    return kind === HANG_BLOCKED || this.#finder.of(stack).stack !== 0;
  }

  #end(periodMicros: number): void {
    const run = this.#run;
    this.#run = null;
    if (run === null) return;
    const micros = run.ticks * periodMicros;
    if (run.kind === ATOMICS_WAIT) this.#locks.add(this.#dictionary, run.stack, '', 1, micros);
    if (micros < this.#stallMicros) this.#blocked.add(this.#dictionary, run.stack, run.kind, 1, micros);
  }
}
