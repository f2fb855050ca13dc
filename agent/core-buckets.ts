/**
 * Writes the constant tables of assembly/buckets.ts: where the bucket bounds 2^(s/128) fall in the mantissa of an f64,
 * and the buckets' midpoints. The bounds come from exact integer square roots at 120 bits, so that every one of the 53
 * bits is right; a library's pow may be off in the last.
 */
import { CoreLimit, CoreRegion } from '../assembly/layout';

const ROOT_BITS = 120n;
const MANTISSA_BITS = 52n;
const UNIT = 2 ** 52;
const CELLS = 256;
const CELL = UNIT / CELLS;
/** A cell of a whole number, of whose 31 bits after the leading one 23 are within the cell. */
const WHOLE_CELL = 2 ** 23;

/** Fills the tables of a core's memory. */
export function writeBucketTables(buffer: SharedArrayBuffer): void {
  const bounds = mantissasOfBounds();
  bounds.push(UNIT);
  const table = new Uint32Array(buffer, CoreRegion.BucketTable, CELLS * 2);
  const wholeTable = new Uint32Array(buffer, CoreRegion.WholeTable, CELLS);
  let sub = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    const start = cell * CELL;
    while (sub + 1 < CoreLimit.SubBuckets && bounds[sub + 1]! <= start) sub++;
    const carriesFrom = CELL - Math.min(bounds[sub + 1]! - start, CELL);
    table[cell * 2] = carriesFrom % 2 ** 32;
    table[cell * 2 + 1] = (sub - cell) * (CELL / 2 ** 32) + Math.floor(carriesFrom / 2 ** 32);
    wholeTable[cell] = (sub - cell) * WHOLE_CELL + Math.ceil(carriesFrom / (CELL / WHOLE_CELL));
  }
  const midpoints = new Float64Array(buffer, CoreRegion.Midpoints, CoreLimit.SubBuckets);
  for (let i = 0; i < CoreLimit.SubBuckets; i++) midpoints[i] = 1 + (bounds[i]! + bounds[i + 1]!) / 2 / UNIT;
}

/** floor((2^(s/128) − 1) × 2^52) for s = 0..127: a mantissa that is not below it, once 1 was taken off, is past the bound. */
function mantissasOfBounds(): number[] {
  const one = 1n << ROOT_BITS;
  const powers: bigint[] = [one]; // 2^(s/128)
  let root = one << 1n;
  for (let step = CoreLimit.SubBuckets / 2; step >= 1; step /= 2) {
    root = squareRoot(root << ROOT_BITS);
    for (let s = step; s < CoreLimit.SubBuckets; s += 2 * step)
      powers[s] = ((powers[s - step] ?? one) * root) >> ROOT_BITS;
  }
  return powers.map((power) => Number((power - one) >> (ROOT_BITS - MANTISSA_BITS)));
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
