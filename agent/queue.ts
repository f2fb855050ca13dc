/**
 * Figures of a queue: gauges `queue.depth` and, where its capacity is known, `queue.capacity` and `queue.saturation` (0 to
 * 1); the histogram `queue.ahead` has what each arrival found before it, so that short peaks between two looks at the gauge
 * are seen, too. Each with the label `queue`.
 */
import { Gauge, Histogram, type InstrumentOptions, labelled, optionOf } from './instruments';
import { refuse } from './refusal';

/** capacity: how much fits. */
export type QueueOptions = InstrumentOptions & { capacity?: number | undefined };

export class Queue {
  readonly #depthGauge: Gauge;
  readonly #capacityGauge: Gauge;
  readonly #saturation: Gauge;
  readonly #ahead: Histogram;
  readonly #capacity: number;
  #depth = 0;

  constructor(name: string, options?: QueueOptions) {
    const labels = labelled(options, 'queue', name);
    this.#depthGauge = new Gauge('queue.depth', labels);
    this.#capacityGauge = new Gauge('queue.capacity', labels);
    this.#saturation = new Gauge('queue.saturation', labels);
    this.#ahead = new Histogram('queue.ahead', labels);
    const capacity = optionOf(options, 'capacity');
    this.#capacity = isCount(capacity) && capacity > 0 ? capacity : 0;
    if (capacity !== undefined && this.#capacity === 0)
      refuse('capacity', "a queue's capacity is a number above 0", capacity);
  }

  /** So many arrive. */
  add(count = 1): void {
    if (!isCount(count)) return refuse('queue', 'a queue counts in numbers from 0 up', count);
    this.#ahead.record(this.#depth);
    this.observe(this.#depth + count);
  }

  /** So many leave. */
  remove(count = 1): void {
    if (!isCount(count)) return refuse('queue', 'a queue counts in numbers from 0 up', count);
    this.observe(Math.max(0, this.#depth - count));
  }

  /** So many are in it, for a queue that counts by itself. */
  observe(depth: number): void {
    if (!isCount(depth)) return refuse('queue', 'a queue counts in numbers from 0 up', depth);
    this.#depth = depth;
    this.#depthGauge.set(depth);
    if (this.#capacity === 0) return;
    // Again each time: the agent may have come after the queue.
    this.#capacityGauge.set(this.#capacity);
    this.#saturation.set(depth / this.#capacity);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}
