/** Index of the first of `times` (ascending) that is not before `micros`; their number where all are. */
export function firstNotBefore(times: ArrayLike<number>, micros: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < micros) low = middle + 1;
    else high = middle;
  }
  return low;
}
