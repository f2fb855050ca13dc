/**
 * Windows that were never sent. The newest keep every tick; while the link is down older ones are merged into one sum a
 * thread: (stack, state) → ticks. Totals stay exact, time resolution goes, memory stays flat.
 */
import type { SampleEncoder } from '../core';
import { WIRE_LIMITS } from '../wire/limits';
import type { WindowTuple } from '../wire/schema';
import type { TickWindow } from './profile-reader';

/** Windows kept with every tick. */
const WHOLE_WINDOWS_MAX = 30;
/** True period within this factor of the nominal one is believed; outside, ticks were lost. */
const PERIOD_TOLERANCE = 1.25;
const STATES = 8;

type Queued = { window: TickWindow; periodNanos: number; lostTicks: number };
type Merged = {
  startMicros: number;
  endMicros: number;
  ticks: Map<number, number>;
  count: number;
  spentNanos: number;
  jsTicks: number;
  repairedTicks: number;
  lostTicks: number;
};

export class WindowQueue {
  #whole: Queued[] = [];
  #merged: Merged | null = null;
  /** Windows whose ticks lost their own times by merging, ever. */
  mergedWindows = 0;

  constructor(readonly encoder: SampleEncoder) {}

  get length(): number {
    return this.#whole.length + (this.#merged === null ? 0 : 1);
  }

  add(window: TickWindow, nominalMicros: number): void {
    const span = window.endMicros - window.startMicros;
    const count = window.atMicros.length;
    const expected = span / nominalMicros;
    const believed =
      count > 0 && expected / count < PERIOD_TOLERANCE && count / Math.max(expected, 1) < PERIOD_TOLERANCE;
    this.#whole.push({
      window,
      periodNanos: Math.round(believed ? (span * 1000) / count : nominalMicros * 1000),
      lostTicks: believed ? 0 : Math.max(0, Math.round(expected) - count),
    });
    if (this.#whole.length > WHOLE_WINDOWS_MAX) this.#merge(this.#whole.shift()!);
  }

  /** At most `max` tuples, oldest first, taken out of the queue. */
  take(threadId: number, max: number): WindowTuple[] {
    const tuples: WindowTuple[] = [];
    if (this.#merged !== null) {
      const whole = this.#expand(this.#merged);
      this.#merged = null;
      for (const queued of whole) tuples.push(this.#encode(threadId, queued));
    }
    while (this.#whole.length > 0 && tuples.length < max)
      tuples.push(this.#encode(threadId, this.#whole.shift()!));
    return tuples;
  }

  #merge({ window, periodNanos, lostTicks }: Queued): void {
    this.#merged ??= {
      startMicros: window.startMicros,
      endMicros: 0,
      ticks: new Map(),
      count: 0,
      spentNanos: 0,
      jsTicks: 0,
      repairedTicks: 0,
      lostTicks: 0,
    };
    const merged = this.#merged;
    for (let i = 0; i < window.stack.length; i++) {
      const key = window.stack[i]! * STATES + window.state[i]!;
      merged.ticks.set(key, (merged.ticks.get(key) ?? 0) + 1);
    }
    merged.endMicros = window.endMicros;
    merged.count += window.stack.length;
    merged.spentNanos += window.stack.length * periodNanos;
    merged.jsTicks += window.jsTicks;
    merged.repairedTicks += window.repairedTicks;
    merged.lostTicks += lostTicks;
    this.mergedWindows++;
  }

  /** Windows of at most samplesPerWindow ticks that stand for a sum: ticks of one stack in a row, evenly spaced. */
  #expand(merged: Merged): Queued[] {
    if (merged.count === 0) return [];
    const parts = Math.ceil(merged.count / WIRE_LIMITS.samplesPerWindow);
    const spanMicros = (merged.endMicros - merged.startMicros) / parts;
    const stepMicros = (merged.endMicros - merged.startMicros) / merged.count;
    const whole: Queued[] = [];
    for (let part = 0; part < parts; part++) {
      const startMicros = merged.startMicros + part * spanMicros;
      const window: TickWindow = {
        startMicros,
        endMicros: startMicros + spanMicros,
        nodeCount: 0,
        atMicros: [],
        stack: [],
        state: [],
        jsTicks: 0,
        repairedTicks: 0,
      };
      whole.push({ window, periodNanos: Math.round(merged.spentNanos / merged.count), lostTicks: 0 });
    }
    let index = 0;
    for (const [key, ticks] of merged.ticks) {
      for (let i = 0; i < ticks; i++, index++) {
        const { window } = whole[Math.min(parts - 1, Math.floor(index / WIRE_LIMITS.samplesPerWindow))]!;
        window.atMicros.push(merged.startMicros + index * stepMicros);
        window.stack.push(Math.floor(key / STATES));
        window.state.push(key % STATES);
      }
    }
    const first = whole[0]!;
    first.window.jsTicks = merged.jsTicks;
    first.window.repairedTicks = merged.repairedTicks;
    first.lostTicks = merged.lostTicks;
    return whole;
  }

  #encode(threadId: number, { window, periodNanos, lostTicks }: Queued): WindowTuple {
    const { startMicros, endMicros, atMicros, stack, state, jsTicks, repairedTicks } = window;
    this.encoder.reset(startMicros, periodNanos / 1000);
    const count = Math.min(atMicros.length, WIRE_LIMITS.samplesPerWindow);
    for (let i = 0; i < count; i++) this.encoder.add(atMicros[i]!, stack[i]!, state[i]!, 0);
    const lost = lostTicks + atMicros.length - count;
    return [
      threadId,
      startMicros,
      endMicros,
      count,
      periodNanos,
      jsTicks,
      repairedTicks,
      lost,
      count,
      this.encoder.finish(),
    ];
  }
}
