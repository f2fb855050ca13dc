/**
 * Figures of files from anywhere: times and values. What no number holds exactly once it is rounded is refused, for sums
 * and units would make nonsense of it, or infinity, and no format could be written from that.
 */
import { numberOf } from './json-value';
import type { Profile } from './profile';
import { broken } from './profile-error';

/** Of pprof's int64, which are read as the nearest number. */
export const INT64_MAX = 2 ** 63;

/** A number whose rounded value is a safe integer. */
export function figureOf(format: string, what: string, value: unknown): number {
  const figure = numberOf(format, what, value);
  checkFigure(format, what, figure, Number.MAX_SAFE_INTEGER);
  return figure;
}

/** What a read profile adds up to: sums of figures may be out of bounds where none of them was. */
export function checkFigures(
  format: string,
  { head, values }: Profile,
  max: number = Number.MAX_SAFE_INTEGER,
): void {
  for (const value of values) checkFigure(format, 'a value', value, max);
  checkFigure(format, 'its period', head.period, max);
  checkFigure(format, 'its duration', head.durationNanos, max);
}

function checkFigure(format: string, what: string, figure: number, max: number): void {
  // Not the other way round: NaN is none either.
  if (Math.abs(Math.round(figure)) <= max) return;
  throw broken(format, `${what} comes to ${figure}: at most ${max} can be told`);
}
