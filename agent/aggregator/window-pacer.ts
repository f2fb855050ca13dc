/**
 * When a sampling window should end. Ending one builds its result on main in proportion to the distinct stacks it met,
 * and those come with work, not with time: so a window is measured in CPU time of the main thread. How much of it fits
 * into the pause budget is learned from the pauses of the last windows. One long pause among them is chance (a collection
 * fell into it) and changes nothing, unless it is very long.
 *
 * Short windows are dear: each stack is told once a window, and in a TypeScript compile 8 ticks have 151 distinct nodes, 64 have
 * 575. So windows are kept as long as the budget allows, and may be stretched beyond it to save CPU.
 */

/** The least work worth a window, µs of CPU; and in ticks of the sampler. */
export const WORK_MIN_MICROS = 40e3;
const WORK_MIN_TICKS = 4;
/** What a rotation costs main without a single stack, µs. */
export const ROTATION_FIXED_MICROS = 300;
const WATCHED_MICROS = 1e6;
/** Distinct nodes grow with this power of the work (the figures above). */
const NODES_POWER = 0.65;
/** What a window's pause aims at, of the budget; it may be this much below before the window grows. */
const AIM = 0.75;
const CONTENT = 0.8;
/** Windows that are looked at together. */
const SEEN = 3;
/** A pause of so many budgets shrinks the window by itself. */
const FAR_OVER = 5;

export class WindowPacer {
  #workMicros = WORK_MIN_MICROS;
  #seen: { workMicros: number; pauseMicros: number }[] = [];
  #stretch = 1;

  constructor(
    readonly maxMicros: number,
    readonly pauseBudgetMicros: number,
  ) {}

  /** How many pause budgets a rotation may take. */
  set stretch(budgets: number) {
    this.#stretch = budgets;
  }

  /** True when a window of `lengthMicros` with `workMicros` of CPU in it should end. watched: at most a second. */
  isDue(lengthMicros: number, workMicros: number, watched: boolean): boolean {
    return lengthMicros >= (watched ? WATCHED_MICROS : this.maxMicros) || workMicros >= this.#workMicros;
  }

  /** Work that still fits into a window that has `workMicros` of it. */
  workLeftMicros(workMicros: number): number {
    return Math.max(0, this.#workMicros - workMicros);
  }

  /** A window with `workMicros` of CPU in it cost main `pauseMicros`, sampled every `periodMicros`. */
  observe(workMicros: number, pauseMicros: number, periodMicros = 0): void {
    const budget = this.pauseBudgetMicros * this.#stretch;
    const least = Math.max(WORK_MIN_MICROS, WORK_MIN_TICKS * periodMicros);
    // A window that held little work tells nothing of one that is full.
    if (workMicros < this.#workMicros / 2 && pauseMicros <= budget) return;
    this.#seen.push({ workMicros, pauseMicros });
    if (this.#seen.length > SEEN) this.#seen.shift();
    const usual = pauseMicros > FAR_OVER * budget ? pauseMicros : this.#usualPause();
    const enough = AIM * budget;
    if (usual <= budget && usual >= enough * CONTENT) return;
    const factor =
      ((enough - ROTATION_FIXED_MICROS) / Math.max(1, usual - ROTATION_FIXED_MICROS)) ** (1 / NODES_POWER);
    const from = usual > budget ? Math.min(this.#workMicros, workMicros) : this.#workMicros;
    const to = from * Math.min(2, Math.max(0.25, factor || 0));
    this.#workMicros = Math.min(this.maxMicros, Math.max(least, to));
  }

  /** The middle one of the last pauses, the lower of two, each as it would be for a window of the present length. */
  #usualPause(): number {
    const pauses = this.#seen.map(({ workMicros, pauseMicros }) => {
      const growth = (this.#workMicros / Math.max(workMicros, WORK_MIN_MICROS)) ** NODES_POWER;
      return ROTATION_FIXED_MICROS + Math.max(0, pauseMicros - ROTATION_FIXED_MICROS) * growth;
    });
    return pauses.sort((a, b) => a - b)[(pauses.length - 1) >> 1]!;
  }
}
