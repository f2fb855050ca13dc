import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { SampleState } from '../../assembly/layout';
import { StackTable } from '../../collector/profile/stack-table';
import type { Batch } from '../../collector/store/batch';
import { RecentTicks } from '../../collector/tail/recent-ticks';

const TABLES = createTables();
const SECOND = 1e6;
const PERIOD = 10_000;

/** The stack of one function. */
function tableOf(name: string): StackTable {
  const table = new StackTable();
  table.grow({ strings: [], functions: [{ name, url: '', line: 0, column: 0 }], stacks: [0, 1, 0] });
  return table;
}

/** A window of busy ticks, one a period, from its start on. */
function batchOf(
  startMicros: number,
  endMicros: number,
  stacks: StackTable,
  {
    ticks = Math.floor((endMicros - startMicros) / PERIOD),
    threadId = 0,
    state = SampleState.Js as number,
    stack = 1,
  } = {},
): Batch {
  const columns = TABLES.encodeColumns(startMicros, {
    atMicros: Array.from({ length: ticks }, (_, index) => startMicros + index * PERIOD),
    stack: new Array(ticks).fill(stack),
    state: new Array(ticks).fill(state),
  });
  const window = {
    threadId,
    startMicros,
    endMicros,
    ticks,
    periodNanos: PERIOD * 1000,
    sampleCount: ticks,
    columns,
  };
  return { startMicros, endMicros, stacks, windows: [window], events: [], values: [] } as unknown as Batch;
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('recent ticks', () => {
  it('tell what most of a time share, across batches and epochs', () => {
    const recent = new RecentTicks(TABLES);
    for (let second = 0; second < 3; second++) {
      recent.add(batchOf(second * SECOND, (second + 1) * SECOND, tableOf(second === 2 ? 'other' : 'burn')));
    }
    const whole = recent.sharedStack(0, 3 * SECOND);
    expect(whole).toEqual({ stack: ['burn'], busyMicros: 2 * SECOND });
    expect(recent.sharedStack(2.5 * SECOND, 4 * SECOND)?.stack).toEqual(['other']);
    expect(recent.sharedStack(SECOND, SECOND + 45_000)?.busyMicros).toBe(5 * PERIOD);
    expect(recent.sharedStack(4 * SECOND, 5 * SECOND)).toBeNull();
  });

  it('are of the main thread only', () => {
    const recent = new RecentTicks(TABLES);
    recent.add(batchOf(0, SECOND, tableOf('works'), { threadId: 3 }));
    expect(recent.sharedStack(0, SECOND)).toBeNull();
  });

  it('bear ticks without a stack, in a collection too', () => {
    const recent = new RecentTicks(TABLES);
    recent.add(batchOf(0, 50_000, tableOf('burn')));
    recent.add(batchOf(50_000, SECOND, tableOf('burn'), { state: SampleState.Gc, stack: 0 }));
    expect(recent.sharedStack(0, SECOND)).toBeNull();
    expect(recent.sharedStack(0, 60_000)?.stack).toEqual(['burn']);
  });

  it('go after ten seconds, and keep nothing alive of what is gone', async () => {
    const recent = new RecentTicks(TABLES);
    const gone = [0, 1, 2].flatMap((second) => {
      const batch = batchOf(second * SECOND, (second + 1) * SECOND, tableOf('burn'));
      recent.add(batch);
      return [batch, batch.stacks, batch.windows[0]!].map((held) => new WeakRef(held));
    });
    const shared = () => recent.sharedStack(0, 3 * SECOND)?.busyMicros ?? 0;
    expect(shared()).toBe(3 * SECOND);
    recent.add({ ...batchOf(12 * SECOND, 12 * SECOND, tableOf('burn')), windows: [] });
    expect(shared()).toBe(2 * SECOND);
    recent.add(batchOf(13.5 * SECOND, 14 * SECOND, tableOf('burn')));
    expect(shared()).toBe(0);
    await new Promise((done) => setImmediate(done));
    collect();
    expect(gone.map((held) => held.deref())).toEqual(new Array(9).fill(undefined));
  });

  it('keep a batch of the last seconds no longer than its windows need', async () => {
    const recent = new RecentTicks(TABLES);
    const batch = new WeakRef(
      (() => {
        const made = batchOf(0, SECOND, tableOf('burn'));
        recent.add(made);
        return made;
      })(),
    );
    await new Promise((done) => setImmediate(done));
    collect();
    expect(batch.deref()).toBeUndefined();
    expect(recent.sharedStack(0, SECOND)?.busyMicros).toBe(SECOND);
  });

  it('are bounded however many windows come, and however full they are', () => {
    const many = new RecentTicks(TABLES);
    for (let index = 0; index < 1000; index++)
      many.add(batchOf(index * PERIOD, (index + 1) * PERIOD, tableOf('burn')));
    expect(many.sharedStack(0, 10 * SECOND)?.busyMicros).toBe(256 * PERIOD);
    const full = new RecentTicks(TABLES);
    full.add(batchOf(0, SECOND, tableOf('old')));
    full.add(batchOf(SECOND, 2 * SECOND, tableOf('burn'), { ticks: 65_536 }));
    expect(full.sharedStack(0, SECOND - 1)).toBeNull();
    expect(full.sharedStack(SECOND, 2 * SECOND)?.stack).toEqual(['burn']);
  });
});
