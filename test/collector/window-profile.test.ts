/** Windows to profiles: which ticks a range holds, and what they are worth, held against plain sums. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { StackTable } from '../../collector/profile/stack-table';
import { profileHead } from '../../collector/profile/tick-profile';
import { WindowProfile } from '../../collector/query/window-profile';
import type { Batch, Instance, SampleWindow } from '../../collector/store/batch';

type Tick = { atMicros: number; stack: number; state: number; label: number };
type Window = { startMicros: number; endMicros: number; periodMicros: number; ticks: Tick[] };

const tables = createTables();
const instance = { service: 'shop', instance: 'shop:1' } as Instance;
const STACKS = 6;
const CPU_STATES = [0, 1, 2];

/** Stack 1 the root, 2 and 3 below it, 4 below 2, and so on: main;f2;f4. */
function stackTable(): StackTable {
  const table = new StackTable();
  const names = Array.from({ length: STACKS }, (_, index) => `f${index + 1}`);
  const functions = names.map((name) => ({ name, url: '', line: 0, column: 0 }));
  const stacks = names.flatMap((_, index) => [Math.floor((index + 1) / 2), index + 1, 0]);
  table.grow({ strings: ['/a', '/b'], functions, stacks });
  return table;
}

function batchOf(windows: readonly Window[], threadId = 0): Batch {
  return {
    stacks: stackTable(),
    windows: windows.map(({ startMicros, endMicros, periodMicros, ticks }): SampleWindow => {
      const periodNanos = Math.round(periodMicros * 1000);
      const counts = { ticks: ticks.length, jsTicks: 0, repairedTicks: 0, unnamedTicks: 0, lostTicks: 0 };
      const columns = tables.encodeColumns(startMicros, {
        atMicros: ticks.map(({ atMicros }) => atMicros),
        stack: ticks.map(({ stack }) => stack),
        state: ticks.map(({ state }) => state),
        label: ticks.map(({ label }) => label),
      });
      return { threadId, startMicros, endMicros, periodNanos, sampleCount: ticks.length, columns, ...counts };
    }),
  } as unknown as Batch;
}

const tick = fc.record({
  stack: fc.integer({ min: 0, max: STACKS }),
  state: fc.integer({ min: 0, max: 4 }),
  label: fc.constantFrom(0, 0, 0, 1, 2),
});

