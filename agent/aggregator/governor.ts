/**
 * Keeps the agent inside its CPU budget, by what costs the data least, first. What counts is all of it: the agent thread, V8's sampler
 * threads, the rotations, our callbacks on main.
 *
 * 1. Windows get longer (window-pacer.ts): each stack is told once a window. A rotation may then take two pause budgets.
 * 2. The rate goes down, at most once a minute. A change of rate is a stop and a start, and V8 logs all code at a start: so only
 *    where that holds main up for no longer than it may, and when as much has been overspent already, which keeps the
 *    sum below twice what the best choice would have cost. Deep and diverse stacks show in the first rotations, while a start is still cheap.
 *    One that is up to twice as dear as that is still made when ten times as much has been overspent. It goes at once to the
 *    rate that the budget leaves beside what does not depend on it.
 * 3. At the lowest rate sampling rests for part of the time (duty-cycle.ts).
 *
 * Back again, a step at a time, after five quiet minutes.
 */
import { DutyCycle } from './duty-cycle';
import { ROTATION_FIXED_MICROS } from './window-pacer';

export const RATE_MIN_HZ = 20;
/** Pause budgets that a rotation may take while the agent is over its CPU budget. */
const STRETCH_MAX = 2;
const CHANGE_EVERY_MICROS = 60e6;
const RAISE_AFTER_MICROS = 300e6;
/** Booting costs once and says nothing about what follows. */
const BOOT_MICROS = 2e6;
/** A start that holds main up for so many times longer than it may is made for a rate once so many of them were overspent. */
const DEAR_FACTOR = 2;
const DEAR_WORTH = 10;
/** Of the budget, what a new rate is meant to bring the cost to; and the smallest step down. */
const AIM_SHARE = 0.9;
const STEP_MIN = 0.25;
/** Something is done when the mean of so many seconds is over budget, or at once when it is over by this factor. */
const MEAN_SECONDS = 10;
const GROSS_FACTOR = 3;
/** Rotations in a row that foretell a cost over this many budgets; ticks that a window must hold to tell anything. */
const FORETELLING_ROTATIONS = 2;
const FORETELLING_FACTOR = 2;
const FORETELLING_TICKS = 3;

export type Rotation = { ticks: number; pauseMicros: number; workMicros: number; lengthMicros: number };

/** The sampler as it is. sampling: 'other' is off for another reason. ratePercent: of what the agent cost, what goes with the rate; 0: not known. restartMicros: what a start would hold main up, and the most that it may. held: somebody waits for its ticks. */
export type SamplerNow = {
  sampling: 'on' | 'saving' | 'other';
  ratePercent: number;
  restartMicros: number;
  restartMaxMicros: number;
  held: boolean;
};

/** What to do now: sample at another rate, rest, sample again. */
export type GovernorStep = { step: 'rate'; hz: number } | { step: 'rest' } | { step: 'wake' };

export class Governor {
  rateHz: number;
  /** How many pause budgets a rotation may take. */
  stretch = 1;
  readonly #duty: DutyCycle;
  /** What each of the last cost, percent, and of it what goes with the rate. */
  #seconds: { costPercent: number; ratePercent: number }[] = [];
  #beganMicros = 0;
  #lastMicros = 0;
  #changedAtMicros = Number.NEGATIVE_INFINITY;
  #quietSinceMicros = 0;
  #foretelling = 0;

  constructor(
    readonly wantedHz: number,
    readonly budgetPercent: number,
  ) {
    this.rateHz = wantedHz;
    this.#duty = new DutyCycle(budgetPercent);
  }

