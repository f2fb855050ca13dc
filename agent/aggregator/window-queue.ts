/**
 * Windows that were never sent. The newest keep every tick; while the link is down older ones are merged into sums of
 * (stack, state) → ticks, one a run of adjacent windows. Totals stay exact, time resolution goes, memory stays flat:
 * when there are too many sums, the two oldest become one.
 */
import type { CoreTables } from '../core';
import { SEVERAL_THREADS, type WindowTuple } from '../wire/schema';
import type { TickWindow } from './profile-reader';

/** Windows kept with every tick. */
const WHOLE_WINDOWS_MAX = 30;
/** A sum ends at a gap, and when it covers so much, µs. */
const SUM_GAP_MICROS = 1e6;
const SUM_SPAN_MICROS = 600e6;
const SUMS_MAX = 48;
/** A part of a sum that leaves as one window: ticks, and time that its columns can tell, µs. */
const PART_TICKS_MAX = 16_384;
const PART_SPAN_MAX_MICROS = 1800e6;
/** What one call of take() gives out, about. */
const TAKE_BYTES_MAX = 1024 * 1024;
/** True period within this factor of the nominal one is believed; outside, ticks were lost. */
const PERIOD_TOLERANCE = 1.25;
const STATES = 8;

type Queued = { window: TickWindow; periodNanos: number; lostTicks: number };

type Sum = {
  threadId: number;
  startMicros: number;
  endMicros: number;
  /** stack × STATES + state → ticks */
  ticks: Map<number, number>;
  count: number;
  spentNanos: number;
  jsTicks: number;
  repairedTicks: number;
  unnamedTicks: number;
  lostTicks: number;
};

export class WindowQueue {
  #whole: Queued[] = [];
  #sums: Sum[] = [];
  /** The sum that leaves in parts, and how far that has come. */
  #leaving: { sum: Sum; parts: number; next: number } | null = null;
  /** Windows whose ticks lost their own times by merging, ever. */
  mergedWindows = 0;

  constructor(readonly tables: CoreTables) {}

  get length(): number {
    return this.#whole.length + this.#sums.length + (this.#leaving === null ? 0 : 1);
  }

  add(window: TickWindow, nominalMicros: number): void {
    this.#whole.push({ window, ...periodOf(window, nominalMicros) });
    if (this.#whole.length > WHOLE_WINDOWS_MAX) this.#merge(this.#whole.shift()!);
  }

  /** At most `max` tuples and about a mebibyte, oldest first, taken out of the queue. */
  take(max: number): WindowTuple[] {
    const tuples: WindowTuple[] = [];
    for (let bytes = 0; tuples.length < max && bytes < TAKE_BYTES_MAX; ) {
      const queued = this.#nextPart() ?? this.#whole.shift();
      if (queued === undefined) break;
      const tuple = this.#encode(queued);
      bytes += tuple[10].length;
      tuples.push(tuple);
    }
    return tuples;
  }

  #merge({ window, periodNanos, lostTicks }: Queued): void {
    const { threadId } = window;
    let sum = this.#sums.findLast((known) => known.threadId === threadId);
    const fits =
      sum !== undefined &&
      window.startMicros - sum.endMicros <= SUM_GAP_MICROS &&
      window.endMicros - sum.startMicros <= SUM_SPAN_MICROS;
    if (sum === undefined || !fits) {
      sum = emptySum(threadId, window.startMicros);
      this.#sums.push(sum);
    }
    for (let i = 0; i < window.stack.length; i++) {
      addTicks(sum, window.stack[i]! * STATES + window.state[i]!, 1);
    }
    sum.endMicros = window.endMicros;
    sum.spentNanos += window.stack.length * periodNanos;
    sum.jsTicks += window.jsTicks;
    sum.repairedTicks += window.repairedTicks;
    sum.unnamedTicks += window.unnamedTicks;
    sum.lostTicks += lostTicks;
    this.mergedWindows++;
    if (this.#sums.length > SUMS_MAX) this.#joinOldest();
  }

  /** The oldest two sums of a thread become one; where no thread has two, those of two workers do. */
  #joinOldest(): void {
    const sums = this.#sums;
    let first = sums.findIndex(({ threadId }, index) => hasLater(sums, threadId, index));
    if (first < 0) first = sums.findIndex(({ threadId }) => threadId !== 0);
    const into = sums[first]!;
    const second = sums.findIndex(
      ({ threadId }, index) =>
        index > first &&
        (threadId === into.threadId || (threadId !== 0 && !hasLater(sums, into.threadId, first))),
    );
    const [other] = sums.splice(second, 1) as [Sum];
    if (other.threadId !== into.threadId) into.threadId = SEVERAL_THREADS;
    for (const [key, ticks] of other.ticks) addTicks(into, key, ticks);
    into.endMicros = Math.max(into.endMicros, other.endMicros);
    into.startMicros = Math.min(into.startMicros, other.startMicros);
    into.spentNanos += other.spentNanos;
    into.jsTicks += other.jsTicks;
    into.repairedTicks += other.repairedTicks;
    into.unnamedTicks += other.unnamedTicks;
    into.lostTicks += other.lostTicks;
  }

