/**
 * What heap sampling costs main, by how much the program allocates: a sample walks the stack, 5 to 25 µs. Between two minor
 * collections a program fills its young space once, so their number tells how much it allocates, without asking V8 for
 * anything. Where that is over the share of the budget, the interval grows: sampling begins anew, and knows nothing of what
 * was allocated before, so it is done only when it lasts, and never back. What is far over it need not last as long.
 */

const SAMPLE_MICROS = 12;
/** Of the agent's whole budget. */
const BUDGET_SHARE = 0.4;
/** How long one look counts, how many in a row must exceed what is allowed, and by how much. */
const BRIEF = { micros: 2e6, looks: 2, times: 4 };
const LONG = { micros: 10e6, looks: 3, times: 1 };
/** Fewer collections than this in a look say nothing. */
const MINORS_MIN = 3;
/** The new interval leaves this much of the allowed cost unused. */
const ROOM = 0.5;
const INTERVAL_BYTES_MAX = 16 * 1024 * 1024;

export class SamplingCost {
  readonly #looks = [new Look(BRIEF), new Look(LONG)];

  /** budgetPercent: of one core, for the whole agent. */
  constructor(readonly budgetPercent: number) {}

  /** startMicros: of the collection, which may have been long ago: main tells its collections when its loop turns. */
  sawMinor(startMicros: number): void {
    for (const look of this.#looks) look.count(startMicros);
  }

  /** True when it is time to look, and there is enough to look at. */
  isDue(nowMicros: number): boolean {
    let isDue = false;
    for (const look of this.#looks) isDue = look.isDue(nowMicros) || isDue;
    return isDue;
  }

  /** youngBytes: what the young space holds. Gives the interval to change to, bytes, or 0 to leave it. */
  look(nowMicros: number, youngBytes: number, intervalBytes: number): number {
    const shareOfMinor = ((youngBytes / intervalBytes) * SAMPLE_MICROS) / 1e6;
    const allowed = (this.budgetPercent / 100) * BUDGET_SHARE;
    let share = 0;
    for (const look of this.#looks)
      if (look.isDue(nowMicros)) share ||= look.excess(nowMicros, shareOfMinor, allowed);
    if (share === 0) return 0;
    for (const look of this.#looks) look.startOver(nowMicros);
    let factor = 1;
    while (share / factor > allowed * ROOM && intervalBytes * factor * 2 <= INTERVAL_BYTES_MAX) factor *= 2;
    return factor === 1 ? 0 : intervalBytes * factor;
  }
}

/** Looks of one length, each beginning where the one before ended. */
class Look {
  #minors = 0;
  #fromMicros = 0;
  #sinceMicros = 0;
  #excesses = 0;

  constructor(readonly rule: { micros: number; looks: number; times: number }) {}

  count(startMicros: number): void {
    this.#minors++;
    this.#fromMicros = Math.min(this.#fromMicros, startMicros);
  }

  isDue(nowMicros: number): boolean {
    if (this.#sinceMicros === 0) this.#next(nowMicros);
    if (nowMicros - this.#sinceMicros < this.rule.micros) return false;
    if (this.#minors >= MINORS_MIN) return true;
    this.startOver(nowMicros);
    return false;
  }

  /** Ends this look. The share of a core, 0..1, where an excess has lasted, else 0. shareOfMinor: of one collection a second. */
  excess(nowMicros: number, shareOfMinor: number, allowed: number): number {
    const share = (this.#minors * shareOfMinor * 1e6) / (nowMicros - this.#fromMicros);
    this.#excesses = share > allowed * this.rule.times ? this.#excesses + 1 : 0;
    this.#next(nowMicros);
    return this.#excesses < this.rule.looks ? 0 : share;
  }

  startOver(nowMicros: number): void {
    this.#excesses = 0;
    this.#next(nowMicros);
  }

  #next(nowMicros: number): void {
    this.#minors = 0;
    this.#fromMicros = this.#sinceMicros = nowMicros;
  }
}
