/**
 * Rest for the budget's sake. What the agent costs beyond its budget is a debt, in CPU time; what it stays below pays the debt
 * back. Where nothing cheaper helps any more, sampling rests until nothing is owed, so that over some minutes the cost is the
 * budget, whatever sampling costs. A debt outlives a rest that somebody ended early (a capture, a hang), and one that was not
 * long enough for it: then sampling goes on for a moment and rests again.
 */

/** Sampling goes on for so long at least, and rests for so long at most, µs. */
export const ON_MIN_MICROS = 5e6;
export const REST_MAX_MICROS = 120e6;
/** A rest ends with a start of V8's sampler: it must be worth it. Owed is the budget of so long, µs, and so many starts. */
const WORTH_MICROS = 10e6;
const WORTH_RESTARTS = 4;
/** More than the budget of so long is not held against it, µs: the longest capture at six budgets over. */
const DEBT_MAX_MICROS = 3600e6;

export class DutyCycle {
  /** CPU that was spent beyond the budget, µs. */
  debtMicros = 0;
  #resting = false;
  #phaseMicros = 0;

  constructor(readonly budgetPercent: number) {}

  /** What the agent cost in the last `spanMicros`, percent of a core, and whether sampling rests now. */
  spend(nowMicros: number, spanMicros: number, costPercent: number, resting: boolean): void {
    const owed = this.debtMicros + ((costPercent - this.budgetPercent) * spanMicros) / 100;
    this.debtMicros = Math.min(this.#budgetOf(DEBT_MAX_MICROS), Math.max(0, owed));
    if (resting === this.#resting && this.#phaseMicros !== 0) return;
    this.#resting = resting;
    this.#phaseMicros = nowMicros;
  }

  /** restartMicros: what it will hold main up to sample again. */
  isRestDue(nowMicros: number, restartMicros: number): boolean {
    const worth = Math.max(this.#budgetOf(WORTH_MICROS), WORTH_RESTARTS * restartMicros);
    return !this.#resting && nowMicros - this.#phaseMicros >= ON_MIN_MICROS && this.debtMicros >= worth;
  }

  isRestOver(nowMicros: number): boolean {
    return this.debtMicros === 0 || nowMicros - this.#phaseMicros >= REST_MAX_MICROS;
  }

  #budgetOf(micros: number): number {
    return (this.budgetPercent * micros) / 100;
  }
}
