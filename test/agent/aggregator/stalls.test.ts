import { beforeEach, describe, expect, it } from 'vitest';
import type { TickWindow } from '../../../agent/aggregator/profile-reader';
import { RecentWindows } from '../../../agent/aggregator/recent-windows';
import type { Sampling } from '../../../agent/aggregator/sampling';
import { Stalls } from '../../../agent/aggregator/stalls';
import { EVENT_STALL, type EventTuple, HANG_JS, HANG_UNKNOWN } from '../../../agent/wire/schema';
import { SampleState } from '../../../assembly/layout';

const MS = 1000;
const { Js, Idle } = SampleState;

/** A tick every 10 ms: idle until `busyFrom`, stack 1 until `busyTo`, idle again until `to` (all ms). */
const window = (from: number, busyFrom: number, busyTo: number, to: number): TickWindow => {
  const at = Array.from({ length: (to - from) / 10 }, (_, i) => from + i * 10);
  return {
    startMicros: from * MS,
    endMicros: to * MS,
    nodeCount: 1,
    atMicros: at.map((millis) => millis * MS),
    stack: at.map(() => 1),
    state: at.map((millis) => (millis >= busyFrom && millis < busyTo ? Js : Idle)),
    jsTicks: 0,
    repairedTicks: 0,
    idleTicks: 0,
  };
};

describe('Stalls', () => {
  let recent: RecentWindows;
  let told: EventTuple[];
  let cuts: number;
  let stalls: Stalls;
  beforeEach(() => {
    recent = new RecentWindows();
    told = [];
    cuts = 0;
    const sampling = {
      recent,
      state: 'on',
      cut: () => ++cuts > 0,
      culprit: (from: number, to: number) => recent.culprit(from, to, () => 0),
      hangKind: () => 0,
    };
    stalls = new Stalls(200 * MS, sampling as unknown as Sampling, (event) => told.push(event));
  });

  it('begin after the last idle tick before their ping, not when the ping left', () => {
    stalls.add(
      { kind: HANG_JS, startMicros: 1120 * MS, durationMicros: 380 * MS, turnedMicros: 900 * MS },
      1510 * MS,
    );
    stalls.join(1510 * MS);
    expect([told, cuts]).toEqual([[], 1]);
    recent.add(window(800, 1000, 1500, 1600));
    stalls.join(1650 * MS);
    expect(told).toEqual([[EVENT_STALL, 0, 990 * MS, 510 * MS, HANG_JS, 0, 1]]);
  });

  it('are found where the answer alone came in time, without cutting a window for it', () => {
    stalls.add(
      { kind: 0, startMicros: 1120 * MS, durationMicros: 130 * MS, turnedMicros: 980 * MS },
      1260 * MS,
    );
    stalls.join(1260 * MS);
    recent.add(window(800, 1000, 1250, 1600));
    stalls.join(1600 * MS);
    expect([told, cuts]).toEqual([[[EVENT_STALL, 0, 990 * MS, 260 * MS, HANG_UNKNOWN, 0, 1]], 0]);
  });

  it('are none when the loop waited until shortly before a late answer', () => {
    stalls.add(
      { kind: 0, startMicros: 1120 * MS, durationMicros: 130 * MS, turnedMicros: 980 * MS },
      1260 * MS,
    );
    recent.add(window(800, 1110, 1250, 1600));
    stalls.join(1600 * MS);
    expect(told).toEqual([]);
  });

  it('leave without a stack when no ticks come', () => {
    stalls.add(
      { kind: HANG_JS, startMicros: 1000 * MS, durationMicros: 500 * MS, turnedMicros: 900 * MS },
      1500 * MS,
    );
    stalls.join(3600 * MS);
    expect(told).toEqual([[EVENT_STALL, 0, 1000 * MS, 500 * MS, HANG_JS, 0, 0]]);
  });
});
