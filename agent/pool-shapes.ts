/**
 * Pools of well-known packages, by their public properties. None of them is loaded: what looks like one is read like one.
 * Reading runs the program's own code (getters, methods), so it may throw.
 */
import type { PoolFigures } from './pool';

type Figures = () => PoolFigures;
// biome-ignore lint/suspicious/noExplicitAny: it is what is found out here
type Unknown = any;

/** First shape that fits, else null. */
export function figuresOf(pool: Unknown): Figures | null {
  for (const [fits, read] of SHAPES) if (fits(pool)) return () => read(pool);
  return null;
}

const isNumber = (value: unknown) => typeof value === 'number';
const isFunction = (value: unknown) => typeof value === 'function';

const SHAPES: readonly (readonly [fits: (pool: Unknown) => boolean, read: (pool: Unknown) => PoolFigures])[] =
  [
    // piscina, tinypool: they do not tell how many threads work.
    [
      (pool) => Array.isArray(pool.threads) && isNumber(pool.queueSize),
      ({ threads, queueSize }) => ({ size: threads.length, queued: queueSize }),
    ],
    // generic-pool
    [
      (pool) => isNumber(pool.borrowed) && isNumber(pool.size) && isNumber(pool.pending),
      ({ size, borrowed, pending }) => ({ size, busy: borrowed, queued: pending }),
    ],
    // pg
    [
      (pool) => isNumber(pool.totalCount) && isNumber(pool.idleCount) && isNumber(pool.waitingCount),
      ({ totalCount, idleCount, waitingCount }) => ({
        size: totalCount,
        busy: totalCount - idleCount,
        queued: waitingCount,
      }),
    ],
    // undici's Pool; its Client has one connection
    [
      (pool) => isNumber(pool.stats?.running) && isNumber(pool.stats.pending),
      ({ stats: { connected, free, running, pending } }) =>
        isNumber(connected)
          ? { size: connected, busy: connected - free, queued: pending }
          : { size: 1, busy: Math.min(1, running), queued: pending },
    ],
    // tarn (knex)
    [
      (pool) => isFunction(pool.numUsed) && isFunction(pool.numFree) && isFunction(pool.numPendingAcquires),
      (pool) => ({
        size: pool.numUsed() + pool.numFree(),
        busy: pool.numUsed(),
        queued: pool.numPendingAcquires(),
      }),
    ],
    // p-limit
    [
      (pool) => isNumber(pool.activeCount) && isNumber(pool.pendingCount),
      ({ activeCount, pendingCount, concurrency }) => ({
        size: concurrency,
        busy: activeCount,
        queued: pendingCount,
      }),
    ],
    // p-queue
    [
      (pool) => isNumber(pool.concurrency) && isNumber(pool.pending) && isNumber(pool.size),
      ({ concurrency, pending, size }) => ({ size: concurrency, busy: pending, queued: size }),
    ],
    // async's queue, fastq
    [
      (pool) => isNumber(pool.concurrency) && isFunction(pool.running) && isFunction(pool.length),
      (pool) => ({ size: pool.concurrency, busy: pool.running(), queued: pool.length() }),
    ],
  ];
