/** Twin of assembly/columns.ts. */
import { CoreLimit, CoreRefusal, EncoderWord, SampleState } from '../../assembly/layout';
import type { CoreExports } from '../core-exports';
import { putVarint, unZigZag, VarintReader, zigZag } from './varint';
import type { TwinViews } from './views';

const LATEST = 2147483647;

type ColumnsTwin = Pick<CoreExports, 'encoderReset' | 'encoderAdd' | 'encoderFinish' | 'columnsDecode'>;

export function columnsTwin({ u8, i32, u32, f64 }: TwinViews): ColumnsTwin {
  function encoderReset(base: number, startMicros: number, periodMicros: number): void {
    const capacity = word(base, EncoderWord.Capacity);
    const columns = base + EncoderWord.Columns;
    u8.fill(0, base + EncoderWord.LastMicros, base + EncoderWord.LastMicros + 8);
    u8.fill(0, base + EncoderWord.State, base + EncoderWord.Recent);
    f64[(base + EncoderWord.StartMicros) >> 3] = startMicros;
    i32[(base + EncoderWord.PeriodMicros) >> 2] = periodMicros;
    setWord(base, EncoderWord.TimeAt, columns);
    setWord(base, EncoderWord.StackAt, columns + capacity * 5);
    setWord(base, EncoderWord.StateAt, columns + capacity * 10);
    setWord(base, EncoderWord.LabelAt, columns + capacity * 15);
  }

  function encoderAdd(base: number, atMicros: number, stack: number, state: number, label: number): number {
    const count = word(base, EncoderWord.Count);
    if (count === word(base, EncoderWord.Capacity)) return count;
    const last = word(base, EncoderWord.LastMicros);
    let time = Math.floor(atMicros - f64[(base + EncoderWord.StartMicros) >> 3]! + 0.5);
    if (!(time > last)) time = last;
    if (time > LATEST) time = LATEST;
    setWord(base, EncoderWord.LastMicros, time);
    const deviation = (time - last - i32[(base + EncoderWord.PeriodMicros) >> 2]!) | 0;
    setWord(base, EncoderWord.TimeAt, putVarint(u8, word(base, EncoderWord.TimeAt), zigZag(deviation)));
    addStack(base, stack >>> 0 > CoreLimit.ColumnStackId ? 0 : stack >>> 0);

    if (state === word(base, EncoderWord.State)) {
      setWord(base, EncoderWord.StateRun, word(base, EncoderWord.StateRun) + 1);
    } else {
      setWord(base, EncoderWord.StateAt, putStateRun(base, word(base, EncoderWord.StateAt)));
      setWord(base, EncoderWord.State, state);
      setWord(base, EncoderWord.StateRun, 1);
    }
    if (label >>> 0 === word(base, EncoderWord.Label)) {
      setWord(base, EncoderWord.LabelRun, word(base, EncoderWord.LabelRun) + 1);
    } else {
      setWord(base, EncoderWord.LabelAt, putLabelRun(base, word(base, EncoderWord.LabelAt)));
      setWord(base, EncoderWord.Label, label);
      setWord(base, EncoderWord.LabelRun, 1);
    }
    setWord(base, EncoderWord.Count, count + 1);
    return count + 1;
  }

  function addStack(base: number, stack: number): void {
    const recent = (base + EncoderWord.Recent) >> 2;
    const known = word(base, EncoderWord.RecentCount);
    let place = 0;
    while (place < known && u32[recent + place] !== stack) place++;
    let code = place;
    if (place === known) {
      code = CoreLimit.ColumnRecentStacks + zigZag((stack - word(base, EncoderWord.LastStack)) | 0);
      setWord(base, EncoderWord.LastStack, stack);
      if (known < CoreLimit.ColumnRecentStacks) setWord(base, EncoderWord.RecentCount, known + 1);
      else place--;
    }
    moveToFront(recent, place, stack);
    setWord(base, EncoderWord.StackAt, putVarint(u8, word(base, EncoderWord.StackAt), code));
  }

  function moveToFront(recent: number, place: number, stack: number): void {
    u32.copyWithin(recent + 1, recent, recent + place);
    u32[recent] = stack;
  }

  function putStateRun(base: number, at: number): number {
    const run = word(base, EncoderWord.StateRun);
    return run ? putVarint(u8, at, ((run << 3) | word(base, EncoderWord.State)) >>> 0) : at;
  }

  function putLabelRun(base: number, at: number): number {
    const run = word(base, EncoderWord.LabelRun);
    return run ? putVarint(u8, putVarint(u8, at, run), word(base, EncoderWord.Label)) : at;
  }

  function encoderFinish(base: number, out: number): number {
    const capacity = word(base, EncoderWord.Capacity);
    const first = base + EncoderWord.Columns;
    const columns = [
      [first, word(base, EncoderWord.TimeAt)],
      [first + capacity * 5, word(base, EncoderWord.StackAt)],
      [first + capacity * 10, putStateRun(base, word(base, EncoderWord.StateAt))],
      [first + capacity * 15, putLabelRun(base, word(base, EncoderWord.LabelAt))],
    ] as const;
    let at = out;
    for (const [from, to] of columns) at = putVarint(u8, at, to - from);
    for (const [from, to] of columns) {
      u8.copyWithin(at, from, to);
      at += to - from;
    }
    return at - out;
  }

  function columnsDecode(
    at: number,
    length: number,
    count: number,
    startMicros: number,
    periodMicros: number,
    times: number,
    stacks: number,
    labels: number,
    states: number,
    recent: number,
  ): number {
    const head = new VarintReader(u8, at, at + length);
    const lengths = [head.take(), head.take(), head.take(), head.take()] as const;
    const total = lengths[0] + lengths[1] + lengths[2] + lengths[3];
    if (!head.ok || total !== at + length - head.at) return CoreRefusal.Malformed;
    const stackAt = head.at + lengths[0];
    const stateAt = stackAt + lengths[1];
    const labelAt = stateAt + lengths[2];
    const decoded =
      decodeTimes(new VarintReader(u8, head.at, stackAt), count, startMicros, periodMicros, times) &&
      decodeStacks(new VarintReader(u8, stackAt, stateAt), count, stacks, recent) &&
      decodeStates(new VarintReader(u8, stateAt, labelAt), count, states) &&
      decodeLabels(new VarintReader(u8, labelAt, at + length), count, labels);
    return decoded ? 1 : CoreRefusal.Malformed;
  }

  function decodeTimes(
    bytes: VarintReader,
    count: number,
    startMicros: number,
    periodMicros: number,
    out: number,
  ): boolean {
    let time = 0;
    for (let i = 0; i < count; i++) {
      const deviation = unZigZag(bytes.take());
      if (!bytes.ok) return false;
      const step = deviation + periodMicros;
      time += step;
      if (step < 0 || time > LATEST) return false;
      f64[(out >> 3) + i] = startMicros + time;
    }
    return bytes.done;
  }

  function decodeStacks(bytes: VarintReader, count: number, out: number, recentAt: number): boolean {
    const recent = recentAt >> 2;
    let known = 0;
    let last = 0;
    for (let i = 0; i < count; i++) {
      let place = bytes.take();
      if (!bytes.ok) return false;
      let stack: number;
      if (place >= CoreLimit.ColumnRecentStacks) {
        stack = (last + unZigZag(place - CoreLimit.ColumnRecentStacks)) >>> 0;
        if (stack > CoreLimit.ColumnStackId) return false;
        last = stack;
        if (known < CoreLimit.ColumnRecentStacks) known++;
        place = known - 1;
      } else {
        if (place >= known) return false;
        stack = u32[recent + place]!;
      }
      moveToFront(recent, place, stack);
      u32[(out >> 2) + i] = stack;
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

  function word(base: number, offset: EncoderWord): number {
    return u32[(base + offset) >> 2]!;
  }

  function setWord(base: number, offset: EncoderWord, value: number): void {
    u32[(base + offset) >> 2] = value;
  }

  return { encoderReset, encoderAdd, encoderFinish, columnsDecode };
}
