/**
 * Whether the heap's old space comes near its limit: then a capture is due, before the process dies of it. One, until the
 * heap has been well below again and some time has passed, because each may pause main for as long as a full collection
 * takes.
 *
 * V8 gives up when its old space is full. The limit that it tells holds the young space as well, which is a third of it
 * and more where the heap is small: what that may grow to is known from the agent thread's own heap.
 */
import { getHeapStatistics } from 'node:v8';
import { resourceLimits } from 'node:worker_threads';

/** Below this share of the threshold the heap counts as recovered. */
const RECOVERED_SHARE = 0.8;
const APART_MICROS = 600e6;
const MEBIBYTE = 2 ** 20;

export class LimitWatch {
  #armed = true;
  #capturedMicros = Number.NEGATIVE_INFINITY;

  /** percent: of the limit; 0 watches nothing. */
  constructor(readonly percent: number) {}

  /** Whether it is worth asking main for its old space. usedBytes: of the whole heap. */
  isNear(usedBytes: number, limitBytes: number): boolean {
    if (this.percent === 0 || limitBytes <= 0) return false;
    const threshold = (limitBytes * this.percent) / 100;
    if (usedBytes < threshold * RECOVERED_SHARE) this.#armed = true;
    return this.#armed && usedBytes >= threshold;
  }

  /** True once when a capture is due. */
  isDue(nowMicros: number, oldBytes: number, limitBytes: number): boolean {
    if (!this.isNear(oldBytes, limitBytes) || nowMicros - this.#capturedMicros < APART_MICROS) return false;
    this.#armed = false;
    this.#capturedMicros = nowMicros;
    return true;
  }
}

/**
 * The largest old space, bytes, of a main thread whose heap may take `limitBytes`. A thread of the same process has a
 * young space of the same size; where a flag of the process overrules a thread's limits, the runtime's default stands
 * for it.
 */
export function oldLimitBytes(limitBytes: number): number {
  const { maxOldGenerationSizeMb = 0, maxYoungGenerationSizeMb = 0 } = resourceLimits;
  const ownLimitBytes = getHeapStatistics().heap_size_limit;
  const overruled = ownLimitBytes >= limitBytes;
  return (
    limitBytes -
    (overruled ? maxYoungGenerationSizeMb * MEBIBYTE : ownLimitBytes - maxOldGenerationSizeMb * MEBIBYTE)
  );
}
