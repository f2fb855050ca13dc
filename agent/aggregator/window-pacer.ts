/**
 * When a sampling window should end. Ending one builds its result on main in proportion to the distinct stacks it met,
 * and those come with work, not with time: so a window is measured in CPU time of the main thread. How much of it fits
 * into the pause budget is learned: it doubles while pauses stay under half the budget and shrinks at once when one is
 * over. Short where stacks are diverse, long where they repeat or where nothing runs.
 */

/** The least work worth a window, µs of CPU. */
export const WORK_MIN_MICROS = 40e3;
const WATCHED_MICROS = 1e6;

export class WindowPacer {
  #workMicros = WORK_MIN_MICROS;

  constructor(
    readonly maxMicros: number,
    readonly pauseBudgetMicros: number,
  ) {}

  /** True when a window of `lengthMicros` with `workMicros` of CPU in it should end. watched: at most a second. */
  isDue(lengthMicros: number, workMicros: number, watched: boolean): boolean {
    return lengthMicros >= (watched ? WATCHED_MICROS : this.maxMicros) || workMicros >= this.#workMicros;
  }

  /** Work that still fits into a window that has `workMicros` of it. */
  workLeftMicros(workMicros: number): number {
    return Math.max(0, this.#workMicros - workMicros);
  }

  /** A window with `workMicros` of CPU in it cost main `pauseMicros`. */
  observe(workMicros: number, pauseMicros: number): void {
    if (pauseMicros > this.pauseBudgetMicros) {
      const factor = Math.max(0.25, (0.8 * this.pauseBudgetMicros) / pauseMicros);
      this.#workMicros = Math.max(WORK_MIN_MICROS, Math.min(this.#workMicros, workMicros) * factor);
    } else if (pauseMicros < this.pauseBudgetMicros / 2 && workMicros >= this.#workMicros * 0.5) {
      this.#workMicros = Math.min(this.maxMicros, this.#workMicros * 2);
    }
  }
}
