/**
 * Samples as columns, a whole set at once. The bytes are: varint step, varint lengths of the four columns, the columns.
 *
 *   step    the typical time from one sample to the next, µs: a median, which a few long gaps do not move
 *   time    one varint a sample: zig-zag of (t − previous t − step), t in whole µs after the set's start, previous t of
 *           the first sample 0. A sampler that keeps its pace gives one byte.
 *   stack   varint tokens n: below 32, the last stack n + 1 times more; below 64, the stack at place n − 32 of the table
 *           of recent stacks; else 64 + zig-zag(id − the id that was last written so), and that id goes to its place in
 *           the table, the top five bits of id × 2654435761. Runs, hot stacks and neighbours in the tree give one byte.
 *   state   runs: varint (length << 3 | state)
 *   label   runs: varint length, varint label
 */
import { CoreRefusal } from './layout';
import { LAST_STACK_ID, LAST_STATE, LENGTH_BYTES, RECENT_STACKS, STEP_LOOKS } from './limits';
import {
  isShort,
  putVarint,
  putVarint32,
  shortLength,
  shortValue,
  takeVarint,
  unZigZag,
  zigZag,
} from './varint';

/** Latest time after the start that can be told, µs: 35 minutes. */
const LATEST: i64 = 2147483647;
/** Largest step: what a deviation from it must not run out of 32 bits. */
const LONGEST_STEP: i32 = 1073741823;
/** The bytes of what is above all steps. */
const NO_STEP: u8 = 127;
/** Tokens from here on are ids. */
const FIRST_ID_TOKEN: u32 = 64;
const LONGEST_RUN: u32 = 32;
/** The bytes of what is no stack id. */
const NO_STACK: u8 = 255;
/** Stands for two bytes where there are not so many left. */
const NO_PAIR: u32 = 0xffff;

/**
 * Writes `count` samples to `out`: f64 times, u32 stacks, u8 states, u32 labels (`labels` 0: none has one), and
 * ColumnRecentStacks × u32 of scratch at `recent`. Returns the length. Times that run backwards or are none stand still,
 * stack ids that are none count as the empty stack.
 */
export function columnsEncode(
  times: usize,
  stacks: usize,
  labels: usize,
  states: usize,
  count: u32,
  startMicros: f64,
  recent: usize,
  out: usize,
): u32 {
  const step = typicalStep(times, count, recent);
  const timeAt = out + LENGTH_BYTES;
  const stackAt = encodeTimes(times, count, startMicros, step, timeAt);
  const stateAt = encodeStacks(stacks, count, recent, stackAt);
  const labelAt = encodeStates(states, count, stateAt);
  const end = labels ? encodeLabels(labels, count, labelAt) : encodeRun(count, 0, labelAt);
  let at = putVarint(out, <u64>step);
  at = putVarint(putVarint(at, <u64>(stackAt - timeAt)), <u64>(stateAt - stackAt));
  at = putVarint(putVarint(at, <u64>(labelAt - stateAt)), <u64>(end - labelAt));
  memory.copy(at, timeAt, end - timeAt);
  return <u32>(at - out + end - timeAt);
}

/**
 * The median of some of the steps, evenly chosen; 0 without samples: the largest that no more than half of the others are
 * below, without sorting. `steps`: scratch for RECENT_STACKS × i32.
 */
function typicalStep(times: usize, count: u32, steps: usize): i32 {
  if (count < 2) return 0;
  const looks = min<u32>(STEP_LOOKS, count - 1);
  memory.fill(steps, NO_STEP, RECENT_STACKS << 2);
  for (let look: u32 = 0; look < looks; look++) {
    const at = times + ((1 + (look * (count - 1)) / looks) << 3);
    const difference = load<f64>(at) - load<f64>(at - 8);
    const step = difference > 0 ? <i32>min<f64>(difference + 0.5, <f64>LONGEST_STEP) : 0;
    store<i32>(steps + (look << 2), step);
  }
  const end = steps + (looks << 2);
  let median: i32 = 0;
  for (let at = steps; at < end; at += 4) {
    const step = load<i32>(at);
    if (step <= median) continue;
    let below: u32 = 0;
    for (let other = steps; other < end; other += 16)
      below += popcnt<u32>(i32x4.bitmask(i32x4.lt_s(v128.load(other), i32x4.splat(step))));
    if (below <= looks >> 1) median = step;
  }
  return median;
}

