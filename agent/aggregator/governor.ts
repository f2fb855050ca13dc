/**
 * Keeps the agent inside its CPU budget. Window length moves first (window-pacer.ts); when the agent thread, V8's
 * sampler thread and the rotations together still cost more, the rate goes down, at most once a minute because a change
 * of rate is a stop and a start. It goes up again, a step at a time, after five quiet minutes.
 */
export const RATE_MIN_HZ = 20;
const CHANGE_EVERY_MICROS = 60e6;
const RAISE_AFTER_MICROS = 300e6;
/** Seconds over budget in a row before the rate moves. */
const OVER_SECONDS = 2;

export class Governor {
  rateHz: number;
  #overSeconds = 0;
  #changedAtMicros = Number.NEGATIVE_INFINITY;
  #quietSinceMicros = 0;

  constructor(
    readonly wantedHz: number,
    readonly budgetPercent: number,
  ) {
    this.rateHz = wantedHz;
  }

  /** Once a second with what the agent cost in it, percent of a core. Gives the new rate, or 0 to leave it. */
  observe(nowMicros: number, costPercent: number): number {
    if (costPercent > this.budgetPercent) {
      this.#overSeconds++;
      this.#quietSinceMicros = nowMicros;
    } else {
      this.#overSeconds = 0;
    }
    if (nowMicros - this.#changedAtMicros < CHANGE_EVERY_MICROS) return 0;
    if (this.#overSeconds >= OVER_SECONDS && this.rateHz > RATE_MIN_HZ) {
      return this.#change(nowMicros, Math.max(RATE_MIN_HZ, this.rateHz * Math.max(0.25, (0.8 * this.budgetPercent) / costPercent)));
    }
    if (this.rateHz < this.wantedHz && nowMicros - Math.max(this.#quietSinceMicros, this.#changedAtMicros) > RAISE_AFTER_MICROS) {
      return this.#change(nowMicros, Math.min(this.wantedHz, this.rateHz * 1.5));
    }
    return 0;
  }

  #change(nowMicros: number, hz: number): number {
    this.#changedAtMicros = nowMicros;
    this.#overSeconds = 0;
    const rate = Math.round(hz);
    if (rate === this.rateHz) return 0;
    this.rateHz = rate;
    return rate;
  }
}
