import { describe, expect, it } from 'vitest';
import { Dictionary } from '../../../agent/aggregator/dictionary';
import type { TickWindow } from '../../../agent/aggregator/profile-reader';
import { StackSums } from '../../../agent/aggregator/stack-sums';
import { ATOMICS_WAIT, Waits } from '../../../agent/aggregator/waits';
import { createTables } from '../../../agent/core';
import { HANG_BLOCKED, HANG_JS } from '../../../agent/wire/schema';
import { SampleState } from '../../../assembly/layout';

const PERIOD_MICROS = 10_000;
const STALL_MICROS = 200_000;

function setUp() {
  const dictionary = new Dictionary(createTables());
  const [blocked, locks] = [new StackSums(), new StackSums()];
  const waits = new Waits(dictionary, blocked, locks, STALL_MICROS);
  const stackOf = (...frames: [name: string, url: string][]) =>
    frames.reduce(
      (parent, [name, url]) => dictionary.stack(parent, dictionary.function(name, url, 1, 1), 1),
      0,
    );
  const add = (ticks: readonly [stack: number, state?: number, atMicros?: number][]) => {
    const window = {
      threadId: 0,
      atMicros: ticks.map(([, , at], index) => at ?? index * PERIOD_MICROS),
      stack: ticks.map(([stack]) => stack),
      state: ticks.map(([, state = SampleState.Js]) => state),
    } as TickWindow;
    waits.add(window, PERIOD_MICROS * 1000);
  };
  return { dictionary, blocked, locks, stackOf, add, waits };
}

describe('waits', () => {
  it('are runs of ticks in the same synchronous call, whatever is below it', () => {
    const { blocked, stackOf, add } = setUp();
    const call = [
      ['load', 'file:///app.js'],
      ['readFileSync', 'node:fs'],
    ] as [string, string][];
    const [open, read] = [stackOf(...call, ['open', '']), stackOf(...call, ['read', ''])];
    const other = stackOf(['burn', 'file:///app.js']);
    add([[other], [open], [read], [read], [other], [read], [other]]);
    const sums = [...blocked];
    expect(sums).toHaveLength(1);
    expect(sums[0]).toMatchObject({ label: 'fs', count: 2, amount: 4 * PERIOD_MICROS });
    expect(sums[0]!.frames.map(({ name }) => name)).toEqual(['load', 'readFileSync']);
  });

  it('in Atomics.wait are locks too; long ones are left to the stalls', () => {
    const { blocked, locks, stackOf, add } = setUp();
    const waiting = stackOf(['take', 'file:///app.js']);
    const ticks = Array.from({ length: 30 }, () => [waiting, SampleState.Blocked] as [number, number]);
    add([...ticks, [0, SampleState.Idle], [waiting, SampleState.Blocked], [0, SampleState.Idle]]);
    expect([...locks]).toMatchObject([{ count: 2, amount: 31 * PERIOD_MICROS }]);
    expect([...blocked]).toMatchObject([{ label: ATOMICS_WAIT, count: 1, amount: PERIOD_MICROS }]);
  });

  it('are told apart from other brief stalls, which are counted elsewhere', () => {
    const { stackOf, waits } = setUp();
    const read = stackOf(['load', 'file:///app.js'], ['readFileSync', 'node:fs'], ['read', '']);
    const burn = stackOf(['burn', 'file:///app.js']);
    expect([
      waits.isWait(read, HANG_JS),
      waits.isWait(burn, HANG_JS),
      waits.isWait(burn, HANG_BLOCKED),
    ]).toEqual([true, false, true]);
  });

  it('apart in time are two, and functions of the program that are called Sync are none', () => {
    const { blocked, stackOf, add } = setUp();
    const exec = stackOf(['execSync', 'node:child_process']);
    const own = stackOf(['copySync', 'file:///app.js']);
    add([
      [exec, SampleState.Js, 0],
      [exec, SampleState.Js, 50_000],
      [own, SampleState.Js, 60_000],
    ]);
    expect([...blocked]).toMatchObject([{ label: 'child_process', count: 2 }]);
  });

  it('go on in a new epoch, whose ids mean something else', () => {
    const { dictionary, blocked, stackOf, add } = setUp();
    add([[stackOf(['readSync', 'node:fs'])], [0, SampleState.Idle]]);
    dictionary.clear();
    add([[stackOf(['burn', 'file:///app.js'])], [0, SampleState.Idle]]);
    expect([...blocked]).toMatchObject([{ label: 'fs', count: 1 }]);
  });
});
