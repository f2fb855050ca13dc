/**
 * Waits for a turn that the program's pools and ports have recorded, summed by the stack that waited. A record may be read
 * before the frames of its stack have come from main: it is kept until then.
 */
import { WaitBits } from '../../assembly/layout';
import type { WaitStack } from '../thread-data';
import { type StackSums, type SummedFrame, summedFrames } from './stack-sums';

const NO_STACK: readonly SummedFrame[] = [{ name: '(no stack taken)', url: '', line: 0, column: 0, at: 0 }];
const EARLY_MAX = 1024;

type Wait = { label: string; count: number; micros: number };

export class TurnWaits {
  readonly #sums: StackSums;
  readonly #frames = new Map<number, readonly SummedFrame[]>();
  readonly #early = new Map<number, Wait[]>();

  constructor(sums: StackSums) {
    this.#sums = sums;
  }

  define({ waitStack, frames }: WaitStack): void {
    this.#frames.set(waitStack, summedFrames(frames));
    for (const { label, count, micros } of this.#early.get(waitStack) ?? [])
      this.#sums.addFrames(this.#frames.get(waitStack)!, label, count, micros);
    this.#early.delete(waitStack);
  }

  /** label: of what was waited for. bits: WaitBits. micros: of this one wait. */
  add(label: string, bits: number, micros: number): void {
    const count = 2 ** (bits & WaitBits.ShiftMask);
    const stack = bits >>> WaitBits.StackShift;
    const wait = { label, count, micros: micros * count };
    const frames = stack === 0 ? NO_STACK : this.#frames.get(stack);
    const early = this.#early.get(stack);
    if (frames !== undefined) this.#sums.addFrames(frames, label, count, wait.micros);
    else if (early === undefined) this.#early.set(stack, [wait]);
    else if (early.length < EARLY_MAX) early.push(wait);
    else this.#sums.addFrames(NO_STACK, label, count, wait.micros);
  }
}
