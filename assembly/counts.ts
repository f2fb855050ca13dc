/**
 * Counts of neighbouring buckets as bits: what a delta carries. How many buckets there are (from the least value's to the
 * greatest's) and how many values in all, both sides know. A single bucket takes no bits.
 *
 * Where more than half of the buckets before were empty, a symbol tells how many empty ones follow, and the next one tells
 * the count behind them, less 1. Elsewhere a symbol tells a count: as it is where few are expected, else its distance from
 * what is expected. A symbol is a Rice code: x >> k ones and a zero, then the k low bits; from twelve ones on, no zero but
 * (x >> k) - 11 in Elias' gamma code. k follows from running means of an eighth of the newest: of counts, of their distance
 * from what was expected, of empty runs and of counts behind them, and of how often a bucket is empty.
 *
 * The same function writes and reads, so that the two cannot drift apart. Means are f64 without divisions, the same in
 * WebAssembly and in JavaScript. Bits fill bytes from the low end; those left in the last byte are zero.
 */
import { CountsWord } from './layout';

const EIGHTH: f64 = 0.125;
/** Ones before the quotient goes over to a gamma code. */
const MOST_ONES: u64 = 12;
/** Whole numbers above this are not all exact. */
const MOST: f64 = 9007199254740991;

/** Writes `count` f64 counts that sum up to `total`, from `first` on, as bytes at `out`; how many. `scratch`: a CountsWord. */
export function putCounts(scratch: usize, first: usize, count: u32, total: f64, out: usize): u32 {
  store<u64>(scratch, (<u64>out) << 3, CountsWord.Bit);
  walk(scratch, first, count, total, false);
  return <u32>((load<u64>(scratch, CountsWord.Bit) + 7) >> 3) - <u32>out;
}

/** Reads `length` bytes at `at` as `count` f64 counts to `first`: their sum, or -1 where they are none or bytes are left. */
export function takeCounts(
  scratch: usize,
  first: usize,
  count: u32,
  total: f64,
  at: usize,
  length: u32,
): f64 {
  const end = (<u64>(at + length)) << 3;
  store<u64>(scratch, (<u64>at) << 3, CountsWord.Bit);
  store<u64>(scratch, end, CountsWord.EndBit);
  const sum = walk(scratch, first, count, total, true);
  const left = end - load<u64>(scratch, CountsWord.Bit);
  if (left > 7 || (left && load<u8>(at + length - 1) >> <u8>(8 - left))) return -1;
  return sum;
}

/** Writes the counts, or reads them; their sum, or -1 when what was read is none. */
function walk(scratch: usize, first: usize, count: u32, total: f64, reading: bool): f64 {
  if (count == 1) {
    if (reading) store<f64>(first, total);
    return total;
  }
  let mean = total / <f64>count;
  let distance = mean * 0.75 + 0.5;
  let empty: f64 = mean < 0.75 ? 0.875 : 0.125;
  let run: f64 = mean < 1 ? <f64>count / total - 1 : 0;
  let behind: f64 = mean > 1 ? mean - 1 : 0;
  let sum: f64 = 0;
  const end = first + (count << 3);
  let at = first;
  while (at < end) {
    if (empty > 0.5) {
      let zeros: u32 = 0;
      if (!reading) while (at + (zeros << 3) < end && load<f64>(at + (zeros << 3)) == 0) zeros++;
      const told = symbol(scratch, <f64>zeros, kOf(run), reading);
      if (told < 0 || told > <f64>((end - at) >> 3)) return -1;
      zeros = <u32>told;
      if (reading) memory.fill(at, 0, zeros << 3);
      at += zeros << 3;
      run += (told - run) * EIGHTH;
      for (let i: u32 = zeros < 64 ? zeros : 64; i; i--) {
        empty += (1 - empty) * EIGHTH;
        mean -= mean * EIGHTH;
      }
      if (at == end) break;
      const more = symbol(scratch, load<f64>(at) - 1, kOf(behind), reading);
      if (more < 0) return -1;
      const value = more + 1;
      if (reading) store<f64>(at, value);
      sum += value;
      behind += (more - behind) * EIGHTH;
      empty -= empty * EIGHTH;
      distance += (abs(value - mean) - distance) * EIGHTH;
      mean += (value - mean) * EIGHTH;
    } else {
      let value = load<f64>(at);
      if (mean < 3) {
        value = symbol(scratch, value, kOf(mean), reading);
        if (value < 0) return -1;
      } else {
        const expected = floor(mean + 0.5);
        const folded = symbol(scratch, fold(value, expected), kOf(distance * 2), reading);
        if (folded < 0) return -1;
        value = unfold(folded, expected);
      }
      if (reading) store<f64>(at, value);
      sum += value;
      distance += (abs(value - mean) - distance) * EIGHTH;
      mean += (value - mean) * EIGHTH;
      if (value == 0) {
        empty += (1 - empty) * EIGHTH;
        run += (1 - run) * EIGHTH;
      } else {
        empty -= empty * EIGHTH;
        behind += (value - 1 - behind) * EIGHTH;
      }
    }
    if (sum > MOST) return -1;
    at += 8;
  }
  return sum;
}