/** Four at a time where time runs on at about its pace; whether a step is above or below the typical one is no branch. */
function encodeTimes(times: usize, count: u32, startMicros: f64, step: i32, at: usize): usize {
  const start = f64x2.splat(startMicros);
  const half = f64x2.splat(0.5);
  const steps = i32x4.splat(step);
  let last = i32x4.splat(0);
  const end = times + (count << 3);
  for (; times + 32 <= end; times += 32) {
    // The conversion saturates: NaN is 0, and what is too late is 2^31 − 1.
    const first = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.sub(v128.load(times), start), half));
    const second = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.sub(v128.load(times + 16), start), half));
    const now = v128.shuffle<i64>(first, second, 0, 2);
    const before = v128.shuffle<i32>(last, now, 3, 4, 5, 6);
    const difference = i32x4.sub(i32x4.sub(now, before), steps);
    const codes = v128.xor(i32x4.shl(difference, 1), i32x4.shr_s(difference, 31));
    if (!v128.any_true(v128.or(i32x4.lt_s(now, before), v128.and(codes, i32x4.splat(~16383))))) {
      at = putFour(at, codes);
      last = now;
      continue;
    }
    let time = i32x4.extract_lane(last, 3);
    for (let place: usize = 0; place < 32; place += 8) {
      const next = timeAt(times + place, startMicros, time);
      at = putVarint32(at, zigZag(next - time - step));
      time = next;
    }
    last = i32x4.splat(time);
  }
  let time = i32x4.extract_lane(last, 3);
  for (; times < end; times += 8) {
    const next = timeAt(times, startMicros, time);
    at = putVarint32(at, zigZag(next - time - step));
    time = next;
  }
  return at;
}

/** The time after the start, not before `last`. */
function timeAt(times: usize, startMicros: f64, last: i32): i32 {
  return max<i32>(last, <i32>(load<f64>(times) - startMicros + 0.5));
}

/**
 * Four varints below 2^14. Each is one byte or two, low ones first in its lane: those of odd lanes are shifted (that is,
 * multiplied) to the end of the lane before, and two stores take them all.
 */
function putFour(at: usize, codes: v128): usize {
  const long = i32x4.gt_s(codes, i32x4.splat(127));
  const high = v128.and(codes, i32x4.splat(0x3f80));
  const bytes = i32x4.add(i32x4.add(codes, high), v128.and(long, i32x4.splat(128)));
  const factor = v128.xor(i32x4.splat(256), v128.and(long, i32x4.splat(256 ^ 65536)));
  const pairs = v128.or(bytes, i32x4.mul(v128.shuffle<i32>(bytes, bytes, 1, 1, 3, 3), factor));
  const lengths = i32x4.bitmask(long);
  v128.store_lane<i32>(at, pairs, 0);
  v128.store_lane<i32>(at + 2 + popcnt(lengths & 3), pairs, 2);
  return at + 4 + popcnt(lengths);
}

/** Sixteen at a time: where a stack differs from the one before it a bit of `changes` is set. */
function encodeStacks(stacks: usize, count: u32, recent: usize, out: usize): usize {
  memory.fill(recent, NO_STACK, RECENT_STACKS << 2);
  if (count == 0) return out;
  let first: u32 = 0;
  let written = idAt(stacks, 0);
  let at = putStack(recent, written, 0, out);
  for (let block: u32 = 1; block < count; block += 16) {
    let changes = changes32(stacks + (block << 2)) & within(count - block);
    for (; changes; changes &= changes - 1) {
      const next = block + ctz<u32>(changes);
      const stack = idAt(stacks, next);
      if (next - first > 1) at = putRepeats(at, next - first - 1);
      first = next;
      const place = placeOf(stack);
      if (load<u32>(recent + (place << 2)) == stack) {
        store<u8>(at++, <u8>(LONGEST_RUN + place));
      } else {
        at = putStack(recent, stack, written, at);
        written = stack;
      }
    }
  }
  return putRepeats(at, count - first - 1);
}

