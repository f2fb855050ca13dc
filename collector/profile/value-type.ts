/** What sample types mean to formats that know only a few: units of time, bytes, and which type counts ticks. */
import type { ProfileHead } from './profile';

const TIME_UNIT_NANOS: Readonly<Record<string, number>> = {
  nanoseconds: 1,
  nanosecond: 1,
  ns: 1,
  microseconds: 1e3,
  microsecond: 1e3,
  us: 1e3,
  milliseconds: 1e6,
  millisecond: 1e6,
  ms: 1e6,
  seconds: 1e9,
  second: 1e9,
  s: 1e9,
};

/** null for a unit that is none of time. */
export function timeUnitNanos(unit: string): number | null {
  return Object.hasOwn(TIME_UNIT_NANOS, unit) ? TIME_UNIT_NANOS[unit]! : null;
}

export function isBytes(unit: string): boolean {
  return unit === 'bytes' || unit === 'byte';
}

/** The index of the type that counts a sampler's ticks; -1 for none. */
export function ticksIndex({ sampleTypes }: ProfileHead): number {
  return sampleTypes.findIndex(({ type, unit }) => type === 'samples' && unit === 'count');
}

/** `cpu/nanoseconds`. */
export function typeName({ type, unit }: { type: string; unit: string }): string {
  return `${type}/${unit}`;
}
