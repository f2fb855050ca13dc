/**
 * Samples as columns. The bytes are: varint lengths of the four columns, then the columns.
 *
 *   time    one varint a sample: zig-zag of (t − previous t − period), t in whole µs after the window's start, previous
 *           t of the first sample 0. A sampler that keeps its period gives one byte.
 *   stack   one varint a sample: n < 64, the stack at place n of the list of recent stacks, which moves to the front;
 *           else 64 + zig-zag(id − the id that was last written so), and that id goes to the front of the list (the
 *           65th falls off). Hot stacks and neighbours in the tree give one byte.
 *   state   runs: varint (length << 3 | state)
 *   label   runs: varint length, varint label
 */
import { CoreRefusal, EncoderWord } from './layout';
import { LAST_STACK_ID, LAST_STATE, RECENT_STACKS } from './limits';
import { putVarint, takeVarint, unZigZag, zigZag } from './varint';

/** Latest time after the start that can be told, µs: 35 minutes. */
const LATEST: f64 = 2147483647;

/** Begins a set of columns in an encoder whose Capacity has been set. `periodMicros`: whole, below 2^31. */
export function encoderReset(base: usize, startMicros: f64, periodMicros: i32): void {
  const capacity = load<u32>(base, EncoderWord.Capacity);
  const columns = <u32>base + EncoderWord.Columns;
  memory.fill(base + EncoderWord.LastMicros, 0, 8); // last time and count
  memory.fill(base + EncoderWord.State, 0, EncoderWord.Recent - EncoderWord.State);
  store<f64>(base, startMicros, EncoderWord.StartMicros);
  store<i32>(base, periodMicros, EncoderWord.PeriodMicros);
  store<u32>(base, columns, EncoderWord.TimeAt);
  store<u32>(base, columns + capacity * 5, EncoderWord.StackAt);
  store<u32>(base, columns + capacity * 10, EncoderWord.StateAt);
  store<u32>(base, columns + capacity * 15, EncoderWord.LabelAt);
}

/** Adds a sample and returns how many there are; nothing is added when the encoder is full. */
export function encoderAdd(base: usize, atMicros: f64, stack: u32, state: u32, label: u32): u32 {
  const count = load<u32>(base, EncoderWord.Count);
  if (count == load<u32>(base, EncoderWord.Capacity)) return count;
  const last = load<i32>(base, EncoderWord.LastMicros);
  let after = floor(atMicros - load<f64>(base, EncoderWord.StartMicros) + 0.5);
  if (!(after > <f64>last)) after = <f64>last;
  if (after > LATEST) after = LATEST;
  const time = <i32>after;
  store<i32>(base, time, EncoderWord.LastMicros);
  const deviation = time - last - load<i32>(base, EncoderWord.PeriodMicros);
  store<u32>(
    base,
    <u32>putVarint(load<u32>(base, EncoderWord.TimeAt), <u64>zigZag(deviation)),
    EncoderWord.TimeAt,
  );
  addStack(base, stack > LAST_STACK_ID ? 0 : stack);

  if (state == load<u32>(base, EncoderWord.State)) {
    store<u32>(base, load<u32>(base, EncoderWord.StateRun) + 1, EncoderWord.StateRun);
  } else {
    store<u32>(base, <u32>putStateRun(base, load<u32>(base, EncoderWord.StateAt)), EncoderWord.StateAt);
    store<u32>(base, state, EncoderWord.State);
    store<u32>(base, 1, EncoderWord.StateRun);
  }
  if (label == load<u32>(base, EncoderWord.Label)) {
    store<u32>(base, load<u32>(base, EncoderWord.LabelRun) + 1, EncoderWord.LabelRun);
  } else {
    store<u32>(base, <u32>putLabelRun(base, load<u32>(base, EncoderWord.LabelAt)), EncoderWord.LabelAt);
    store<u32>(base, label, EncoderWord.Label);
    store<u32>(base, 1, EncoderWord.LabelRun);
  }
  store<u32>(base, count + 1, EncoderWord.Count);
  return count + 1;
}

function addStack(base: usize, stack: u32): void {
  const recent = base + EncoderWord.Recent;
  const known = load<u32>(base, EncoderWord.RecentCount);
  let place = placeOf(recent, known, stack);
  let code: u64 = place;
  if (place == known) {
    const difference = <i32>stack - <i32>load<u32>(base, EncoderWord.LastStack);
    code = RECENT_STACKS + <u64>zigZag(difference);
    store<u32>(base, stack, EncoderWord.LastStack);
    if (known < RECENT_STACKS) store<u32>(base, known + 1, EncoderWord.RecentCount);
    else place--;
  }
  moveToFront(recent, place, stack);
  store<u32>(base, <u32>putVarint(load<u32>(base, EncoderWord.StackAt), code), EncoderWord.StackAt);
}

