/**
 * Whose turn does not come: the stacks of jobs that wait in a pool's queue and of messages that wait in a port's, for the
 * mutex profile. A stack costs 5 to 15 µs, so of more than STACKS_PER_SECOND waits one in 2^n has its stack taken and
 * stands for all. Each distinct stack goes to the agent thread once, as frames with a number; a wait is a record that
 * names it. Stacks are those of the main thread; in worker threads waits are counted without.
 */
import { isMainThread } from 'node:worker_threads';
import { WaitBits } from '../assembly/layout';
import { nowMicros } from './clock';
import { currentBinding, runningAgent } from './registration';
import { CreationStack } from './sources/creation-stack';
import { FrameList } from './sources/frame-list';
import type { WaitStack } from './thread-data';

const STACKS_MAX = 1024;
const STACKS_PER_SECOND = 100;
const SECOND_MICROS = 1e6;
/** Another wait stands for this one. */
export const WAIT_NOT_CHOSEN = -1;

/** What a wait that begins in the running call of `above` is recorded with: WaitBits, or WAIT_NOT_CHOSEN. Never throws. */
export function waitStack(above: (...words: never[]) => unknown, now: number): number {
  if (isMainThread) return runningAgent()?.waits?.take(above, now) ?? WAIT_NOT_CHOSEN;
  return currentBinding().writer === null ? WAIT_NOT_CHOSEN : 0;
}

export class WaitStacks {
  readonly #tell: (stack: WaitStack) => void;
  readonly #cost: (micros: number) => void;
  readonly #frames = new FrameList([__filename]);
  readonly #stacks = new CreationStack(this.#frames);
  readonly #numbers = new Map<string, number>();
  /** One in 2^shift waits has its stack taken. */
  #shift = 0;
  #sinceMicros = 0;
  /** Waits and stacks since then. */
  #waits = 0;
  #taken = 0;

  /** tell: takes each new stack; cost: what taking them has cost this thread, µs. */
  constructor(tell: (stack: WaitStack) => void, cost: (micros: number) => void) {
    this.#tell = tell;
    this.#cost = cost;
  }

  /** now: the time, µs, which whoever waits has read anyway. */
  take(above: (...words: never[]) => unknown, now: number): number {
    if (now - this.#sinceMicros >= SECOND_MICROS) this.#beginSecond(now);
    if (this.#waits++ % 2 ** this.#shift !== 0) return WAIT_NOT_CHOSEN;
    const shift = this.#shift;
    this.#taken++;
    // A burst makes them rarer at once.
    if (this.#taken % STACKS_PER_SECOND === 0) this.#shift = Math.min(WaitBits.ShiftMask, shift + 1);
    let stack = 0;
    try {
      stack = this.#numberOf(above);
    } catch {
      // Near the end of the host's stack, say: the wait counts all the same.
    }
    this.#cost(nowMicros() - now);
    return (stack << WaitBits.StackShift) | shift;
  }

  #beginSecond(now: number): void {
    const perSecond = (this.#waits * SECOND_MICROS) / (now - this.#sinceMicros);
    const shift = Math.ceil(Math.log2(perSecond / STACKS_PER_SECOND));
    this.#shift = Math.min(WaitBits.ShiftMask, Math.max(0, shift));
    this.#sinceMicros = now;
    this.#waits = this.#taken = 0;
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
