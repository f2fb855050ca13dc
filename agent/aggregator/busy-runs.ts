/**
 * Rows of ticks without a rest in which one function was called by the loop: what a stall looks like in samples. A run
 * goes on across windows. It ends at an idle tick, at a gap, and where another entry into the program begins; ticks
 * without a stack (collection, native code) belong to what is around them.
 */
import { SampleState } from '../../assembly/layout';
import type { TickWindow } from './profile-reader';

/** Ticks further apart than so many periods are not in a row: somebody did not sample meanwhile. */
const GAP_PERIODS = 4;
/** A run this long is handed over as it is, lest a busy program keep one open for ever, µs. */
const RUN_MAX_MICROS = 60e6;

/** From half a period before its first tick to half a period after its last. */
export type BusyRun = { startMicros: number; endMicros: number };

export class BusyRuns {
  #entry = 0;
  #firstMicros = 0;
  #lastMicros = 0;
  /** The last tick of any kind but idle. */
  #seenMicros = 0;

  /** entryOf: what stands for the outermost function of the program in a stack, > 0; 0 for a stack without any. */
  constructor(readonly entryOf: (stack: number) => number) {}

  /** The runs that ended in this window and took at least `least`. */
  add({ atMicros, stack, state }: TickWindow, periodMicros: number, least: number): BusyRun[] {
    const ended: BusyRun[] = [];
    const end = () => {
      const run = {
        startMicros: this.#firstMicros - periodMicros / 2,
        endMicros: this.#lastMicros + periodMicros / 2,
      };
      if (this.#entry !== 0 && run.endMicros - run.startMicros >= least) ended.push(run);
      this.#entry = 0;
    };
    for (let index = 0; index < atMicros.length; index++) {
      const at = atMicros[index]!;
      const open = this.#entry !== 0;
      if (
        open &&
        (at - this.#seenMicros > GAP_PERIODS * periodMicros || at - this.#firstMicros > RUN_MAX_MICROS)
      )
        end();
      if (state[index] === SampleState.Idle) {
        end();
        continue;
      }
      this.#seenMicros = at;
      const entry = this.#entryOfTick(stack[index]!, state[index]!);
      if (entry === 0) continue;
      if (entry !== this.#entry) {
        end();
        this.#entry = entry;
        this.#firstMicros = at;
      }
      this.#lastMicros = at;
    }
    return ended;
  }

  /** Sampling has stopped: what comes next does not continue what was. */
  clear(): void {
    this.#entry = 0;
  }

  #entryOfTick(stack: number, state: number): number {
    return state === SampleState.Js || state === SampleState.Blocked ? this.entryOf(stack) : 0;
  }
}