/** Where `stack` is in the list, `known` when it is not there. Four places at a time; what is behind `known` is not looked at. */
function placeOf(recent: usize, known: u32, stack: u32): u32 {
  const wanted = i32x4.splat(<i32>stack);
  for (let place: u32 = 0; place < known; place += 4) {
    const found = i32x4.bitmask(i32x4.eq(v128.load(recent + (place << 2)), wanted));
    if (found) return min<u32>(place + ctz<u32>(found), known);
  }
  return known;
}

/** Moves the places before `place` one back and puts `stack` first. Four places at a time, from the last on. */
function moveToFront(recent: usize, place: u32, stack: u32): void {
  let at = recent + (place << 2);
  for (; at >= recent + 16; at -= 16) v128.store(at - 12, v128.load(at - 16));
  for (; at > recent; at -= 4) store<u32>(at, load<u32>(at - 4));
  store<u32>(recent, stack);
}

/** The open run, if there is one, written at `at`; the place after it. */
function putStateRun(base: usize, at: usize): usize {
  const run = load<u32>(base, EncoderWord.StateRun);
  return run ? putVarint(at, <u64>((run << 3) | load<u32>(base, EncoderWord.State))) : at;
}

function putLabelRun(base: usize, at: usize): usize {
  const run = load<u32>(base, EncoderWord.LabelRun);
  return run ? putVarint(putVarint(at, <u64>run), <u64>load<u32>(base, EncoderWord.Label)) : at;
}

/** Writes the finished bytes to `out` and returns how many. More samples may follow. */
export function encoderFinish(base: usize, out: usize): u32 {
  const capacity = load<u32>(base, EncoderWord.Capacity);
  const times = base + EncoderWord.Columns;
  const stacks = times + capacity * 5;
  const states = times + capacity * 10;
  const labels = times + capacity * 15;
  const timeBytes = load<u32>(base, EncoderWord.TimeAt) - <u32>times;
  const stackBytes = load<u32>(base, EncoderWord.StackAt) - <u32>stacks;
  const stateBytes = <u32>(putStateRun(base, load<u32>(base, EncoderWord.StateAt)) - states);
  const labelBytes = <u32>(putLabelRun(base, load<u32>(base, EncoderWord.LabelAt)) - labels);
  let at = putVarint(putVarint(out, <u64>timeBytes), <u64>stackBytes);
  at = putVarint(putVarint(at, <u64>stateBytes), <u64>labelBytes);
  memory.copy(at, times, timeBytes);
  memory.copy(at + timeBytes, stacks, stackBytes);
  memory.copy(at + timeBytes + stackBytes, states, stateBytes);
  memory.copy(at + timeBytes + stackBytes + stateBytes, labels, labelBytes);
  return <u32>(at - out) + timeBytes + stackBytes + stateBytes + labelBytes;
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
  periodMicros: i32,
  times: usize,
  stacks: usize,
  labels: usize,
  states: usize,
  recent: usize,
): i32 {
  const end = at + length;
  const timeLength = takeVarint(at, end);
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
  if (!decodeTimes(at, stackAt, count, startMicros, periodMicros, times)) return CoreRefusal.Malformed;
  if (!decodeStacks(stackAt, stateAt, count, stacks, recent)) return CoreRefusal.Malformed;
  if (!decodeStates(stateAt, labelAt, count, states)) return CoreRefusal.Malformed;
  return decodeLabels(labelAt, end, count, labels) ? 1 : CoreRefusal.Malformed;
}

function decodeTimes(
  at: usize,
  end: usize,
  count: u32,
  startMicros: f64,
  periodMicros: i32,
  out: usize,
): bool {
  let time: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const taken = takeVarint(at, end);
    if (!taken) return false;
    at += <u32>(taken >> 32);
    const step = <i64>unZigZag(<u32>taken) + <i64>periodMicros;
    time += step;
    if (step < 0 || time > <i64>LATEST) return false;
    store<f64>(out + (i << 3), startMicros + <f64>time);
  }
  return at == end;
}

function decodeStacks(at: usize, end: usize, count: u32, out: usize, recent: usize): bool {
  let known: u32 = 0;
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const taken = takeVarint(at, end);
    if (!taken) return false;
    at += <u32>(taken >> 32);
    let place = <u32>taken;
    let stack: u32;
    if (place >= RECENT_STACKS) {
      stack = last + <u32>unZigZag(place - RECENT_STACKS);
      if (stack > LAST_STACK_ID) return false;
      last = stack;
      if (known < RECENT_STACKS) known++;
      place = known - 1;
    } else {
      if (place >= known) return false;
      stack = load<u32>(recent + (place << 2));
    }
    moveToFront(recent, place, stack);
    store<u32>(out + (i << 2), stack);
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
    for (let i: u32 = 0; i < run; i++) store<u32>(out + ((done + i) << 2), <u32>label);
    done += run;
  }
  return at == end;
}
