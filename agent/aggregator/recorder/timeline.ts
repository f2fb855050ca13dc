/**
 * Things in the order of their times, whatever order they come in. Many of a kind are one source, and nothing is made
 * for each of them: a dump of tens of thousands must fit beside everything else on the agent thread.
 */
type Source = { times: ArrayLike<number>; from: number; play(index: number): void };

export class Timeline {
  readonly #sources: Source[] = [];
  readonly #singleTimes: number[] = [];
  readonly #singles: (() => void)[] = [];
  #count = 0;

  /** play: is given the place of each in `times`. */
  all(times: ArrayLike<number>, play: (index: number) => void): void {
    this.#sources.push({ times, from: this.#count, play });
    this.#count += times.length;
  }

  one(atMicros: number, play: () => void): void {
    this.#singleTimes.push(atMicros);
    this.#singles.push(play);
  }

  /** Plays everything, once. What has the same time comes in the order it was given, single things last. */
  play(): void {
    this.all(this.#singleTimes, (index) => this.#singles[index]!());
    const at = new Float64Array(this.#count);
    for (const { times, from } of this.#sources) at.set(times, from);
    const order = Uint32Array.from(at, (_, index) => index);
    order.sort((left, right) => at[left]! - at[right]! || left - right);
    const sources = this.#sources;
    for (const index of order) {
      let last = sources.length - 1;
      while (sources[last]!.from > index) last--;
      sources[last]!.play(index - sources[last]!.from);
    }
  }
}
