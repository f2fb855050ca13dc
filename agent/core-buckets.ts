/**
 * Writes the constant tables of assembly/buckets.ts: where the bucket bounds 2^(s/128) fall in the mantissa of an f64,
 * and the buckets' midpoints. The bounds come from exact integer square roots at 120 bits, so that every one of the 53
 * bits is right; a library's pow may be off in the last.
 */
import { CoreLimit, CoreRegion } from '../assembly/layout';

const ROOT_BITS = 120n;
const CELL_BITS = 44n;
const MANTISSA_BITS = 52n;

/** Fills both tables of a core's memory. */
export function writeBucketTables(buffer: SharedArrayBuffer): void {
  const bounds = mantissasOfBounds();
  const table = new BigUint64Array(buffer, CoreRegion.BucketTable, 256);
  let sub = 0;
  for (let cell = 0; cell < 256; cell++) {
    const start = BigInt(cell) << CELL_BITS;
    while (sub + 1 < CoreLimit.SubBuckets && bounds[sub + 1]! <= start) sub++;
    const next = bounds[sub + 1] ?? 1n << MANTISSA_BITS;
    const offset = next - start < 1n << CELL_BITS ? next - start : 1n << CELL_BITS;
    table[cell] = (offset << 8n) | BigInt(sub);
  }
  const midpoints = new Float64Array(buffer, CoreRegion.Midpoints, CoreLimit.SubBuckets);
  const unit = 2 ** Number(MANTISSA_BITS);
  for (let i = 0; i < CoreLimit.SubBuckets; i++) {
    midpoints[i] = 1 + (Number(bounds[i]!) + Number(bounds[i + 1] ?? 1n << MANTISSA_BITS)) / 2 / unit;
  }
}

/** floor((2^(s/128) − 1) × 2^52) for s = 0..127: a mantissa that is not below it, once 1 was taken off, is past the bound. */
function mantissasOfBounds(): bigint[] {
  const one = 1n << ROOT_BITS;
  const bounds: bigint[] = [];
  const roots: bigint[] = []; // 2^(1/2), 2^(1/4), ... 2^(1/128)
  for (let root = one << 1n; roots.length < 7; ) {
    root = squareRoot(root << ROOT_BITS);
    roots.push(root);
  }
  for (let s = 0; s < CoreLimit.SubBuckets; s++) {
    let product = one;
    for (let bit = 0; bit < 7; bit++) if (s & (64 >> bit)) product = (product * roots[bit]!) >> ROOT_BITS;
    bounds.push((product - one) >> (ROOT_BITS - MANTISSA_BITS));
  }
  return bounds;
}

/** Integer square root, by Newton from above. */
function squareRoot(value: bigint): bigint {
  let root = BigInt(Math.ceil(Math.sqrt(Number(value)) * (1 + 2 ** -40)));
  for (;;) {
    const better = (root + value / root) >> 1n;
    if (better >= root) return root;
    root = better;
  }
}
