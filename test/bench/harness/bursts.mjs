/** Work that is timed in bursts which fit a ring. */
import { createRequire } from 'node:module';

const { waitedMillis } = createRequire(import.meta.url)('../programs/run-delay.cjs');

export const BURST = 4096;

/**
 * Nanoseconds of `count` operations, BURST at a time; `after` is not timed and told how many they were, nor is the time in which
 * this thread waited for a core.
 */
export function timedBursts(count, burst, after) {
  let nanos = 0;
  for (let left = count; left > 0; left -= BURST) {
    const size = Math.min(left, BURST);
    const waitedBefore = waitedMillis();
    const start = process.hrtime.bigint();
    burst(size);
    const took = Number(process.hrtime.bigint() - start);
    nanos += Math.max(0, took - (waitedMillis() - waitedBefore) * 1e6);
    after(size);
  }
  return nanos;
}
