/** Twin of assembly/columns.ts. */
import { CoreLimit, CoreRefusal, SampleState } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import { putVarint, unZigZag, VarintReader, zigZag } from './varint';
import type { TwinViews } from './views';

const LATEST = 2147483647;
const LONGEST_STEP = 1073741823;
const FIRST_ID_TOKEN = 64;
const LONGEST_RUN = 32;
const NO_STACK = 2 ** 32 - 1;

type ColumnsTwin = Pick<CoreExports, 'columnsEncode' | 'columnsDecode'>;

export function columnsTwin({ u8, i32, u32, f64 }: TwinViews): ColumnsTwin {
  function columnsEncode(
    times: number,
    stacks: number,
    labels: number,
    states: number,
    count: number,
    startMicros: number,
    recent: number,
    out: number,
  ): number {
    const step = typicalStep(times >> 3, count, recent >> 2);
    const timeAt = out + CoreLimit.ColumnLengthBytes;
    const stackAt = encodeTimes(times >> 3, count, startMicros, step, timeAt);
    const stateAt = encodeStacks(stacks >> 2, count, recent, stackAt);
    const labelAt = encodeStates(states, count, stateAt);
    const end = labels ? encodeLabels(labels >> 2, count, labelAt) : encodeRun(count, 0, labelAt);
    let at = out;
    for (const value of [step, stackAt - timeAt, stateAt - stackAt, labelAt - stateAt, end - labelAt]) {
      at = putVarint(u8, at, value);
    }
    u8.copyWithin(at, timeAt, end);
    return at - out + end - timeAt;
  }

  function typicalStep(times: number, count: number, sorted: number): number {
    if (count < 2) return 0;
    const looks = Math.min(CoreLimit.ColumnStepLooks, count - 1);
    for (let look = 0; look < looks; look++) {
      const at = times + 1 + Math.floor((look * (count - 1)) / looks);
      const difference = f64[at]! - f64[at - 1]!;
      const step = difference > 0 ? Math.floor(Math.min(difference + 0.5, LONGEST_STEP)) : 0;
      let place = sorted + look;
      for (; place > sorted && i32[place - 1]! > step; place--) i32[place] = i32[place - 1]!;
      i32[place] = step;
    }
    return i32[sorted + (looks >> 1)]!;
  }

  function encodeTimes(times: number, count: number, startMicros: number, step: number, at: number): number {
    let last = 0;
    for (let i = 0; i < count; i++) {
      let time = Math.floor(f64[times + i]! - startMicros + 0.5);
      if (!(time > last)) time = last;
      if (time > LATEST) time = LATEST;
      at = putVarint(u8, at, zigZag(time - last - step));
      last = time;
    }
    return at;
  }

  function encodeStacks(stacks: number, count: number, recentAt: number, at: number): number {
    const recent = recentAt >> 2;
    u32.fill(NO_STACK, recent, recent + CoreLimit.ColumnRecentStacks);
    let written = 0;
    for (let i = 0; i < count; ) {
      const given = u32[stacks + i]!;
      const stack = given > CoreLimit.ColumnStackId ? 0 : given;
      const place = placeOf(stack);
      if (u32[recent + place] === stack) {
        u8[at++] = LONGEST_RUN + place;
      } else {
        at = putVarint(u8, at, FIRST_ID_TOKEN + zigZag(stack - written));
        written = stack;
        u32[recent + place] = stack;
      }
      let run = 0;
      while (++i < count && u32[stacks + i] === given) run++;
      for (; run > 0; run -= LONGEST_RUN) u8[at++] = Math.min(run, LONGEST_RUN) - 1;
    }
    return at;
  }

  function placeOf(stack: number): number {
    return Math.imul(stack, 2654435761) >>> 27;
  }

  function encodeStates(states: number, count: number, at: number): number {
    for (let i = 0; i < count; ) {
      const from = i;
      const state = u8[states + i]!;
      while (i < count && u8[states + i] === state) i++;
      at = putVarint(u8, at, (((i - from) << 3) | state) >>> 0);
    }
    return at;
  }

  function encodeLabels(labels: number, count: number, at: number): number {
    for (let i = 0; i < count; ) {
      const from = i;
      const label = u32[labels + i]!;
      while (i < count && u32[labels + i] === label) i++;
      at = encodeRun(i - from, label, at);
    }
    return at;
  }

  function encodeRun(length: number, label: number, at: number): number {
    return length ? putVarint(u8, putVarint(u8, at, length), label) : at;
  }

  function columnsDecode(
    at: number,
    length: number,
    count: number,
    startMicros: number,
    times: number,
    stacks: number,
    labels: number,
    states: number,
    recent: number,
  ): number {
    const head = new VarintReader(u8, at, at + length);
    const step = head.take();
    const lengths = [head.take(), head.take(), head.take(), head.take()] as const;
    const total = lengths[0] + lengths[1] + lengths[2] + lengths[3];
    if (!head.ok || total !== at + length - head.at) return CoreRefusal.Malformed;
    const stackAt = head.at + lengths[0];
    const stateAt = stackAt + lengths[1];
    const labelAt = stateAt + lengths[2];
    const decoded =
      decodeTimes(new VarintReader(u8, head.at, stackAt), count, startMicros, step, times) &&
      decodeStacks(new VarintReader(u8, stackAt, stateAt), count, stacks, recent) &&
      decodeStates(new VarintReader(u8, stateAt, labelAt), count, states) &&
      decodeLabels(new VarintReader(u8, labelAt, at + length), count, labels);
    return decoded ? 1 : CoreRefusal.Malformed;
  }

  function decodeTimes(
    bytes: VarintReader,
    count: number,
    startMicros: number,
    step: number,
    out: number,
  ): boolean {
    let time = 0;
    for (let i = 0; i < count; i++) {
      const after = unZigZag(bytes.take()) + step;
      if (!bytes.ok) return false;
      time += after;
      if (after < 0 || time > LATEST) return false;
      f64[(out >> 3) + i] = startMicros + time;
    }
    return bytes.done;
  }

  function decodeStacks(bytes: VarintReader, count: number, outAt: number, recentAt: number): boolean {
    const recent = recentAt >> 2;
    const out = outAt >> 2;
    u32.fill(NO_STACK, recent, recent + CoreLimit.ColumnRecentStacks);
    let written = 0;
    let stack = NO_STACK;
    for (let done = 0; done < count; ) {
      const token = bytes.take();
      if (!bytes.ok) return false;
      let run = 1;
      if (token < LONGEST_RUN) {
        run = token + 1;
      } else if (token < FIRST_ID_TOKEN) {
        stack = u32[recent + token - LONGEST_RUN]!;
      } else {
        stack = (written + unZigZag(token - FIRST_ID_TOKEN)) >>> 0;
        written = stack;
        u32[recent + placeOf(stack)] = stack;
      }
      if (stack > CoreLimit.ColumnStackId || run > count - done) return false;
      u32.fill(stack, out + done, out + done + run);
      done += run;
    }
    return bytes.done;
  }

  function decodeStates(bytes: VarintReader, count: number, out: number): boolean {
    let done = 0;
    while (done < count) {
      const token = bytes.take();
      const run = token >>> 3;
      const state = token & 7;
      if (!bytes.ok || run === 0 || run > count - done || state > SampleState.Blocked) return false;
      u8.fill(state, out + done, out + done + run);
      done += run;
    }
    return bytes.done;
  }

  function decodeLabels(bytes: VarintReader, count: number, out: number): boolean {
    let done = 0;
    while (done < count) {
      const run = bytes.take();
      const label = bytes.take();
      if (!bytes.ok || run === 0 || run > count - done) return false;
      u32.fill(label, (out >> 2) + done, (out >> 2) + done + run);
      done += run;
    }
    return bytes.done;
  }

  return { columnsEncode, columnsDecode };
}
