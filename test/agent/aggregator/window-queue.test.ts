import { describe, expect, it } from 'vitest';
import type { TickWindow } from '../../../agent/aggregator/profile-reader';
import { WindowQueue } from '../../../agent/aggregator/window-queue';
import { createTables } from '../../../agent/core';
import type { WindowTuple } from '../../../agent/wire/schema';

const PERIOD_MICROS = 10_000;
const tables = createTables({ forceTwin: true });

/** A second of ticks, `stacks` in turn. */
const second = (index: number, stacks: number[], periodMicros = PERIOD_MICROS): TickWindow => {
  const startMicros = index * 1e6;
  const count = Math.floor(1e6 / periodMicros);
  const atMicros = Array.from({ length: count }, (_, i) => startMicros + (i + 1) * periodMicros);
  return {
    threadId: 0,
    startMicros,
    endMicros: startMicros + 1e6,
    nodeCount: 1,
    atMicros,
    stack: atMicros.map((_, i) => stacks[i % stacks.length]!),
    state: atMicros.map(() => 0),
    jsTicks: count,
    repairedTicks: 1,
    unnamedTicks: 1,
    idleTicks: 0,
  };
};

const totals = (tuples: WindowTuple[]) => {
  const ticks = new Map<number, number>();
  for (const [, start, , , , , , , , count, columns] of tuples) {
    for (const stack of tables.decodeColumns(columns, count, start).stack)
      ticks.set(stack, (ticks.get(stack) ?? 0) + 1);
  }
  return Object.fromEntries([...ticks].sort((a, b) => a[0] - b[0]));
};

describe('WindowQueue', () => {
  it('gives windows back in order, with their true period', () => {
    const queue = new WindowQueue(tables);
    queue.add(second(0, [1], 10_101), PERIOD_MICROS);
    queue.add(second(1, [2]), PERIOD_MICROS);
    const tuples = queue.take(10);
    expect(
      tuples.map(([, start, end, ticks, period]) => [start, end, ticks, Math.round(period / 1000)]),
    ).toEqual([
      [0, 1e6, 99, 10_101],
      [1e6, 2e6, 100, 10_000],
    ]);
    expect(queue.length).toBe(0);
  });

  it('counts what is missing as lost instead of stretching the period', () => {
    const queue = new WindowQueue(tables);
    queue.add(second(0, [1], 20_000), PERIOD_MICROS);
    const [[, , , ticks, period, , , , lost]] = queue.take(10) as [WindowTuple];
    expect([ticks, period, lost]).toEqual([50, 10_000_000, 50]);
  });

  /** Everything, call by call, within the limits of a message. */
  const takeAll = (queue: WindowQueue) => {
    const tuples: WindowTuple[] = [];
    while (queue.length > 0) {
      const some = queue.take(32);
      expect(some.length).toBeLessThanOrEqual(32);
      expect(some.reduce((bytes, tuple) => bytes + tuple[10].length, 0)).toBeLessThan(2 * 1024 * 1024);
      tuples.push(...some);
    }
    return tuples;
  };

  it('keeps every total and little memory when nothing can leave for a day', () => {
    const queue = new WindowQueue(tables);
    const day = 86_400;
    for (let i = 0; i < day; i++) queue.add(second(i, [1, 2, 3, 3], 100_000), 100_000);
    expect(queue.length).toBeLessThanOrEqual(30 + 48);
    expect(queue.mergedWindows).toBe(day - 30);
    const tuples = takeAll(queue);
    const ticks = 10 * day;
    const sums = totals(tuples);
    expect(Object.values(sums).reduce((a, b) => a + b, 0)).toBe(ticks);
    expect(sums[3]).toBe(4 * day);
    expect(tuples.reduce((sum, [, , , , , js]) => sum + js, 0)).toBe(ticks);
    expect(tuples.reduce((sum, [, , , , , , repaired]) => sum + repaired, 0)).toBe(day);
    expect(tuples.reduce((sum, [, , , , , , , unnamed]) => sum + unnamed, 0)).toBe(day);
    for (const [, start, end] of tuples) expect(end - start).toBeLessThanOrEqual(1800e6);
  });

  it('does not stretch over time in which nothing was sampled', () => {
    const queue = new WindowQueue(tables);
    const pause = 600;
    for (let i = 0; i < 80; i++) queue.add(second(i < 40 ? i : i + pause, [1]), PERIOD_MICROS);
    const tuples = takeAll(queue);
    const covered = tuples.reduce((sum, [, start, end]) => sum + end - start, 0);
    expect(Math.round(covered / 1e6)).toBe(80);
    for (const [, start, end, , , , , , , count, columns] of tuples) {
      for (const at of tables.decodeColumns(columns, count, start).atMicros) {
        expect(at).toBeGreaterThanOrEqual(start);
        expect(at).toBeLessThanOrEqual(end + 1);
      }
    }
  });
});
