import { describe, expect, it } from 'vitest';
import { writeBucketTables } from '../../agent/core-buckets';
import { CoreRegion } from '../../assembly/layout';

const ROOT_BITS = 120n;

/** floor((2^(s/128) − 1) × 2^52) by integer square roots at 120 bits: 2^(s/128) is a product of roots of roots of two. */
function exactBound(s: number): bigint {
  const one = 1n << ROOT_BITS;
  let root = one << 1n;
  let product = one;
  for (let bit = 64; bit >= 1; bit >>= 1) {
    root = squareRoot(root << ROOT_BITS);
    if (s & bit) product = (product * root) >> ROOT_BITS;
  }
  return s === 128 ? 1n << 52n : (product - one) >> (ROOT_BITS - 52n);
}

function squareRoot(value: bigint): bigint {
  let root = BigInt(Math.ceil(Math.sqrt(Number(value)) * (1 + 2 ** -40)));
  for (;;) {
    const better = (root + value / root) >> 1n;
    if (better >= root) return root;
    root = better;
  }
}

describe('bucket tables', () => {
  const buffer = new SharedArrayBuffer(CoreRegion.End);
  writeBucketTables(buffer);
  const table = new BigUint64Array(buffer, CoreRegion.BucketTable, 256);
  const midpoints = new Float64Array(buffer, CoreRegion.Midpoints, 128);
  const bounds = Array.from({ length: 129 }, (_, s) => exactBound(s));

  it('say for every cell its first sub-bucket and where the next begins, right to the last bit', () => {
    for (let cell = 0; cell < 256; cell++) {
      const start = BigInt(cell) << 44n;
      const sub = bounds.findLastIndex((bound, s) => s < 128 && bound <= start);
      const offset = bounds[sub + 1]! - start;
      const expected = ((offset < 1n << 44n ? offset : 1n << 44n) << 8n) | BigInt(sub);
      expect([cell, table[cell]]).toEqual([cell, expected]);
    }
  });

  it('have midpoints halfway between two bounds', () => {
    for (let s = 0; s < 128; s++) {
      expect(midpoints[s]).toBe(1 + (Number(bounds[s]!) + Number(bounds[s + 1]!)) / 2 / 2 ** 52);
    }
  });
});
