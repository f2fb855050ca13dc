import { describe, expect, it } from 'vitest';
import { poolOperations, type RuntimeTraceEvent } from '../../../../agent/aggregator/pool/pool-operations';

const ASYNC = 'node,node.threadpoolwork,node.threadpoolwork.async';
const SYNC = 'node,node.threadpoolwork,node.threadpoolwork.sync';
const FS = 'node,node.fs,node.fs.async';

function event(ph: string, cat: string, name: string, ts: number, more: { id?: string; tid?: number } = {}) {
  return { ph, cat, name, ts, tid: 1, ...more } satisfies RuntimeTraceEvent;
}

/** An operation that is handed over, begins to run and ends to run, and is called back. */
function operation(name: string, id: string, tid: number, times: [number, number, number, number]) {
  const [given, begins, ends, called] = times;
  return [
    event('b', ASYNC, name, given, { id }),
    event('B', SYNC, name, begins, { tid }),
    event('E', SYNC, name, ends, { tid }),
    event('e', ASYNC, name, called, { id }),
  ];
}

describe('operations of the pool', () => {
  it('wait from when they are handed over to when they run', () => {
    expect(poolOperations(operation('crypto', '0x1', 9, [100, 130, 180, 200]))).toEqual([
      { kind: 'crypto', startMicros: 100, durationMicros: 100, waitMicros: 30, runMicros: 50 },
    ]);
  });

  it('are told apart by the order of the queue, also where the shorter ends first', () => {
    const events = [
      ...operation('zlib', '0x1', 8, [0, 10, 500, 510]),
      ...operation('zlib', '0x2', 9, [1, 20, 60, 70]),
      ...operation('crypto', '0x3', 7, [2, 5, 9, 11]),
    ];
    const found = poolOperations(events).map(({ kind, waitMicros }) => [kind, waitMicros]);
    expect(found.sort()).toEqual([
      ['crypto', 3],
      ['zlib', 10],
      ['zlib', 19],
    ]);
  });

  it('of before the window take no run from those in it', () => {
    const events = [
      event('B', SYNC, 'crypto', 5, { tid: 8 }),
      event('E', SYNC, 'crypto', 40, { tid: 8 }),
      event('e', ASYNC, 'crypto', 45, { id: '0xold' }),
      event('E', SYNC, 'crypto', 20, { tid: 9 }),
      event('e', ASYNC, 'crypto', 25, { id: '0xolder' }),
      ...operation('crypto', '0x1', 9, [3, 50, 60, 70]),
    ];
    expect(poolOperations(events)).toEqual([
      { kind: 'crypto', startMicros: 3, durationMicros: 67, waitMicros: 47, runMicros: 10 },
    ]);
  });

  it('of files have a total only, and those that do not end in the window are none', () => {
    const events = [
      event('b', FS, 'stat', 10, { id: '0x5' }),
      event('e', FS, 'stat', 30, { id: '0x5' }),
      event('b', FS, 'stat', 40, { id: '0x5' }),
      event('M', '__metadata', 'thread_name', 0),
    ];
    expect(poolOperations(events)).toEqual([
      { kind: 'fs.stat', startMicros: 10, durationMicros: 20, waitMicros: -1, runMicros: -1 },
    ]);
  });
});