function idAt(stacks: usize, index: u32): u32 {
  const id = load<u32>(stacks + (index << 2));
  return id > LAST_STACK_ID ? 0 : id;
}

/** Writes a stack that is not in the table of recent ones, and puts it there. */
function putStack(recent: usize, stack: u32, written: u32, at: usize): usize {
  store<u32>(recent + (placeOf(stack) << 2), stack);
  return putVarint32(at, FIRST_ID_TOKEN + zigZag(<i32>stack - <i32>written));
}

function putRepeats(at: usize, run: u32): usize {
  for (; run > LONGEST_RUN; run -= LONGEST_RUN) store<u8>(at++, <u8>(LONGEST_RUN - 1));
  if (run) store<u8>(at++, <u8>(run - 1));
  return at;
}

/** A bit for each of 16 words from `at` on: whether it differs from the word before it. */
function changes32(at: usize): u32 {
  const low = i16x8.narrow_i32x4_s(changed(at), changed(at + 16));
  const high = i16x8.narrow_i32x4_s(changed(at + 32), changed(at + 48));
  return i8x16.bitmask(i8x16.narrow_i16x8_s(low, high));
}

function changed(at: usize): v128 {
  return i32x4.ne(v128.load(at), v128.load(at - 4));
}

/** The lowest `count` bits of 16: what is behind the last sample does not count. */
function within(count: u32): u32 {
  return count < 16 ? (1 << count) - 1 : 0xffff;
}

/** A stack's place in the table of recent ones. */
function placeOf(stack: u32): u32 {
  return (stack * 2654435761) >> 27;
}

function encodeStates(states: usize, count: u32, at: usize): usize {
  let first: u32 = 0;
  for (let block: u32 = 1; block < count; block += 16) {
    const place = states + block;
    let changes = i8x16.bitmask(i8x16.ne(v128.load(place), v128.load(place - 1))) & within(count - block);
    for (; changes; changes &= changes - 1) {
      const next = block + ctz<u32>(changes);
      at = putVarint32(at, ((next - first) << 3) | load<u8>(states + first));
      first = next;
    }
  }
  return count ? putVarint32(at, ((count - first) << 3) | load<u8>(states + first)) : at;
}

function encodeLabels(labels: usize, count: u32, at: usize): usize {
  let first: u32 = 0;
  for (let next: u32 = 1; next <= count; next++) {
    const label = load<u32>(labels + (first << 2));
    if (next < count && load<u32>(labels + (next << 2)) == label) continue;
    at = encodeRun(next - first, label, at);
    first = next;
  }
  return at;
}

function encodeRun(length: u32, label: u32, at: usize): usize {
  return length ? putVarint32(putVarint32(at, length), label) : at;
}

/**
 * Reads `count` samples from `length` bytes at `at` into arrays: f64 times, u32 stacks, u32 labels, u8 states, and
 * ColumnRecentStacks × u32 of scratch at `recent`. 1, or CoreRefusal.Malformed.
 */
export function columnsDecode(
  at: usize,
  length: u32,
  count: u32,
  startMicros: f64,
  times: usize,
  stacks: usize,
  labels: usize,
  states: usize,
  recent: usize,
): i32 {
  const end = at + length;
  const step = takeVarint(at, end);
  at += <u32>(step >> 32);
  const timeLength = step ? takeVarint(at, end) : 0;
  at += <u32>(timeLength >> 32);
  const stackLength = timeLength ? takeVarint(at, end) : 0;
  at += <u32>(stackLength >> 32);
  const stateLength = stackLength ? takeVarint(at, end) : 0;
  at += <u32>(stateLength >> 32);
  const labelLength = stateLength ? takeVarint(at, end) : 0;
  at += <u32>(labelLength >> 32);
  const total =
    (timeLength & 0xffffffff) +
    (stackLength & 0xffffffff) +
    (stateLength & 0xffffffff) +
    (labelLength & 0xffffffff);
  if (!labelLength || total != <u64>(end - at)) return CoreRefusal.Malformed;
  const stackAt = at + <u32>timeLength;
  const stateAt = stackAt + <u32>stackLength;
  const labelAt = stateAt + <u32>stateLength;
  if (!decodeTimes(at, stackAt, count, startMicros, <u32>step, times)) return CoreRefusal.Malformed;
  if (!decodeStacks(stackAt, stateAt, count, stacks, recent)) return CoreRefusal.Malformed;
  if (!decodeStates(stateAt, labelAt, count, states)) return CoreRefusal.Malformed;
  return decodeLabels(labelAt, end, count, labels) ? 1 : CoreRefusal.Malformed;
}

