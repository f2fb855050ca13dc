/**
 * Keeps the agent inside its CPU budget. Window length moves first (window-pacer.ts); when the agent thread, V8's
 * sampler thread and the rotations together still cost more, the rate goes down, at most once a minute and only where
 * little code is loaded, because a change of rate is a stop and a start, and V8 logs all code at a start. It goes up again, a step at a time, after five quiet minutes.
 */
export const RATE_MIN_HZ = 20;
const CHANGE_EVERY_MICROS = 60e6;
const RAISE_AFTER_MICROS = 300e6;
/** Booting costs once and says nothing about what follows. */
const BOOT_MICROS = 2e6;
/** The rate moves when the mean of so many seconds is over budget, or at once when it is over by this factor. */
const MEAN_SECONDS = 10;
const GROSS_FACTOR = 3;

export class Governor {
  rateHz: number;
  #seconds: number[] = [];
  #beganMicros = 0;
  #changedAtMicros = Number.NEGATIVE_INFINITY;
  #quietSinceMicros = 0;

  constructor(
    readonly wantedHz: number,
    readonly budgetPercent: number,
  ) {
    this.rateHz = wantedHz;
  }

  /**
   * Once a second with what the agent cost in it, percent of a core. mayChange: a change of rate would not hold main up
   * for long. Gives the new rate, or 0 to leave it.
   */
  observe(nowMicros: number, costPercent: number, mayChange = true): number {
    this.#beganMicros ||= nowMicros;
    if (costPercent > this.budgetPercent) this.#quietSinceMicros = nowMicros;
    if (
      nowMicros - this.#beganMicros < BOOT_MICROS ||
      nowMicros - this.#changedAtMicros < CHANGE_EVERY_MICROS
    )
      return 0;
    this.#seconds.push(costPercent);
    if (this.#seconds.length > MEAN_SECONDS) this.#seconds.shift();
    if (!mayChange) return 0;
    const mean = this.#seconds.reduce((sum, value) => sum + value, 0) / this.#seconds.length;
    const gross = this.#seconds.length >= 2 && mean > GROSS_FACTOR * this.budgetPercent;
    if (
      (gross || (this.#seconds.length === MEAN_SECONDS && mean > this.budgetPercent)) &&
      this.rateHz > RATE_MIN_HZ
    ) {
      return this.#change(
        nowMicros,
        Math.max(RATE_MIN_HZ, this.rateHz * Math.max(0.25, (0.8 * this.budgetPercent) / mean)),
      );
    }
    if (
      this.rateHz < this.wantedHz &&
      nowMicros - Math.max(this.#quietSinceMicros, this.#changedAtMicros) > RAISE_AFTER_MICROS
    ) {
      return this.#change(nowMicros, Math.min(this.wantedHz, this.rateHz * 1.5));
    }
    return 0;
  }

  #change(nowMicros: number, hz: number): number {
    this.#changedAtMicros = nowMicros;
    this.#seconds = [];
    const rate = Math.round(hz);
    if (rate === this.rateHz) return 0;
    this.rateHz = rate;
    return rate;
  }
}
