import { describe, expect, it } from 'vitest';
import type { TickWindow } from '../../../agent/aggregator/profile-reader';
import { RecentWindows } from '../../../agent/aggregator/recent-windows';
import { SampleState } from '../../../assembly/layout';

const { Js, Gc, Idle, Blocked } = SampleState;

/** ticks: [at, stack, state]. */
const window = (startMicros: number, endMicros: number, ticks: [number, number, number][]): TickWindow => ({
  threadId: 0,
  startMicros,
  endMicros,
  nodeCount: 0,
  atMicros: ticks.map(([at]) => at),
  stack: ticks.map(([, stack]) => stack),
  state: ticks.map(([, , state]) => state),
  jsTicks: 0,
  repairedTicks: 0,
  unnamedTicks: 0,
  idleTicks: 0,
});

/** 1 main, 2 main;handler, 3 main;handler;parse, 4 main;handler;render, 5 main;timer. */
const PARENTS = [0, 0, 1, 2, 2, 1];
const parentOf = (stack: number) => PARENTS[stack]!;

describe('RecentWindows', () => {
  it('names the path that most ticks of a span share', () => {
    const recent = new RecentWindows();
    recent.add(
      window(0, 100, [
        [10, 5, Js],
        [20, 3, Js],
        [30, 3, Js],
        [40, 3, Js],
        [50, 4, Js],
        [90, 5, Js],
      ]),
    );
    expect(recent.culprit(15, 55, parentOf)).toEqual({ stack: 3, ticks: 4, state: Js });
  });

  it('knows when a stack was last seen in a span: neither idle nor without one', () => {
    const recent = new RecentWindows();
    recent.add(
      window(0, 100, [
        [10, 3, Js],
        [20, 4, Js],
        [30, 0, Gc],
        [40, 1, Idle],
        [90, 5, Js],
      ]),
    );
    expect(recent.lastStackMicros(0, 60)).toBe(20);
    expect(recent.lastStackMicros(25, 60)).toBe(25);
  });

  it('stops where no child holds most of the ticks', () => {
    const recent = new RecentWindows();
    recent.add(
      window(0, 100, [
        [20, 3, Js],
        [30, 4, Js],
      ]),
    );
    expect(recent.culprit(0, 100, parentOf).stack).toBe(2);
  });

  it('leaves idle ticks out and tells the state of the rest', () => {
    const recent = new RecentWindows();
    recent.add(
      window(0, 100, [
        [10, 1, Idle],
        [20, 1, Idle],
        [30, 1, Idle],
        [40, 3, Blocked],
      ]),
    );
    expect(recent.culprit(0, 100, parentOf)).toEqual({ stack: 3, ticks: 1, state: Blocked });
    expect(recent.culprit(0, 35, parentOf)).toEqual({ stack: 0, ticks: 0, state: 0 });
  });

  it('counts garbage collection for the stack that ran before it', () => {
    const recent = new RecentWindows();
    recent.add(
      window(0, 100, [
        [10, 3, Js],
        [20, 1, Gc],
        [30, 1, Gc],
        [40, 1, Gc],
      ]),
    );
    expect(recent.culprit(0, 100, parentOf).stack).toBe(3);
    expect(recent.culprit(15, 100, parentOf).stack).toBe(1);
  });

  it('looks across windows, and finds the last idle tick before a stall', () => {
    const recent = new RecentWindows();
    recent.add(
      window(0, 50, [
        [10, 1, Idle],
        [20, 1, Idle],
        [30, 3, Js],
      ]),
    );
    recent.add(window(50, 100, [[60, 3, Js]]));
    expect(recent.culprit(25, 100, parentOf).ticks).toBe(2);
    expect(recent.lastIdleMicros(0, 60)).toBe(20);
    expect(recent.lastIdleMicros(40, 60)).toBe(40);
    expect(recent.covers(100)).toBe(true);
    expect(recent.covers(101)).toBe(false);
  });

  it('forgets what is older than a minute', () => {
    const recent = new RecentWindows();
    recent.add(window(0, 1e6, [[10, 3, Js]]));
    recent.add(window(70e6, 71e6, [[70.5e6, 3, Js]]));
    expect(recent.culprit(0, 2e6, parentOf).ticks).toBe(0);
  });
});