  /** Once a second with what the agent cost in it, percent of a core; null: leave all as it is. */
  observe(nowMicros: number, costPercent: number, now: SamplerNow): GovernorStep | null {
    this.#beganMicros ||= nowMicros;
    const spanMicros = nowMicros - (this.#lastMicros || nowMicros);
    this.#lastMicros = nowMicros;
    if (nowMicros - this.#beganMicros < BOOT_MICROS) return null;
    this.#duty.spend(nowMicros, spanMicros, costPercent, now.sampling === 'saving');
    if (now.sampling === 'saving') return this.#duty.isRestOver(nowMicros) ? { step: 'wake' } : null;
    if (now.sampling === 'other') return null;
    if (costPercent > this.budgetPercent) this.#quietSinceMicros = nowMicros;
    this.#seconds.push({ costPercent, ratePercent: now.ratePercent });
    if (this.#seconds.length > MEAN_SECONDS) this.#seconds.shift();
    const mean = this.#mean('costPercent');
    const gross = this.#seconds.length >= 2 && mean > GROSS_FACTOR * this.budgetPercent;
    if (gross || (this.#seconds.length === MEAN_SECONDS && mean > this.budgetPercent)) {
      return this.#spendLess(nowMicros, mean, gross, now);
    }
    return this.#spendMore(nowMicros, now);
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
    return this.#setRate(
      nowMicros,
      Math.max(RATE_MIN_HZ, (this.rateHz * 0.6 * this.budgetPercent) / foretoldPercent),
    );
  }

  #spendLess(nowMicros: number, mean: number, gross: boolean, now: SamplerNow): GovernorStep | null {
    const stretched = this.stretch === STRETCH_MAX;
    this.stretch = STRETCH_MAX;
    if (!stretched && !gross) {
      this.#seconds = [];
      return null;
    }
    const { restartMicros, restartMaxMicros } = now;
    const dear = restartMicros > restartMaxMicros;
    if (this.rateHz <= RATE_MIN_HZ) {
      const rests = !dear && !now.held && this.#duty.isRestDue(nowMicros, restartMicros);
      return rests ? { step: 'rest' } : null;
    }
    if (restartMicros > DEAR_FACTOR * restartMaxMicros || !this.#mayChangeRate(nowMicros)) return null;
    if (this.#duty.debtMicros < restartMicros * (dear ? DEAR_WORTH : 1)) return null;
    return this.#rateStep(nowMicros, Math.max(RATE_MIN_HZ, this.rateHz * this.#stepDown(mean)));
  }

  /** By what to multiply the rate for the cost to fall to what is aimed at: what does not go with the rate stays as it is. */
  #stepDown(mean: number): number {
    const rated = this.#mean('ratePercent');
    const aim = AIM_SHARE * this.budgetPercent;
    const step = rated > 0 ? (aim - (mean - rated)) / rated : aim / mean;
    return Math.max(STEP_MIN, step);
  }

  #spendMore(nowMicros: number, now: SamplerNow): GovernorStep | null {
    const quietSince = Math.max(this.#quietSinceMicros, this.#changedAtMicros);
    if (nowMicros - quietSince <= RAISE_AFTER_MICROS) return null;
    if (this.rateHz === this.wantedHz) {
      this.stretch = 1;
      return null;
    }
    if (now.restartMicros > now.restartMaxMicros) return null;
    return this.#rateStep(nowMicros, Math.min(this.wantedHz, this.rateHz * 1.5));
  }

  #mayChangeRate(nowMicros: number): boolean {
    return nowMicros - this.#changedAtMicros >= CHANGE_EVERY_MICROS;
  }

  #rateStep(nowMicros: number, hz: number): GovernorStep | null {
    const rate = this.#setRate(nowMicros, hz);
    return rate === 0 ? null : { step: 'rate', hz: rate };
  }

  #setRate(nowMicros: number, hz: number): number {
    this.#changedAtMicros = nowMicros;
    this.#foretelling = 0;
    this.#seconds = [];
    const rate = Math.round(hz);
    if (rate === this.rateHz) return 0;
    this.rateHz = rate;
    return rate;
  }

  #mean(key: 'costPercent' | 'ratePercent'): number {
    return this.#seconds.reduce((sum, second) => sum + second[key], 0) / this.#seconds.length;
  }
}
