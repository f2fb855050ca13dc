/**
 * The main thread's ticks of an agent's last seconds: a request may have begun long before the second it ended in. They
 * are kept as they came and read only when somebody asks.
 */
import type { CoreTables } from '../../agent/core';
import { CallSlices } from '../profile/call-slices';
import { type SharedStack, sharedStack } from '../profile/shared-stack';
import type { StackTable } from '../profile/stack-table';
import type { Batch, SampleWindow } from '../store/batch';

const KEEP_MICROS = 10e6;
/** However short the windows are, and however many ticks are in them. */
const WINDOWS_MAX = 256;
const TICKS_MAX = 65_536;

type KeptWindow = { window: SampleWindow; stacks: StackTable };

export class RecentTicks {
  #tables: CoreTables;
  /** Oldest first. */
  #kept: KeptWindow[] = [];

  constructor(tables: CoreTables) {
    this.#tables = tables;
  }

  add({ windows, stacks, endMicros }: Batch): void {
    const added = windows.filter(({ threadId }) => threadId === 0).map((window) => ({ window, stacks }));
    const all = [...this.#kept, ...added].slice(-WINDOWS_MAX);
    let ticks = 0;
    const dropped = all.findLastIndex(({ window }) => {
      ticks += window.sampleCount;
      return window.endMicros < endMicros - KEEP_MICROS || ticks > TICKS_MAX;
    });
    this.#kept = all.slice(dropped + 1);
  }

  /** What most busy ticks of a time share; null where there is none. */
  sharedStack(fromMicros: number, toMicros: number): SharedStack | null {
    const calls = new CallSlices();
    for (const { window, stacks } of this.#kept) {
      const { columns, sampleCount, startMicros, endMicros, periodNanos } = window;
      if (endMicros < fromMicros || startMicros > toMicros) continue;
      const ticks = this.#tables.decodeColumns(columns, sampleCount, startMicros);
      calls.add({ window: ticks, names: stacks, periodMicros: periodNanos / 1000 }, fromMicros, toMicros);
    }
    return sharedStack(calls, fromMicros, toMicros);
  }
}
