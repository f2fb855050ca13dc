/**
 * Sums by stack over the life of the process: how often, how much. Stacks are kept as frames and not as ids, because ids
 * end with their epoch. Bounded: what comes when all places are taken goes to one entry without frames.
 */
import type { StackFunction, StackNames } from '../../collector/profile/stack-table';
import type { ThreadFrame } from '../thread-data';

export type SummedFrame = StackFunction & { at: number };
/** frames: root first; none for the entry that takes the rest. */
export type SummedStack = { label: string; frames: readonly SummedFrame[]; count: number; amount: number };

/** Frames as main gives them, of stacks that it took itself. */
export function summedFrames(frames: readonly ThreadFrame[]): SummedFrame[] {
  return frames.map(([name, url, at]) => ({ name, url, line: name === '' ? at : 0, column: 0, at }));
}

const STACKS_MAX = 2048;
const REST_KEY = '';

export class StackSums {
  readonly #sums = new Map<string, SummedStack>();

  get size(): number {
    return this.#sums.size;
  }

  /** label: tells apart what has the same stack. */
  add(names: StackNames, stack: number, label: string, count: number, amount: number): void {
    this.addFrames(framesOf(names, stack), label, count, amount);
  }

  /** frames: root first. */
  addFrames(frames: readonly SummedFrame[], label: string, count: number, amount: number): void {
    let key = `${label}\n${frames.map((f) => `${f.name}\t${f.url}\t${f.line}\t${f.column}\t${f.at}`).join('\n')}`;
    if (!this.#sums.has(key) && this.#sums.size >= STACKS_MAX) key = REST_KEY;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      sum = {
        label: key === REST_KEY ? '' : label,
        frames: key === REST_KEY ? [] : frames,
        count: 0,
        amount: 0,
      };
      this.#sums.set(key, sum);
    }
    sum.count += count;
    sum.amount += amount;
  }

  *[Symbol.iterator](): IterableIterator<SummedStack> {
    yield* this.#sums.values();
  }
}

function framesOf(names: StackNames, stack: number): SummedFrame[] {
  const frames: SummedFrame[] = [];
  for (let id = stack; id !== 0; id = names.parentOf(id))
    frames.push({ ...names.functionOf(id), at: names.lineOf(id) });
  return frames.reverse();
}
