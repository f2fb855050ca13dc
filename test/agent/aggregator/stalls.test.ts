import { beforeEach, describe, expect, it } from 'vitest';
import { LoopTurns } from '../../../agent/aggregator/loop-turns';
import type { TickWindow } from '../../../agent/aggregator/profile-reader';
import { RecentWindows } from '../../../agent/aggregator/recent-windows';
import { Stalls } from '../../../agent/aggregator/stalls';
import { STALL_BRIEF } from '../../../agent/wire/event-loop';
import { EVENT_STALL, type EventTuple, HANG_JS, HANG_UNKNOWN } from '../../../agent/wire/schema';
import { SampleState } from '../../../assembly/layout';

const MS = 1000;
const { Js, Idle } = SampleState;

/** A tick every 10 ms: idle, but stack 1 in each span [from, to) of `busy` (all ms). */
const window = (from: number, to: number, ...busy: [from: number, to: number][]): TickWindow => {
  const at = Array.from({ length: (to - from) / 10 }, (_, i) => from + i * 10);
  return {
    threadId: 0,
    startMicros: from * MS,
    endMicros: to * MS,
    nodeCount: 1,
    atMicros: at.map((millis) => millis * MS),
    stack: at.map(() => 1),
    state: at.map((millis) => (busy.some(([begin, end]) => millis >= begin && millis < end) ? Js : Idle)),
    jsTicks: 0,
    repairedTicks: 0,
    unnamedTicks: 0,
    idleTicks: 0,
  };
};

describe('Stalls', () => {
  let recent: RecentWindows;
  let turns: LoopTurns;
  let told: EventTuple[];
  let counted: number;
  let cuts: number;
  let stalls: Stalls;
  beforeEach(() => {
    recent = new RecentWindows();
    turns = new LoopTurns();
    told = [];
    counted = 0;
    cuts = 0;
    const sampling = {
      recent,
      state: 'on' as const,
      intervalMicros: 10 * MS,
      cut: () => ++cuts > 0,
      culprit: (from: number, to: number) => recent.culprit(from, to, () => 0),
    };
    stalls = new Stalls(200 * MS, {
      sampling,
      turns,
      entryOf: (stack) => stack,
      tell: (event, asEvent) => {
        counted++;
        if (asEvent) told.push(event);
      },
    });
  });

  /** Pings are answered at these times, ms, and the loop turns so often between each and the next. */
  const answers = (turnsBetween: number, ...times: number[]) => {
    for (const [index, millis] of times.entries()) turns.add(millis * MS, 1000 + index * turnsBetween);
  };
  const come = (ticks: TickWindow) => {
    recent.add(ticks);
    stalls.join(ticks.endMicros);
    stalls.look(ticks, 10 * MS);
  };

  it('begin after the last idle tick before their ping, not when the ping left', () => {
    answers(2, 900, 1500);
    const stall = { kind: HANG_JS, startMicros: 1120 * MS, durationMicros: 380 * MS, turnedMicros: 900 * MS };
    stalls.add(stall, 1510 * MS);
    stalls.join(1510 * MS);
    expect([told, cuts]).toEqual([[], 1]);
    come(window(800, 1600, [1000, 1500]));
    expect(told).toEqual([[EVENT_STALL, 0, 990 * MS, 510 * MS, HANG_JS, 0, 1]]);
  });

  it('are found where the answer alone came in time, without cutting a window for it', () => {
    answers(2, 980, 1250);
    const stall = { kind: 0, startMicros: 1120 * MS, durationMicros: 130 * MS, turnedMicros: 980 * MS };
    stalls.add(stall, 1260 * MS);
    stalls.join(1260 * MS);
    come(window(800, 1600, [1000, 1250]));
    expect([told, cuts]).toEqual([[[EVENT_STALL, 0, 990 * MS, 260 * MS, HANG_JS, 0, 1]], 0]);
  });

  it('are as long as the late answer alone when the loop was busy with short turns before', () => {
    answers(40, 680, 830, 980, 1250);
    const stall = { kind: 0, startMicros: 1120 * MS, durationMicros: 130 * MS, turnedMicros: 980 * MS };
    stalls.add(stall, 1260 * MS);
    come(window(800, 1600, [800, 1250]));
    expect(told).toEqual([[EVENT_STALL, 0, 1120 * MS, 130 * MS, HANG_JS, STALL_BRIEF, 1]]);
  });

  it('leave without a stack when no ticks come', () => {
    const stall = { kind: HANG_JS, startMicros: 1000 * MS, durationMicros: 500 * MS, turnedMicros: 900 * MS };
    stalls.add(stall, 1500 * MS);
    stalls.join(3600 * MS);
    expect(told).toEqual([[EVENT_STALL, 0, 1000 * MS, 500 * MS, HANG_JS, 0, 0]]);
    stalls.add({ ...stall, kind: 0, startMicros: 4000 * MS }, 4500 * MS);
    stalls.join(6600 * MS);
    expect(told[1]![4]).toBe(HANG_UNKNOWN);
  });

  it('that no ping fell into are found in rows of busy ticks, each once', () => {
    answers(3, 0, 150, 300, 450, 600, 750);
    come(window(0, 200, [160, 200]));
    come(window(200, 700, [200, 240], [460, 500]));
    // The first goes on across the windows; the second is too short; half a period belongs to each end.
    expect(told).toEqual([[EVENT_STALL, 0, 155 * MS, 80 * MS, HANG_JS, STALL_BRIEF, 1]]);
    const late = { kind: 0, startMicros: 180 * MS, durationMicros: 60 * MS, turnedMicros: 150 * MS };
    stalls.add(late, 700 * MS);
    come(window(700, 800));
    expect(counted).toBe(2);
  });

  it('are none in a loop that is always busy but turns all the time', () => {
    const pongs = Array.from({ length: 60 }, (_, index) => index * 150);
    answers(60, ...pongs);
    come(window(0, 8000, [0, 7900]));
    expect(counted).toBe(0);
  });

  it('are found in a busy loop by the turns that are missing', () => {
    const pongs = Array.from({ length: 40 }, (_, index) => index * 150);
    answers(60, ...pongs);
    // 150 ms bring 60 turns; with one of 100 ms among them there are 20.
    turns.add(6000 * MS, 1000 + 39 * 60 + 20);
    come(window(5000, 6100, [5870, 5970]));
    expect(told.map(([, , start, duration]) => [start / MS, duration / MS])).toEqual([[5865, 100]]);
  });

  it('leave as events ten a second, all are counted', () => {
    answers(2, ...Array.from({ length: 40 }, (_, index) => index * 60 + 5));
    const busy = (from: number) =>
      Array.from({ length: 15 }, (_, index): [number, number] => [from + index * 60, from + index * 60 + 50]);
    come(window(0, 1000, ...busy(10)));
    expect([told.length, counted]).toEqual([10, 15]);
    come(window(1000, 2100, ...busy(1090)));
    expect([told.length, counted]).toEqual([20, 30]);
  });
});
