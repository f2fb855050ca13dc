/**
 * The gauges of pools that count by themselves, read once a second while any is registered in this thread. A read that
 * fails costs that look. While the agent is off nothing is read.
 */
import { nowMicros } from './clock';
import type { InstrumentOptions } from './instruments';
import { Poll } from './poll';
import { Pool, type PoolFigures } from './pool';
import { figuresOf } from './pool-shapes';
import { refuse } from './refusal';
import { currentBinding, runningAgent } from './registration';
import { messageOf } from './stderr';

const REGISTERED_MAX = 256;

const registered = new Set<() => void>();
let poll: Poll | null = null;

/**
 * Reads a pool's figures once a second into the gauges of `pool(name)`, until the function given back is called. read:
 * what gives them, `() => ({ size, busy, queued })`, or a pool whose public properties are known: piscina, generic-pool,
 * pg, undici, tarn, p-limit, p-queue, async, fastq.
 */
export function poolGauges(
  name: string,
  read: (() => PoolFigures) | object,
  options?: InstrumentOptions,
): () => void {
  const figures = readerOf(read);
  if (figures === null) {
    refuse('poolGauges', 'poolGauges() takes a function or a pool that it knows', read);
    return () => {};
  }
  if (registered.size >= REGISTERED_MAX) {
    refuse('poolGauges', `a thread registers at most ${REGISTERED_MAX} pools`, name);
    return () => {};
  }
  const pool = new Pool(name, options);
  const look = () => pool.observe(figures());
  registered.add(look);
  poll ??= new Poll(lookAtAll);
  poll.wake();
  return () => {
    registered.delete(look);
    if (registered.size === 0) poll?.end();
  };
}

/** A pool may be a function, too (p-limit): then its properties tell. */
function readerOf(read: unknown): (() => PoolFigures) | null {
  try {
    const known = read === null || read === undefined ? null : figuresOf(read);
    return known ?? (typeof read === 'function' ? (read as () => PoolFigures) : null);
  } catch {
    return null;
  }
}

function lookAtAll(): boolean {
  if (currentBinding().writer === null) return registered.size > 0;
  const startMicros = nowMicros();
  for (const look of registered) {
    try {
      look();
    } catch (error) {
      refuse('pool', `reading a pool's figures failed: ${messageOf(error)}`, 'an exception', 'tried again');
    }
  }
  runningAgent()?.addSelfMicros(nowMicros() - startMicros);
  return registered.size > 0;
}
