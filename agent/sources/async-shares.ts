/**
 * Which resources are followed: all of a kind that is made rarely, one in 2^shift of a kind that is made often, so that a
 * given number of stacks is taken a second whatever the program does. What is followed counts for all it stands for.
 * The share of each kind is set anew when the agent thread says so, once a second, from what was made since; a burst in
 * between makes its kind rarer by itself.
 */
import { AsyncLimit, AsyncWord } from '../../assembly/layout';

/** 2^32 divided by the golden ratio: consecutive ids are spread evenly over the u32. */
const SPREAD = 0x9e3779b1;
const U32 = 2 ** 32;
const SHIFT_MAX = 20;
/** Stacks a kind before the agent thread has set a quota for all of them; the least that a kind has at any time. */
const FIRST_SHARE = 128;
const SHARE_MIN = 4;

export class AsyncShares {
  readonly #words: Int32Array;
  readonly #shifts = new Uint8Array(AsyncLimit.Types);
  /** An id is followed when its spread is below this. */
  readonly #below = new Float64Array(AsyncLimit.Types).fill(U32);
  /** Resources since the last refill, and stacks until the kind becomes rarer. */
  readonly #made = new Uint32Array(AsyncLimit.Types);
  readonly #left = new Int32Array(AsyncLimit.Types).fill(FIRST_SHARE);
  readonly #shares = new Int32Array(AsyncLimit.Types).fill(FIRST_SHARE);
  #refill = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** Whether this resource is followed. */
  chosen(kind: number, id: number): boolean {
    if (this.#words[AsyncWord.Refill] !== this.#refill) this.#share();
    this.#made[kind]!++;
    return Math.imul(id, SPREAD) >>> 0 < this.#below[kind]!;
  }

  /** The shift that a chosen resource was chosen with; one stack of its kind is taken. */
  take(kind: number): number {
    const shift = this.#shifts[kind]!;
    if (--this.#left[kind]! <= 0) {
      this.#setShift(kind, shift + 1);
      this.#left[kind] = this.#shares[kind]!;
    }
    return shift;
  }

  /** Rare kinds first: what they leave is for the others, in equal parts. */
  #share(): void {
    this.#refill = this.#words[AsyncWord.Refill]!;
    const kinds = [...this.#made.keys()].filter((kind) => this.#made[kind] !== 0);
    kinds.sort((left, right) => this.#made[left]! - this.#made[right]!);
    let quota = this.#words[AsyncWord.Quota]!;
    this.#shares.fill(Math.max(SHARE_MIN, quota / 4));
    this.#shifts.fill(0);
    this.#below.fill(U32);
    kinds.forEach((kind, index) => {
      const share = Math.max(SHARE_MIN, quota / (kinds.length - index));
      const made = this.#made[kind]!;
      const shift = Math.max(0, Math.ceil(Math.log2(made / share)));
      this.#setShift(kind, shift);
      this.#shares[kind] = share;
      quota -= Math.min(made, share);
    });
    this.#left.set(this.#shares);
    this.#made.fill(0);
  }

  #setShift(kind: number, shift: number): void {
    this.#shifts[kind] = Math.min(SHIFT_MAX, shift);
    this.#below[kind] = U32 / 2 ** this.#shifts[kind]!;
  }
}
