/**
 * Whose turn does not come: the stacks of jobs that wait in a pool's queue and of messages that wait in a port's, for the
 * mutex profile. A stack costs 5 to 15 µs, so only those of chosen waits are taken (wait-sampler.ts). Each distinct stack
 * goes to the agent thread once, as frames with a number; a wait is a record that names it. Stacks are those of the main
 * thread; in worker threads waits are counted without.
 */
import { isMainThread } from 'node:worker_threads';
import { WaitBits } from '../assembly/layout';
import { nowMicros } from './clock';
import { currentBinding, runningAgent } from './registration';
import { CreationStack } from './sources/creation-stack';
import { FrameList } from './sources/frame-list';
import type { WaitStack } from './thread-data';
import { WAIT_NOT_CHOSEN, WaitSampler } from './wait-sampler';

const STACKS_MAX = 1024;

let ofWorker: WaitSampler | null = null;

/** What a wait that begins now (µs) in the running call of `above` is recorded with: WaitBits, or WAIT_NOT_CHOSEN. Never throws. */
export function waitStack(above: (...words: never[]) => unknown, now: number): number {
  if (isMainThread) return runningAgent()?.waits?.take(above, now) ?? WAIT_NOT_CHOSEN;
  if (currentBinding().writer === null) return WAIT_NOT_CHOSEN;
  ofWorker ??= new WaitSampler();
  return ofWorker.choose(now);
}

export class WaitStacks {
  readonly #tell: (stack: WaitStack) => void;
  readonly #cost: (micros: number) => void;
  readonly #frames = new FrameList([__filename]);
  readonly #stacks = new CreationStack(this.#frames);
  readonly #numbers = new Map<string, number>();
  readonly #sampler = new WaitSampler();

  /** tell: takes each new stack; cost: what taking them has cost this thread, µs. */
  constructor(tell: (stack: WaitStack) => void, cost: (micros: number) => void) {
    this.#tell = tell;
    this.#cost = cost;
  }

  /** now: the time, µs, which whoever waits has read anyway. */
  take(above: (...words: never[]) => unknown, now: number): number {
    const shift = this.#sampler.choose(now);
    if (shift === WAIT_NOT_CHOSEN) return WAIT_NOT_CHOSEN;
    let stack = 0;
    try {
      stack = this.#numberOf(above);
    } catch {
      // Near the end of the host's stack, say: the wait counts all the same.
    }
    this.#cost(nowMicros() - now);
    return (stack << WaitBits.StackShift) | shift;
  }

  #numberOf(above: (...words: never[]) => unknown): number {
    this.#frames.take();
    this.#stacks.take(above);
    const frames = this.#frames.take();
    const key = frames.map((frame) => frame.join('\t')).join('\n');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#numbers.size >= STACKS_MAX) return 0;
    const number = this.#numbers.size + 1;
    this.#numbers.set(key, number);
    this.#tell({ waitStack: number, frames });
    return number;
  }
}