/** Windows that follow each other without a gap, each with as many ticks as its true interval says. */
const windowsInARow = fc
  .array(fc.tuple(fc.integer({ min: 200, max: 2000 }), fc.array(tick, { minLength: 1, maxLength: 60 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((plans) => {
    let at = 1_000_000;
    return plans.map(([periodMicros, plan]): Window => {
      const startMicros = at;
      const ticks = plan.map((entry, index) => ({ ...entry, atMicros: startMicros + index * periodMicros }));
      at += plan.length * periodMicros;
      return { startMicros, endMicros: at, periodMicros, ticks };
    });
  });

/** A place in the windows' time: anywhere, or on a tick. */
const place = fc.record({ share: fc.double({ min: 0, max: 0.999, noNaN: true }), onTick: fc.boolean() });
const range = fc.tuple(place, place);
type Place = { share: number; onTick: boolean };

function rangeOf(windows: readonly Window[], [one, other]: readonly [Place, Place]): [number, number] {
  const [from, to] = [windows[0]!.startMicros - 500, windows.at(-1)!.endMicros + 500];
  const times = windows.flatMap(({ ticks }) => ticks.map(({ atMicros }) => atMicros));
  const at = ({ share, onTick }: Place) =>
    onTick ? times[Math.floor(share * times.length)]! : from + Math.round(share * (to - from));
  return [Math.min(at(one), at(other)), Math.max(at(one), at(other))];
}

function sumOf(profile: WindowProfile['profile'], valueIndex: number): number {
  return profile.values.reduce((sum, value, index) => (index % 2 === valueIndex ? sum + value : sum), 0);
}

/** Samples as folded stack, label and count. */
function foldedOf({ profile }: WindowProfile): Map<string, number> {
  const counts = new Map<string, number>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const path = profile.locationsOf(profile.samples[sample * 2]!).reverse();
    const stack = path.map((location) => profile.functionOf(location).name).join(';');
    const labels = profile.labelSets[profile.samples[sample * 2 + 1]!]!;
    const key = `${stack} ${labelOf(labels)}`;
    counts.set(key, (counts.get(key) ?? 0) + profile.values[sample * 2]!);
  }
  return counts;
}

const labelOf = (labels: readonly string[]) => {
  const at = labels.indexOf('label');
  return at < 0 ? '' : labels[at + 1]!;
};

const STATE_NAMES = ['(program)', '(garbage collector)', '(program)', '(idle)', '(blocked)'];

function folded(stack: number): string {
  const path: string[] = [];
  for (let id = stack; id > 0; id = Math.floor(id / 2)) path.unshift(`f${id}`);
  return path.join(';');
}

function expected(ticks: readonly Tick[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { stack, state, label } of ticks) {
    const key = `${stack === 0 ? STATE_NAMES[state] : folded(stack)} ${['', '/a', '/b'][label]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe('a window that a range cuts', () => {
  it('gives exactly its ticks inside, by stack and label, to the CPU and to the wall profile', () => {
    fc.assert(
      fc.property(windowsInARow, range, (windows, shares) => {
        const [fromMicros, toMicros] = rangeOf(windows, shares);
        const inside = windows
          .flatMap(({ ticks }) => ticks)
          .filter(({ atMicros }) => atMicros >= fromMicros && atMicros < toMicros);
        const batch = batchOf(windows);
        for (const kind of ['cpu', 'wall'] as const) {
          const profile = new WindowProfile(kind, profileHead(kind, '', 0), tables);
          profile.add(batch, instance, fromMicros, toMicros);
          const counted = inside.filter(({ state }) => kind === 'wall' || CPU_STATES.includes(state));
          expect(new Map([...foldedOf(profile)].sort())).toEqual(new Map([...expected(counted)].sort()));
          expect(profile.sums.ticks).toBe(inside.length);
          expect(profile.sums.cpuTicks).toBe(inside.filter(({ state }) => state < 3).length);
          expect(profile.sums.idleTicks).toBe(inside.filter(({ state }) => state === 3).length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('makes a wall profile worth the time that is covered, within one period', () => {
    fc.assert(
      fc.property(windowsInARow, range, (windows, shares) => {
        const [fromMicros, toMicros] = rangeOf(windows, shares);
        const profile = new WindowProfile('wall', profileHead('wall', '', 0), tables);
        profile.add(batchOf(windows), instance, fromMicros, toMicros);
        const covered =
          Math.min(toMicros, windows.at(-1)!.endMicros) - Math.max(fromMicros, windows[0]!.startMicros);
        const periodMicros = Math.max(...windows.map((window) => window.periodMicros));
        expect(Math.abs(sumOf(profile.profile, 1) / 1000 - Math.max(0, covered))).toBeLessThanOrEqual(
          periodMicros,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('in two parts gives as much as whole, over several instances too', () => {
    fc.assert(
      fc.property(windowsInARow, windowsInARow, range, (one, other, shares) => {
        const [cut] = rangeOf(one, shares);
        const whole = new WindowProfile('wall', profileHead('wall', '', 0), tables);
        const parts = new WindowProfile('wall', profileHead('wall', '', 0), tables);
        for (const [index, windows] of [one, other].entries()) {
          const who = { ...instance, instance: `shop:${index}` };
          const batch = batchOf(windows);
          whole.add(batch, who, 0, 1e12);
          parts.add(batch, who, 0, cut);
          parts.add(batch, who, cut, 1e12);
        }
        expect(parts.sums.ticks).toBe(whole.sums.ticks);
        expect(foldedOf(parts)).toEqual(new Map(foldedOf(whole)));
        expect(sumOf(parts.profile, 1)).toBeCloseTo(sumOf(whole.profile, 1), 3);
      }),
      { numRuns: 200 },
    );
  });

  it('has the labels of its instance, in the place of which come those of the sample, but never whose it is', () => {
    const profile = new WindowProfile('cpu', profileHead('cpu', '', 0), tables);
    const owner = { ...instance, labels: ['zone', 'a', 'label', 'of all', 'service', 'not me'] };
    const ticks = [0, 1].map((label) => ({ atMicros: 1_000_000 + label, stack: 1, state: 0, label }));
    profile.add(
      batchOf([{ startMicros: 1_000_000, endMicros: 1_002_000, periodMicros: 1000, ticks }]),
      owner,
      0,
      1e12,
    );
    const whose = ['service', owner.service, 'thread', 'main', 'zone', 'a'];
    expect(profile.profile.labelSets.filter((labels) => labels.length > 0)).toEqual([
      ['instance', owner.instance, 'label', 'of all', ...whose],
      ['instance', owner.instance, 'label', '/a', ...whose],
    ]);
  });

  it("keeps workers out of the main thread's CPU, not out of the profile", () => {
    const ticks = [{ atMicros: 1_000_000, stack: 1, state: 0, label: 0 }];
    const window = { startMicros: 1_000_000, endMicros: 1_001_000, periodMicros: 1000, ticks };
    const profile = new WindowProfile('cpu', profileHead('cpu', '', 0), tables);
    profile.add(batchOf([window], 3), instance, 0, 1e12);
    expect([profile.sums.ticks, profile.sums.cpuTicks]).toEqual([1, 0]);
    expect(profile.profile.labelSets.at(-1)).toContain('worker-3');
  });
});