/** Distances either way by turns, nearest first; beyond twice what is expected there is only one way. */
function fold(value: f64, expected: f64): f64 {
  const distance = value - expected;
  if (abs(distance) > expected) return value;
  return distance > 0 ? distance * 2 - 1 : distance * -2;
}

function unfold(folded: f64, expected: f64): f64 {
  if (folded > expected * 2) return folded;
  const half = floor((folded + 1) * 0.5);
  return half * 2 > folded ? expected + half : expected - half;
}

/** Low bits that a Rice code of numbers with this mean has as they are. */
function kOf(mean: f64): u32 {
  const scaled = mean * 0.75;
  return scaled < 2 ? 0 : <u32>(reinterpret<u64>(scaled) >> 52) - 1023;
}

/** Writes x and returns it, or reads one: -1 where there is none. */
function symbol(scratch: usize, x: f64, k: u32, reading: bool): f64 {
  if (reading) return takeSymbol(scratch, k);
  const whole = <u64>x;
  const quotient = whole >> k;
  if (quotient < MOST_ONES) putBits(scratch, ((<u64>1) << quotient) - 1, <u32>quotient + 1);
  else {
    putBits(scratch, ((<u64>1) << MOST_ONES) - 1, <u32>MOST_ONES);
    const rest = quotient - MOST_ONES + 1;
    const bits = 63 - <u32>clz(rest);
    putBits(scratch, (<u64>1) << bits, bits + 1);
    putBits(scratch, rest ^ ((<u64>1) << bits), bits);
  }
  putBits(scratch, whole & (((<u64>1) << k) - 1), k);
  return x;
}

function takeSymbol(scratch: usize, k: u32): f64 {
  let quotient = ctz(~peekBits(scratch));
  if (quotient < MOST_ONES) skipBits(scratch, <u32>quotient + 1);
  else {
    skipBits(scratch, <u32>MOST_ONES);
    const bits = <u32>ctz(peekBits(scratch));
    if (bits + k > 53) return -1;
    skipBits(scratch, bits + 1);
    const rest = (peekBits(scratch) & (((<u64>1) << bits) - 1)) | ((<u64>1) << bits);
    skipBits(scratch, bits);
    quotient = rest + MOST_ONES - 1;
  }
  const low = peekBits(scratch) & (((<u64>1) << k) - 1);
  skipBits(scratch, k);
  if (load<u64>(scratch, CountsWord.Bit) > load<u64>(scratch, CountsWord.EndBit)) return -1;
  return <f64>((quotient << k) | low);
}

/** Appends `count` bits, 54 at most; what is behind them in their eight bytes becomes zero. */
function putBits(scratch: usize, bits: u64, count: u32): void {
  const bit = load<u64>(scratch, CountsWord.Bit);
  const at = <usize>(bit >> 3);
  const before = ((<u64>1) << (bit & 7)) - 1;
  store<u64>(at, (load<u64>(at) & before) | (bits << (bit & 7)));
  store<u64>(scratch, bit + count, CountsWord.Bit);
}

/** The next 57 bits and more; what is behind the end is anything. */
function peekBits(scratch: usize): u64 {
  const bit = load<u64>(scratch, CountsWord.Bit);
  return load<u64>(<usize>(bit >> 3)) >> (bit & 7);
}

function skipBits(scratch: usize, count: u32): void {
  store<u64>(scratch, load<u64>(scratch, CountsWord.Bit) + count, CountsWord.Bit);
}
