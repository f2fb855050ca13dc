/**
 * What heap sampling costs main, by how much the program allocates: a sample walks the stack, 5 to 25 µs. Between two minor
 * collections a program fills its young space once, so their number tells how much it allocates, without asking V8 for
 * anything. Where that is over the share of the budget, the interval grows: sampling begins anew, and knows nothing of what
 * was allocated before, so it is done only when it lasts, and never back.
 */

const SAMPLE_MICROS = 12;
/** Of the agent's whole budget. */
const BUDGET_SHARE = 0.4;
/** One look counts so many, µs; an excess must last for so many looks. */
const LOOK_MICROS = 10e6;
const LOOKS = 3;
/** The new interval leaves this much of the allowed cost unused. */
const ROOM = 0.5;
const INTERVAL_BYTES_MAX = 16 * 1024 * 1024;

export class SamplingCost {
  #minors = 0;
  #lookAtMicros = 0;
  #excesses = 0;

  /** budgetPercent: of one core, for the whole agent. */
  constructor(readonly budgetPercent: number) {}

  sawMinor(): void {
    this.#minors++;
  }

  /** True when it is time to look, and there is enough to look at. */
  isDue(nowMicros: number): boolean {
    if (this.#lookAtMicros === 0) this.#lookAtMicros = nowMicros;
    if (nowMicros - this.#lookAtMicros < LOOK_MICROS) return false;
    if (this.#minors >= LOOKS) return true;
    this.#forget(nowMicros);
    this.#excesses = 0;
    return false;
  }

  /** youngBytes: what the young space holds. Gives the interval to change to, bytes, or 0 to leave it. */
  look(nowMicros: number, youngBytes: number, intervalBytes: number): number {
    const seconds = (nowMicros - this.#lookAtMicros) / 1e6;
    const samplesPerSecond = (this.#minors * youngBytes) / intervalBytes / Math.max(1e-3, seconds);
    this.#forget(nowMicros);
    const share = (samplesPerSecond * SAMPLE_MICROS) / 1e6;
    const allowed = (this.budgetPercent / 100) * BUDGET_SHARE;
    this.#excesses = share > allowed ? this.#excesses + 1 : 0;
    if (this.#excesses < LOOKS) return 0;
    this.#excesses = 0;
    let factor = 1;
    while (share / factor > allowed * ROOM && intervalBytes * factor * 2 <= INTERVAL_BYTES_MAX) factor *= 2;
    return factor === 1 ? 0 : intervalBytes * factor;
  }

  #forget(nowMicros: number): void {
    this.#minors = 0;
    this.#lookAtMicros = nowMicros;
  }
}
