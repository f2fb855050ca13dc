/**
 * How long the next sampling window should be. Ending a window builds its result on main in proportion to the distinct
 * stacks it met, so the length follows the pauses: it doubles while they stay under half the budget and shrinks at once
 * when one is over. Short where stacks are diverse, long where they repeat.
 */
export const WINDOW_MIN_MILLIS = 100;
const WATCHED_MILLIS = 1000;

export class WindowPacer {
  #lengthMillis = WINDOW_MIN_MILLIS;

  constructor(
    readonly maxMillis: number,
    readonly pauseBudgetMicros: number,
  ) {}

  /** Length for a window that starts now. watched: somebody looks, so at most a second. */
  lengthMillis(watched: boolean): number {
    return Math.min(this.#lengthMillis, watched ? WATCHED_MILLIS : this.maxMillis);
  }

  /** A window of `lengthMillis` cost main `pauseMicros`. */
  observe(lengthMillis: number, pauseMicros: number): void {
    if (pauseMicros > this.pauseBudgetMicros) {
      const factor = Math.max(0.25, (0.8 * this.pauseBudgetMicros) / pauseMicros);
      this.#lengthMillis = Math.max(WINDOW_MIN_MILLIS, Math.min(this.#lengthMillis, lengthMillis) * factor);
    } else if (pauseMicros < this.pauseBudgetMicros / 2 && lengthMillis >= this.#lengthMillis * 0.5) {
      this.#lengthMillis = Math.min(this.maxMillis, this.#lengthMillis * 2);
    }
  }
}
