/**
 * What waits to leave in the next batch, bounded: events and losses. Events past the bound are lost and counted; losses
 * are sums by reason, so they always fit.
 */
import { WIRE_LIMITS } from '../wire/limits';
import type { EventTuple, LossReason, LossTuple } from '../wire/schema';

export class Outgoing {
  #events: EventTuple[] = [];
  #losses = new Map<LossReason, { count: number; firstMicros: number }>();

  get hasNews(): boolean {
    return this.#events.length > 0 || this.#losses.size > 0;
  }

  event(event: EventTuple): void {
    if (this.#events.length < WIRE_LIMITS.eventsPerBatch) this.#events.push(event);
    else this.lost('queue-full', 1, event[2]);
  }

  lost(reason: LossReason, count: number, firstMicros: number): void {
    if (count <= 0) return;
    const known = this.#losses.get(reason);
    if (known === undefined) this.#losses.set(reason, { count, firstMicros });
    else known.count += count;
  }

  takeEvents(): EventTuple[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  takeLosses(): LossTuple[] {
    const losses = [...this.#losses].map(
      ([reason, { count, firstMicros }]): LossTuple => [reason, count, firstMicros],
    );
    this.#losses.clear();
    return losses;
  }
}
