/** The oracle: bucket bounds by whole numbers alone. M is at or below the bound 2^(52 + s/128) when M^128 ≤ 2^(52·128 + s). */

const known = new Map<number, number>();

/** floor(2^(52 + s/128)): the mantissa, as a whole number, of the largest f64 that is not above the bound. s: 0..128. */
export function mantissaOfBound(s: number): number {
  const found = known.get(s);
  if (found !== undefined) return found;
  let mantissa = BigInt(Math.round(2 ** (52 + s / 128)));
  const bound = 1n << BigInt(52 * 128 + s);
  while (mantissa ** 128n > bound) mantissa--;
  while ((mantissa + 1n) ** 128n <= bound) mantissa++;
  known.set(s, Number(mantissa));
  return Number(mantissa);
}

/** i such that 2^(i/128) < value ≤ 2^((i+1)/128). */
export function bucketIndexOf(value: number): number {
  let exponent = Math.floor(Math.log2(value));
  if (2 ** exponent > value) exponent--;
  if (2 ** (exponent + 1) <= value) exponent++;
  const mantissa = value * 2 ** (52 - exponent);
  let s = 0;
  while (mantissa > mantissaOfBound(s)) s++;
  return exponent * 128 + s - 1;
}
