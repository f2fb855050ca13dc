/**
 * The stack of the hang that lasts, of one agent. An agent tells a hang ever more rarely, so a line may have to carry the
 * stack of an earlier batch, also of one from before anybody watched.
 */
import { EVENT_HANG, HANG_NATIVE, HANG_STACK_WITHIN } from '../../agent/wire/schema';
import { describeStack } from '../profile/frame';
import type { Batch } from '../store/batch';

/** sinceMicros: of the hang. */
export type HangStack = { sinceMicros: number; stack: string[]; stackFrom: 'hang' | 'before' };

export class HangStacks {
  #known: HangStack | null = null;

  add({ events, stacks, status }: Batch): void {
    for (const { kind, startMicros, a, b, stack } of events) {
      if (kind !== EVENT_HANG || stack === 0) continue;
      const within = a !== HANG_NATIVE || (b & HANG_STACK_WITHIN) !== 0;
      if (!within && this.of(startMicros)?.stackFrom === 'hang') continue;
      const stackFrom = within ? 'hang' : 'before';
      this.#known = { sinceMicros: startMicros, stack: describeStack(stacks, stack), stackFrom };
    }
    if (status?.hang === 0) this.#known = null;
  }

  /** The newest stack of a hang; one from before it only where none was seen since it began. */
  of(sinceMicros: number): HangStack | null {
    return this.#known?.sinceMicros === sinceMicros ? this.#known : null;
  }
}