  /** The next part of the oldest sum as a window: its share of every stack's ticks, evenly spaced, stack by stack. */
  #nextPart(): Queued | undefined {
    if (this.#leaving === null) {
      const sum = this.#sums.shift();
      if (sum === undefined) return undefined;
      const spanMicros = sum.endMicros - sum.startMicros;
      const parts = Math.max(
        1,
        Math.ceil(sum.count / PART_TICKS_MAX),
        Math.ceil(spanMicros / PART_SPAN_MAX_MICROS),
      );
      this.#leaving = { sum, parts, next: 0 };
    }
    const { sum, parts, next } = this.#leaving;
    const spanMicros = (sum.endMicros - sum.startMicros) / parts;
    const share = (whole: number) =>
      Math.floor(((next + 1) * whole) / parts) - Math.floor((next * whole) / parts);
    const startMicros = sum.startMicros + next * spanMicros;
    const count = [...sum.ticks.values()].reduce((ticks, whole) => ticks + share(whole), 0);
    const stepMicros = spanMicros / Math.max(1, count);
    const stack = new Uint32Array(count);
    const state = new Uint8Array(count);
    let at = 0;
    for (const [key, ticks] of sum.ticks) {
      const end = at + share(ticks);
      stack.fill(Math.floor(key / STATES), at, end);
      state.fill(key % STATES, at, end);
      at = end;
    }
    const window: TickWindow = {
      threadId: sum.threadId,
      startMicros,
      endMicros: startMicros + spanMicros,
      nodeCount: 0,
      atMicros: Float64Array.from(stack, (_, i) => startMicros + (i + 0.5) * stepMicros),
      stack,
      state,
      jsTicks: share(sum.jsTicks),
      repairedTicks: share(sum.repairedTicks),
      unnamedTicks: share(sum.unnamedTicks),
      idleTicks: 0,
    };
    const periodNanos = Math.round(sum.spentNanos / Math.max(1, sum.count));
    this.#leaving = next + 1 < parts ? { sum, parts, next: next + 1 } : null;
    return { window, periodNanos, lostTicks: share(sum.lostTicks) };
  }

  #encode({ window, periodNanos, lostTicks }: Queued): WindowTuple {
    const { startMicros, endMicros, atMicros, stack, state, label, jsTicks, repairedTicks, unnamedTicks } =
      window;
    const count = atMicros.length;
    const columns = this.tables.encodeColumns(startMicros, {
      atMicros,
      stack,
      state,
      ...(label === undefined ? {} : { label }),
    });
    return [
      window.threadId,
      startMicros,
      endMicros,
      count,
      periodNanos,
      jsTicks,
      repairedTicks,
      unnamedTicks,
      lostTicks,
      count,
      columns,
    ];
  }
}

/** What a tick of the window is worth, and how many are missing where the window has too few for its length. */
export function periodOf(
  window: TickWindow,
  nominalMicros: number,
): { periodNanos: number; lostTicks: number } {
  const span = window.endMicros - window.startMicros;
  const count = window.atMicros.length;
  const expected = span / nominalMicros;
  const believed =
    count > 0 && expected / count < PERIOD_TOLERANCE && count / Math.max(expected, 1) < PERIOD_TOLERANCE;
  return {
    periodNanos: Math.round(believed ? (span * 1000) / count : nominalMicros * 1000),
    lostTicks: believed ? 0 : Math.max(0, Math.round(expected) - count),
  };
}

function hasLater(sums: readonly Sum[], threadId: number, index: number): boolean {
  return sums.some((sum, at) => at > index && sum.threadId === threadId);
}

function emptySum(threadId: number, startMicros: number): Sum {
  return {
    threadId,
    startMicros,
    endMicros: startMicros,
    ticks: new Map(),
    count: 0,
    spentNanos: 0,
    jsTicks: 0,
    repairedTicks: 0,
    unnamedTicks: 0,
    lostTicks: 0,
  };
}

function addTicks(sum: Sum, key: number, ticks: number): void {
  sum.ticks.set(key, (sum.ticks.get(key) ?? 0) + ticks);
  sum.count += ticks;
}
