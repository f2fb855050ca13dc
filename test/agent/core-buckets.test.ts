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
  const wholeTable = new Uint32Array(buffer, CoreRegion.WholeTable, 256);
  const midpoints = new Float64Array(buffer, CoreRegion.Midpoints, 128);
  const bounds = Array.from({ length: 129 }, (_, s) => exactBound(s));

  it('turn every cell into its bucket at both sides of its bound, right to the last bit', () => {
    const top = 1023n << 8n;
    for (let cell = 0n; cell < 256n; cell++) {
      for (const bound of [...bounds.slice(1, 128), (cell + 1n) << 44n]) {
        for (const mantissa of [cell << 44n, bound - 1n, bound]) {
          if (mantissa >> 44n !== cell) continue;
          const sub = bounds.findLastIndex((bound, s) => s < 128 && bound <= mantissa);
          const sum = BigInt.asUintN(64, ((1023n << 52n) | mantissa) + table[Number(cell)]!);
          expect([mantissa, sum >> 44n]).toEqual([mantissa, top | BigInt(sub)]);
        }
      }
    }
  });

  it('turn whole numbers the same way', () => {
    for (let cell = 0; cell < 256; cell++) {
      const sub = (inCell: number) => {
        const mantissa = (((BigInt(cell) << 23n) | BigInt(inCell)) << 21n) | 0x1fffffn; // one below a whole number
        return bounds.findLastIndex((bound, s) => s < 128 && bound <= mantissa);
      };
      const turned = (inCell: number) =>
        (((2 ** 31 + cell * 2 ** 23 + inCell + wholeTable[cell]!) % 2 ** 32) >>> 23) - 256;
      let low = 0;
      let high = 2 ** 23 - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (sub(middle) === sub(0)) low = middle;
        else high = middle - 1;
      }
      const places = [0, low, Math.min(low + 1, 2 ** 23 - 1), 2 ** 23 - 1];
      expect([cell, ...places.map(turned)]).toEqual([cell, ...places.map(sub)]);
    }
  });

  it('have midpoints halfway between two bounds', () => {
    for (let s = 0; s < 128; s++) {
      expect(midpoints[s]).toBe(1 + (Number(bounds[s]!) + Number(bounds[s + 1]!)) / 2 / 2 ** 52);
    }
  });
});
