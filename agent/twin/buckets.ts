/** Twin of assembly/buckets.ts. The bits of an f64 are two u32 here. */
import { CoreLimit, CoreRegion } from '../../assembly/layout';
import type { TwinViews } from './views';

const VALUE = new Float64Array(1);
const HALVES = new Uint32Array(VALUE.buffer);
export const LAST_KEY = CoreLimit.Octaves * CoreLimit.SubBuckets;
const FIRST_PLACE = CoreLimit.LowestBiasedExponent << 8;
const PLACES = CoreLimit.Octaves << 8;
export const HIGHEST_VALUE = 2 ** 50;

export type BucketsTwin = { keyOf(value: number): number; midpointOf(key: number): number };

export function bucketsTwin({ u32, f64 }: TwinViews): BucketsTwin {
  function keyOf(value: number): number {
    VALUE[0] = value;
    const low = HALVES[0]!;
    const high = low === 0 ? HALVES[1]! - 1 : HALVES[1]!;
    const entry = (CoreRegion.BucketTable >> 2) + ((high >>> 12) & 255) * 2;
    const carry = ((low - 1) >>> 0) + u32[entry]! >= 2 ** 32 ? 1 : 0;
    const place = ((high + u32[entry + 1]! + carry) >>> 12) - FIRST_PLACE;
    if (place >= 0 && place < PLACES) return 1 + (place >> 8) * CoreLimit.SubBuckets + (place & 255);
    return value > 1 ? LAST_KEY : 0;
  }

  function midpointOf(key: number): number {
    if (key === 0) return 0;
    const octave = Math.floor((key - 1) / CoreLimit.SubBuckets);
    const middle = f64[(CoreRegion.Midpoints >> 3) + ((key - 1) % CoreLimit.SubBuckets)]!;
    return middle * 2 ** (octave + CoreLimit.LowestExponent);
  }

  return { keyOf, midpointOf };
}
