/** How fast something grows, by the median of the slopes between all pairs of points (Theil and Sen): few outliers do not move it. */

export type Point = { seconds: number; value: number };

/** A figure in so many seconds; 0 for fewer than two points. */
export function slopePer(seconds: number, points: readonly Point[]): number {
  const slopes = points.flatMap((later, index) =>
    points
      .slice(0, index)
      .filter((earlier) => earlier.seconds < later.seconds)
      .map((earlier) => (later.value - earlier.value) / (later.seconds - earlier.seconds)),
  );
  slopes.sort((a, b) => a - b);
  return seconds * (slopes[slopes.length >> 1] ?? 0);
}