function decodeTimes(at: usize, end: usize, count: u32, startMicros: f64, step: u32, out: usize): bool {
  let time: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    let code: u32;
    const pair: u32 = at + 2 <= end ? load<u16>(at) : NO_PAIR;
    if (isShort(pair)) {
      code = shortValue(pair);
      at += shortLength(pair);
    } else {
      const taken = takeVarint(at, end);
      if (!taken) return false;
      at += <u32>(taken >> 32);
      code = <u32>taken;
    }
    const after = <i64>unZigZag(code) + <i64>step;
    time += after;
    if (after < 0 || time > LATEST) return false;
    store<f64>(out + (i << 3), startMicros + <f64>time);
  }
  return at == end;
}

function decodeStacks(at: usize, end: usize, count: u32, out: usize, recent: usize): bool {
  memory.fill(recent, NO_STACK, RECENT_STACKS << 2);
  let written: u32 = 0;
  let stack: u32 = LAST_STACK_ID + 1;
  let done: u32 = 0;
  while (done < count) {
    let token: u32;
    const pair: u32 = at + 2 <= end ? load<u16>(at) : NO_PAIR;
    if (isShort(pair)) {
      token = shortValue(pair);
      at += shortLength(pair);
    } else {
      const taken = takeVarint(at, end);
      if (!taken) return false;
      at += <u32>(taken >> 32);
      token = <u32>taken;
    }
    let run: u32 = 1;
    if (token < LONGEST_RUN) {
      run = token + 1;
    } else if (token < FIRST_ID_TOKEN) {
      stack = load<u32>(recent + ((token - LONGEST_RUN) << 2));
    } else {
      stack = written + <u32>unZigZag(token - FIRST_ID_TOKEN);
      written = stack;
      store<u32>(recent + (placeOf(stack) << 2), stack);
    }
    if (stack > LAST_STACK_ID || run > count - done) return false;
    fill32(out + (done << 2), stack, run);
    done += run;
  }
  return at == end;
}

function decodeStates(at: usize, end: usize, count: u32, out: usize): bool {
  let done: u32 = 0;
  while (done < count) {
    const taken = takeVarint(at, end);
    if (!taken) return false;
    at += <u32>(taken >> 32);
    const run = <u32>taken >> 3;
    const state = <u32>taken & 7;
    if (run == 0 || run > count - done || state > LAST_STATE) return false;
    memory.fill(out + done, <u8>state, run);
    done += run;
  }
  return at == end;
}

function decodeLabels(at: usize, end: usize, count: u32, out: usize): bool {
  let done: u32 = 0;
  while (done < count) {
    const length = takeVarint(at, end);
    if (!length) return false;
    at += <u32>(length >> 32);
    const label = takeVarint(at, end);
    const run = <u32>length;
    if (!label || run == 0 || run > count - done) return false;
    at += <u32>(label >> 32);
    fill32(out + (done << 2), <u32>label, run);
    done += run;
  }
  return at == end;
}

/** `count` words of one value, four at a time. */
function fill32(at: usize, value: u32, count: u32): void {
  const four = i32x4.splat(value);
  for (; count >= 4; count -= 4, at += 16) v128.store(at, four);
  for (; count; count--, at += 4) store<u32>(at, value);
}
