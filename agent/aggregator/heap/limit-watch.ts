/**
 * Whether the heap comes near its limit: then a capture is due, before the process dies of it. One, until the heap has
 * been well below again and some time has passed, because each may pause main for as long as a full collection takes.
 */

/** Below this share of the threshold the heap counts as recovered. */
const RECOVERED_SHARE = 0.8;
const APART_MICROS = 600e6;

export class LimitWatch {
  #armed = true;
  #capturedMicros = Number.NEGATIVE_INFINITY;

  /** percent: of the limit; 0 watches nothing. */
  constructor(readonly percent: number) {}

  /** True once when a capture is due. */
  isDue(nowMicros: number, usedBytes: number, limitBytes: number): boolean {
    if (this.percent === 0 || limitBytes === 0) return false;
    const threshold = (limitBytes * this.percent) / 100;
    if (usedBytes < threshold * RECOVERED_SHARE) this.#armed = true;
    if (!this.#armed || usedBytes < threshold || nowMicros - this.#capturedMicros < APART_MICROS)
      return false;
    this.#armed = false;
    this.#capturedMicros = nowMicros;
    return true;
  }
}
