/** Twin of assembly/counts.ts. Bits and symbols are numbers here: whole, below 2^54. */
import { CountsWord } from '../../assembly/layout';
import type { TwinViews } from './views';

const MOST_ONES = 12;
const VALUE = new Float64Array(1);
const HALVES = new Uint32Array(VALUE.buffer);

export type CountsTwin = {
  putCounts(scratch: number, first: number, count: number, total: number, out: number): number;
  takeCounts(
    scratch: number,
    first: number,
    count: number,
    total: number,
    at: number,
    length: number,
  ): number;
};

export function countsTwin({ u8, f64, i64 }: TwinViews): CountsTwin {
  let bit = 0;
  let endBit = 0;

  function putCounts(scratch: number, first: number, count: number, total: number, out: number): number {
    bit = out * 8;
    walk(first, count, total, false);
    i64[(scratch + CountsWord.Bit) >> 3] = BigInt(bit);
    return Math.ceil(bit / 8) - out;
  }

  function takeCounts(
    scratch: number,
    first: number,
    count: number,
    total: number,
    at: number,
    length: number,
  ): number {
    bit = at * 8;
    endBit = bit + length * 8;
    const sum = walk(first, count, total, true);
    i64[(scratch + CountsWord.Bit) >> 3] = BigInt(bit);
    i64[(scratch + CountsWord.EndBit) >> 3] = BigInt(endBit);
    const left = endBit - bit;
    if (left < 0 || left > 7 || (left > 0 && u8[at + length - 1]! >> (8 - left) !== 0)) return -1;
    return sum;
  }

  function walk(first: number, count: number, total: number, reading: boolean): number {
    if (count === 1) {
      if (reading) f64[first >> 3] = total;
      return total;
    }
    let mean = total / count;
    let distance = mean * 0.75 + 0.5;
    let empty = mean < 0.75 ? 0.875 : 0.125;
    let run = mean < 1 ? count / total - 1 : 0;
    let behind = mean > 1 ? mean - 1 : 0;
    let sum = 0;
    const end = (first >> 3) + count;
    let at = first >> 3;
    while (at < end) {
      if (empty > 0.5) {
        let zeros = 0;
        if (!reading) while (at + zeros < end && f64[at + zeros] === 0) zeros++;
        zeros = symbol(zeros, kOf(run), reading);
        if (zeros < 0 || zeros > end - at) return -1;
        if (reading) f64.fill(0, at, at + zeros);
        at += zeros;
        run += (zeros - run) * 0.125;
        for (let i = Math.min(zeros, 64); i > 0; i--) {
          empty += (1 - empty) * 0.125;
          mean -= mean * 0.125;
        }
        if (at === end) break;
        const more = symbol(f64[at]! - 1, kOf(behind), reading);
        if (more < 0) return -1;
        if (reading) f64[at] = more + 1;
        sum += more + 1;
        behind += (more - behind) * 0.125;
        empty -= empty * 0.125;
        distance += (Math.abs(more + 1 - mean) - distance) * 0.125;
        mean += (more + 1 - mean) * 0.125;
      } else {
        let value = f64[at]!;
        if (mean < 3) {
          value = symbol(value, kOf(mean), reading);
          if (value < 0) return -1;
        } else {
          const expected = Math.floor(mean + 0.5);
          const folded = symbol(fold(value, expected), kOf(distance * 2), reading);
          if (folded < 0) return -1;
          value = unfold(folded, expected);
        }
        if (reading) f64[at] = value;
        sum += value;
        distance += (Math.abs(value - mean) - distance) * 0.125;
        mean += (value - mean) * 0.125;
        if (value === 0) {
          empty += (1 - empty) * 0.125;
          run += (1 - run) * 0.125;
        } else {
          empty -= empty * 0.125;
          behind += (value - 1 - behind) * 0.125;
        }
      }
      if (sum > Number.MAX_SAFE_INTEGER) return -1;
      at++;
    }
    return sum;
  }

  function symbol(x: number, k: number, reading: boolean): number {
    if (reading) return takeSymbol(k);
    const quotient = Math.floor(x / 2 ** k);
    if (quotient < MOST_ONES) putBits(2 ** quotient - 1, quotient + 1);
    else {
      putBits(2 ** MOST_ONES - 1, MOST_ONES);
      const rest = quotient - MOST_ONES + 1;
      const bits = exponentOf(rest);
      putBits(2 ** bits, bits + 1);
      putBits(rest - 2 ** bits, bits);
    }
    putBits(x % 2 ** k, k);
    return x;
  }

  function takeSymbol(k: number): number {
    let quotient = 0;
    while (quotient < MOST_ONES && takeBit() === 1) quotient++;
    if (quotient === MOST_ONES) {
      const start = bit;
      let bits = 0;
      while (bits <= 53 && takeBit() === 0) bits++;
      if (bits + k > 53) {
        bit = start;
        return -1;
      }
      quotient += takeBits(bits) + 2 ** bits - 1;
    }
    const x = quotient * 2 ** k + takeBits(k);
    return bit > endBit ? -1 : x;
  }

  /** Like a store of eight bytes: what is behind the bits in them becomes zero. */
  function putBits(bits: number, count: number): void {
    u8[bit >>> 3] = u8[bit >>> 3]! & ((1 << (bit & 7)) - 1);
    u8.fill(0, (bit >>> 3) + 1, (bit >>> 3) + 8);
    let left = bits;
    for (const end = bit + count; bit < end; ) {
      const now = Math.min(8 - (bit & 7), end - bit);
      u8[bit >>> 3] = u8[bit >>> 3]! | ((left % 2 ** now) << (bit & 7));
      left = Math.floor(left / 2 ** now);
      bit += now;
    }
  }

  function takeBit(): number {
    const value = (u8[bit >>> 3]! >> (bit & 7)) & 1;
    bit++;
    return value;
  }

  function takeBits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value += takeBit() * 2 ** i;
    return value;
  }

  return { putCounts, takeCounts };
}

function fold(value: number, expected: number): number {
  const distance = value - expected;
  if (Math.abs(distance) > expected) return value;
  return distance > 0 ? distance * 2 - 1 : distance * -2;
}

function unfold(folded: number, expected: number): number {
  if (folded > expected * 2) return folded;
  const half = Math.floor((folded + 1) * 0.5);
  return half * 2 > folded ? expected + half : expected - half;
}

function kOf(mean: number): number {
  const scaled = mean * 0.75;
  return scaled < 2 ? 0 : exponentOf(scaled);
}

/** Of a number from 1 on. */
function exponentOf(value: number): number {
  VALUE[0] = value;
  return (HALVES[1]! >>> 20) - 1023;
}
