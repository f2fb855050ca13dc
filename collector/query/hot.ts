/** The hottest functions on CPU in some windows: by self, then by total. */

import type { CoreTables } from '../../agent/core';
import { SampleState } from '../../assembly/layout';
import { FRAME_GC, FRAME_PROGRAM, fileOf, functionName } from '../profile/frame';
import type { StackTable } from '../profile/stack-table';
import type { Batch } from '../store/batch';

export type HotFunction = {
  function: string;
  file: string;
  line: number;
  selfPercent: number;
  totalPercent: number;
};

type Tally = { function: string; file: string; line: number; self: number; total: number };

export function hotFunctions(batches: readonly Batch[], tables: CoreTables, max: number): HotFunction[] {
  const tallies = new Map<string, Tally>();
  let samples = 0;
  for (const [stacks, ticks] of ticksByStack(batches, tables)) {
    for (const [key, count] of ticks) {
      samples += count;
      if (key <= 0) tallyOf(tallies, key === 0 ? FRAME_PROGRAM : FRAME_GC, '', 0, count, true);
      else tallyStack(tallies, stacks, key, count);
    }
  }
  const sorted = [...tallies.values()].sort(
    (left, right) => right.self - left.self || right.total - left.total,
  );
  return sorted.slice(0, max).map(({ self, total, ...named }) => ({
    ...named,
    selfPercent: percent(self, samples),
    totalPercent: percent(total, samples),
  }));
}

/** Ticks on CPU by stack id; without a stack 0 is native code and -1 garbage collection. */
function ticksByStack(batches: readonly Batch[], tables: CoreTables): Map<StackTable, Map<number, number>> {
  const all = new Map<StackTable, Map<number, number>>();
  for (const { windows, stacks } of batches) {
    const ticks = all.get(stacks) ?? new Map<number, number>();
    all.set(stacks, ticks);
    for (const window of windows) {
      const { columns, sampleCount, startMicros } = window;
      const samples = tables.decodeColumns(columns, sampleCount, startMicros);
      for (let index = 0; index < samples.count; index++) {
        const state = samples.state[index]!;
        if (state === SampleState.Idle || state === SampleState.Blocked) continue;
        const stack = samples.stack[index]!;
        const key = stack === 0 && state === SampleState.Gc ? -1 : stack;
        ticks.set(key, (ticks.get(key) ?? 0) + 1);
      }
    }
  }
  return all;
}

/** A function that is on the stack more than once counts once. */
function tallyStack(tallies: Map<string, Tally>, stacks: StackTable, stack: number, count: number): void {
  const seen = new Set<number>();
  for (let id = stack; id !== 0; id = stacks.parentOf(id)) {
    const functionId = stacks.functionIdOf(id);
    if (seen.has(functionId)) continue;
    seen.add(functionId);
    const entry = stacks.function(functionId);
    tallyOf(tallies, functionName(entry), fileOf(entry.url), entry.line, count, id === stack);
  }
}

function tallyOf(
  tallies: Map<string, Tally>,
  name: string,
  file: string,
  line: number,
  count: number,
  isLeaf: boolean,
): void {
  const key = `${name}\n${file}\n${line}`;
  let tally = tallies.get(key);
  if (tally === undefined) {
    tally = { function: name, file, line, self: 0, total: 0 };
    tallies.set(key, tally);
  }
  tally.total += count;
  if (isLeaf) tally.self += count;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10;
}
