/**
 * Figures of files from anywhere: times and values. What no number holds exactly once it is rounded is refused, for sums
 * and units would make nonsense of it, or infinity, and no format could be written from that.
 */
import { numberOf } from './json-value';
import type { Profile } from './profile';
import { broken } from './profile-error';

/** What a profile adds up to is read as the nearest number, as far as pprof's int64 can hold it. */
const INT64_MAX = 2 ** 63;

/** A number whose rounded value is a safe integer. */
export function figureOf(format: string, what: string, value: unknown): number {
  const figure = numberOf(format, what, value);
  checkFigure(format, what, figure, Number.MAX_SAFE_INTEGER);
  return figure;
}

/** Sums, and times in finer units, may be out of bounds where no figure of the file was. */
export function checkFigures(format: string, { head, values }: Profile): void {
  for (const value of values) checkFigure(format, 'a value', value, INT64_MAX);
  checkFigure(format, 'its period', head.period, INT64_MAX);
  checkFigure(format, 'its duration', head.durationNanos, INT64_MAX);
}

function checkFigure(format: string, what: string, figure: number, max: number): void {
  // Not the other way round: NaN is none either.
  if (Math.abs(Math.round(figure)) <= max) return;
  throw broken(format, `${what} comes to ${figure}: at most ${max} can be told`);
}
