import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { StackTable } from '../../collector/profile/stack-table';
import type { Batch, Instance } from '../../collector/store/batch';
import { MemoryStore } from '../../collector/store/memory-store';

const MINUTE = 60_000;

function batchOf(sequence: number, more: Partial<Batch> = {}): Batch {
  return {
    agentId: 'a',
    epoch: 1,
    sequence,
    startMicros: sequence * 1e6,
    endMicros: (sequence + 1) * 1e6,
    stacks: TABLE,
    windows: [],
    values: [],
    events: [],
    losses: [],
    status: null,
    byteSize: 1000,
    ...more,
  };
}

const TABLE = new StackTable();
const INSTANCE = { agentId: 'a', service: 'shop' } as Instance;

/** A whole collection of garbage, in a turn in which no WeakRef is held up any more. */
async function collected(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await new Promise((done) => setImmediate(done));
  collect();
}

function made(storeBytes = 10_000_000): { store: MemoryStore; clock: { millis: number } } {
  const clock = { millis: 0 };
  return {
    store: new MemoryStore({ retentionMillis: 15 * MINUTE, storeBytes, nowMillis: () => clock.millis }),
    clock,
  };
}

describe('the memory store', () => {
  it('finds batches by time, also by windows that began before the batch', async () => {
    const { store } = made();
    for (let sequence = 0; sequence < 5; sequence++) await store.commit(batchOf(sequence));
    const windows = [{ startMicros: 500_000, endMicros: 600_000 } as Batch['windows'][number]];
    await store.commit(batchOf(9, { windows }));
    const found = await store.batches({ agentId: 'a', fromMicros: 550_000, toMicros: 1_500_000 });
    expect(found.map(({ sequence }) => sequence)).toEqual([0, 1, 9]);
    expect(await store.batches({ agentId: 'b', fromMicros: 0, toMicros: 1e9 })).toEqual([]);
  });

  it('knows the last sequence of each epoch', async () => {
    const { store } = made();
    expect(await store.lastSequence('a', 1)).toBe(-1);
    await store.commit(batchOf(7));
    await store.commit(batchOf(2, { epoch: 2 }));
    expect([await store.lastSequence('a', 1), await store.lastSequence('a', 2)]).toEqual([7, 2]);
  });

  it('forgets it also when nobody sends or asks any more', async () => {
    const { store, clock } = made();
    await store.putInstance(INSTANCE);
    await store.commit(batchOf(0));
    clock.millis = 15 * MINUTE;
    store.expire();
    expect(store.stats()).toMatchObject({ batches: 1, agents: 1 });
    clock.millis++;
    store.expire();
    expect(store.stats()).toMatchObject({ batches: 0, bytes: 0, agents: 0 });
  });

  it('forgets what is older than the retention, at last the agent', async () => {
    const { store, clock } = made();
    await store.putInstance(INSTANCE);
    await store.commit(batchOf(0));
    clock.millis = 10 * MINUTE;
    await store.commit(batchOf(600));
    clock.millis = 16 * MINUTE;
    const found = await store.batches({ agentId: 'a', fromMicros: 0, toMicros: 1e12 });
    expect(found.map(({ sequence }) => sequence)).toEqual([600]);
    expect(await store.instances()).toEqual([INSTANCE]);
    clock.millis = 40 * MINUTE;
    expect(await store.instances()).toEqual([]);
    expect(store.stats()).toMatchObject({ batches: 0, bytes: 0, agents: 0, evictedBatches: 0 });
  });

  it('keeps nothing alive of what it has dropped', async () => {
    const { store, clock } = made(20_000);
    const dropped = await Promise.all(
      [0, 1, 2, 3].map(async (sequence) => {
        const batch = batchOf(sequence, { byteSize: sequence < 2 ? 1000 : 10_000 });
        await store.commit(batch);
        return new WeakRef(batch);
      }),
    );
    clock.millis = 16 * MINUTE;
    await store.commit(batchOf(4));
    expect(store.stats().batches).toBe(1);
    await collected();
    expect(dropped.map((batch) => batch.deref())).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('drops the oldest for bytes, counts them, and keeps the newest whatever its size', async () => {
    const { store } = made(20_000);
    for (let sequence = 0; sequence < 20; sequence++) await store.commit(batchOf(sequence));
    const { batches, bytes, evictedBatches, evictedBytes } = store.stats();
    expect(batches + evictedBatches).toBe(20);
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(batches).toBeGreaterThan(2);
    expect(evictedBytes).toBeGreaterThan(0);
    await store.commit(batchOf(20, { byteSize: 1e9 }));
    const kept = await store.batches({ agentId: 'a', fromMicros: 0, toMicros: 1e12 });
    expect(kept.map(({ sequence }) => sequence)).toEqual([20]);
  });

  it('stays flat over thousands of batches', async () => {
    const { store, clock } = made();
    for (let sequence = 0; sequence < 5000; sequence++) {
      clock.millis += 1000;
      await store.commit(batchOf(sequence));
    }
    expect(store.stats().batches).toBe(901);
  });
});
