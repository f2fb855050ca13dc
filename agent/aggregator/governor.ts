/**
 * Keeps the agent inside its CPU budget. Window length moves first (window-pacer.ts); when the agent thread, V8's
 * sampler thread and the rotations together still cost more, the rate goes down, at most once a minute and only where
 * little code is loaded, because a change of rate is a stop and a start, and V8 logs all code at a start. It goes up again, a step at a time,
 * after five quiet minutes. Deep and diverse stacks show in the first rotations already, while a start is still cheap.
 */
import { ROTATION_FIXED_MICROS } from './window-pacer';

export const RATE_MIN_HZ = 20;
const CHANGE_EVERY_MICROS = 60e6;
const RAISE_AFTER_MICROS = 300e6;
/** Booting costs once and says nothing about what follows. */
const BOOT_MICROS = 2e6;
/** The rate moves when the mean of so many seconds is over budget, or at once when it is over by this factor. */
const MEAN_SECONDS = 10;
const GROSS_FACTOR = 3;
/** Rotations in a row that foretell a cost over this many budgets; ticks that a window must hold to tell anything. */
const FORETELLING_ROTATIONS = 2;
const FORETELLING_FACTOR = 2;
const FORETELLING_TICKS = 3;

export type Rotation = { ticks: number; pauseMicros: number; workMicros: number; lengthMicros: number };

export class Governor {
  rateHz: number;
  #seconds: number[] = [];
  #beganMicros = 0;
  #changedAtMicros = Number.NEGATIVE_INFINITY;
  #quietSinceMicros = 0;
  #foretelling = 0;

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

  /** After each rotation: what its pause a tick foretells at this rate. Gives the new rate, or 0 to leave it. */
  observeRotation(
    nowMicros: number,
    { ticks, pauseMicros, workMicros, lengthMicros }: Rotation,
    mayChange: boolean,
  ): number {
    if (ticks < FORETELLING_TICKS) return 0;
    const perTickMicros = Math.max(0, pauseMicros - ROTATION_FIXED_MICROS) / ticks;
    const share = Math.min(1, workMicros / Math.max(1, lengthMicros));
    const foretoldPercent = (100 * perTickMicros * this.rateHz * share) / 1e6;
    this.#foretelling = foretoldPercent > FORETELLING_FACTOR * this.budgetPercent ? this.#foretelling + 1 : 0;
    if (this.#foretelling < FORETELLING_ROTATIONS || !mayChange || this.rateHz <= RATE_MIN_HZ) return 0;
    if (nowMicros - this.#changedAtMicros < CHANGE_EVERY_MICROS) return 0;
    return this.#change(
      nowMicros,
      Math.max(RATE_MIN_HZ, (this.rateHz * 0.6 * this.budgetPercent) / foretoldPercent),
    );
  }

  #change(nowMicros: number, hz: number): number {
    this.#changedAtMicros = nowMicros;
    this.#foretelling = 0;
    this.#seconds = [];
    const rate = Math.round(hz);
    if (rate === this.rateHz) return 0;
    this.rateHz = rate;
    return rate;
  }
}
