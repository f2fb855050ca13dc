/**
 * The base-2 exponential buckets of OpenTelemetry at scale 7, upper bounds included: bucket i covers
 * (2^(i/128), 2^((i+1)/128)]. The core counts buckets from the lowest octave on: its *key* is 0 for zero, 1 + i + 1280
 * for bucket i. No logarithm: `bits - 1` of the f64 makes upper bounds inclusive, its exponent is the octave, its top
 * eight mantissa bits choose one of 256 linear cells. A cell is narrower than any bucket, so at most one bound is in it:
 * the table tells the bucket at the cell's start and where in the cell the next one begins.
 *
 * Table entry (u64): bits 0..7 sub-bucket at the cell's start; bits 8..52 offset of the bound within the cell in units
 * of the mantissa's last bit, 2^44 when there is none.
 */
import { CoreLimit, CoreRegion } from './layout';
import { LAST_KEY, OCTAVES, SUB_BUCKETS } from './limits';

/** Octave of a value's `bits - 1`; not below OCTAVES for anything that needs a closer look. */
export function octaveOf(below: u64): u32 {
  return <u32>(below >> 52) - CoreLimit.LowestBiasedExponent;
}

/** Bucket within its octave, 0..127. */
export function subBucketOf(below: u64): u32 {
  const entry = load<u64>((<u32>(below >> 44) & 255) << 3, CoreRegion.BucketTable);
  return <u32>(entry & 255) + u32((below & 0xfffffffffff) >= entry >> 8);
}

/** Key of a finite value that is not negative; values outside the octaves go to the edges. */
export function keyOf(value: f64): u32 {
  const below = reinterpret<u64>(value) - 1;
  const octave = octaveOf(below);
  if (octave < OCTAVES) return 1 + octave * SUB_BUCKETS + subBucketOf(below);
  return value > 1 ? LAST_KEY : 0;
}

/** The middle of a bucket, 0 for key 0. */
export function midpointOf(key: u32): f64 {
  if (key == 0) return 0;
  const octave = (key - 1) / SUB_BUCKETS;
  const unit = reinterpret<f64>((<u64>(octave + CoreLimit.LowestBiasedExponent)) << 52);
  return load<f64>(((key - 1) % SUB_BUCKETS) << 3, CoreRegion.Midpoints) * unit;
}
