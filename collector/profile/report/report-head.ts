/** The lines above a report: what was measured, of what, when, and how much of it there is. */
import { printable } from '../printable';
import type { Profile } from '../profile';
import { timeUnitNanos, typeName } from '../value-type';
import { percentOf, ValueScale } from './value-scale';

/** total: of the whole profile. shown: of what a filter left of it. */
export function reportHead(profile: Profile, type: number, total: number, shown = total): string[] {
  const { program, startMillis, durationNanos, sampleTypes } = profile.head;
  const valueType = sampleTypes[type]!;
  const scale = new ValueScale(valueType, total);
  const of = program === '' ? '' : ` of ${printable(program)}`;
  const began = startMillis > 0 ? ` from ${new Date(startMillis).toISOString()}` : '';
  const took = durationNanos > 0 ? `, ${(durationNanos / 1e9).toFixed(2)} s${began}` : '';
  const unitNanos = timeUnitNanos(valueType.unit);
  const share =
    unitNanos === null || durationNanos <= 0
      ? ''
      : ` (${percentOf(total * unitNanos, durationNanos)} of the time)`;
  const part = shown === total ? '' : `; ${scale.text(shown)} of it after filtering`;
  return [`${printable(typeName(valueType))}${of}${took}: total ${scale.text(total)}${share}${part}`];
}
