/**
 * Which waits are told one by one: all of them up to WAITS_PER_SECOND, of more one in 2^n on average, which stands for as
 * many. The gaps between them are random, so that waits that take turns in a fixed order are all met.
 */
import { WaitBits } from '../assembly/layout';

export const WAITS_PER_SECOND = 100;
/** Another wait stands for this one. */
export const WAIT_NOT_CHOSEN = -1;
const SECOND_MICROS = 1e6;

export class WaitSampler {
  #shift = 0;
  #sinceMicros = 0;
  /** Waits since then, and those of them that were chosen. */
  #waits = 0;
  #chosen = 0;
  /** To be passed over before the next one is chosen. */
  #gap = 0;
  /** State of a generator of our own: the program may have put something else in place of Math.random. */
  #random = 0x2545f491;

  /** now: µs. The shift of a wait that is chosen, or WAIT_NOT_CHOSEN. */
  choose(now: number): number {
    if (now - this.#sinceMicros >= SECOND_MICROS) this.#beginSecond(now);
    this.#waits++;
    if (this.#gap-- > 0) return WAIT_NOT_CHOSEN;
    const shift = this.#shift;
    // A burst makes them rarer at once.
    if (++this.#chosen % WAITS_PER_SECOND === 0) this.#shift = Math.min(WaitBits.ShiftMask, shift + 1);
    // 1 to 2^(n+1) - 1 from one to the next: 2^n on average.
    this.#gap = Math.floor(this.#next() * (2 ** (this.#shift + 1) - 1));
    return shift;
  }

  #beginSecond(now: number): void {
    const perSecond = (this.#waits * SECOND_MICROS) / (now - this.#sinceMicros);
    const shift = Math.ceil(Math.log2(perSecond / WAITS_PER_SECOND));
    this.#shift = Math.min(WaitBits.ShiftMask, Math.max(0, shift));
    this.#sinceMicros = now;
    this.#waits = this.#chosen = 0;
    this.#gap = Math.min(this.#gap, 2 ** (this.#shift + 1) - 2);
  }

  /** 0 to 1: xorshift32 (Marsaglia, Xorshift RNGs, 2003). */
  #next(): number {
    let state = this.#random;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#random = state;
    return (state >>> 0) / 2 ** 32;
  }
}
