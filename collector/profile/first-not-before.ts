/** Index of the first of `times` (ascending) that is not before `micros`; their number where all are. */
export function firstNotBefore(times: ArrayLike<number>, micros: number): number {
  return firstThat(times.length, (index) => times[index]! >= micros);
}

/** The first index below `count` from which on `holds`; `count` where it holds nowhere. */
export function firstThat(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
