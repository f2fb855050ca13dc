/**
 * What the agent costs, once a second, summed up by what went on meanwhile. CPU of its thread and of V8's sampler threads
 * is that of /proc (0 elsewhere than on Linux); time of its callbacks on the main thread what it says itself.
 */
import { samplerThreads, threadCpuNanos } from '../bench/harness/threads.mjs';

const EVERY_MILLIS = 1000;

type Spent = { millis: number; threadNanos: number; callbackMicros: number; otherNanos: number };
/** Percent of a core. others: all other threads of the process, callbacks included. */
export type Cost = { threads: number; callbacks: number; others: number };

export class CostMeter {
  readonly #timer: NodeJS.Timeout;
  readonly #phases = new Map<string, Spent>();
  #before = new Map<number, number>();
  #callbackBefore = 0;
  #atMillis = performance.now();

  /** phase: what goes on right now. callbackMicros: so far. */
  constructor(
    readonly pid: number,
    readonly agentTid: number,
    readonly phase: () => string,
    readonly callbackMicros: () => number,
  ) {
    this.#timer = setInterval(() => this.#look(), EVERY_MILLIS);
    this.#look();
  }

  percents(): Record<string, Cost> {
    return Object.fromEntries(
      [...this.#phases].map(([phase, { millis, threadNanos, callbackMicros, otherNanos }]) => [
        phase,
        {
          threads: threadNanos / 1e4 / millis,
          callbacks: callbackMicros / 10 / millis,
          others: otherNanos / 1e4 / millis,
        },
      ]),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    try {
      const now = threadCpuNanos(this.pid);
      const ours = new Set([this.agentTid, ...samplerThreads(this.pid)]);
      const spent = {
        millis: performance.now() - this.#atMillis,
        threadNanos: 0,
        callbackMicros: 0,
        otherNanos: 0,
      };
      for (const [tid, cpu] of now) {
        const used = cpu - (this.#before.get(tid) ?? 0);
        spent[ours.has(tid) ? 'threadNanos' : 'otherNanos'] += used;
      }
      const callbackMicros = this.callbackMicros();
      spent.callbackMicros = callbackMicros - this.#callbackBefore;
      if (this.#before.size > 0) this.#add(this.phase(), spent);
      this.#before = now;
      this.#callbackBefore = callbackMicros;
      this.#atMillis += spent.millis;
    } catch {
      // The process has ended, or there is no /proc.
    }
  }

  #add(phase: string, spent: Spent): void {
    const sum = this.#phases.get(phase);
    if (sum === undefined) return void this.#phases.set(phase, spent);
    sum.millis += spent.millis;
    sum.threadNanos += spent.threadNanos;
    sum.callbackMicros += spent.callbackMicros;
    sum.otherNanos += spent.otherNanos;
  }
}
