/**
 * The base-2 exponential buckets of OpenTelemetry at scale 7, upper bounds included: bucket i covers
 * (2^(i/128), 2^((i+1)/128)]. The core counts buckets from the lowest octave on: its *key* is 0 for zero, 1 + i + 1280
 * for bucket i. No logarithm: `bits - 1` of the f64 makes upper bounds inclusive, its exponent is the octave, its top
 * eight mantissa bits choose one of 256 linear cells. A cell is narrower than any bucket, so at most one bound is in it.
 * What the table has for a cell is added to the bits, and turns it: where the mantissa had its cell it then has its
 * bucket, because a bound within the cell is where the sum carries.
 *
 * Table entry (u64, wraps): ((sub-bucket at the cell's start − cell) << 44) + 2^44 − offset of the bound within the cell
 * in units of the mantissa's last bit, 2^44 when there is none. The table of whole numbers (u32) is the same for 31 bits
 * after the leading one, with 23 in a place of 44: agent/core-recorder.ts uses it.
 */
import { CoreLimit, CoreRegion } from './layout';
import { LAST_KEY, SUB_BUCKETS } from './limits';

/** A value's `bits - 1` with its bucket for its cell: biased exponent << 8 | bucket within the octave, 0..127. */
export function placeOf(below: u64): u32 {
  return <u32>((below + load<u64>((<u32>(below >> 44) & 255) << 3, CoreRegion.BucketTable)) >> 44);
}

/** Place of the first bucket of octave 0; a place that is not within OCTAVES << 8 above it needs a closer look. */
export const FIRST_PLACE: u32 = CoreLimit.LowestBiasedExponent << 8;
export const PLACES: u32 = CoreLimit.Octaves << 8;

/** Key of a finite value that is not negative; values outside the octaves go to the edges. */
export function keyOf(value: f64): u32 {
  const place = placeOf(reinterpret<u64>(value) - 1) - FIRST_PLACE;
  if (place < PLACES) return 1 + (place >> 8) * SUB_BUCKETS + (place & 255);
  return value > 1 ? LAST_KEY : 0;
}

/** The middle of a bucket, 0 for key 0. */
export function midpointOf(key: u32): f64 {
  if (key == 0) return 0;
  const octave = (key - 1) / SUB_BUCKETS;
  const unit = reinterpret<f64>((<u64>(octave + CoreLimit.LowestBiasedExponent)) << 52);
  return load<f64>(((key - 1) % SUB_BUCKETS) << 3, CoreRegion.Midpoints) * unit;
}
