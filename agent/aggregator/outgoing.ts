/**
 * What waits to leave in the next batch, bounded. Rare and telling events (hangs, stalls, suspensions, notes) have a
 * queue of their own, so that the many (requests, collections, spans) never push them out. When a queue is full its
 * oldest event is lost and counted. Losses are sums by reason, so they always fit.
 */
import {
  EVENT_HANG,
  EVENT_NOTE,
  EVENT_STALL,
  EVENT_SUSPENDED,
  type EventTuple,
  type LossReason,
  type LossTuple,
} from '../wire/schema';

const TELLING = new Set([EVENT_HANG, EVENT_STALL, EVENT_SUSPENDED, EVENT_NOTE]);
const TELLING_MAX = 1024;
const ORDINARY_MAX = 8192;

export class Outgoing {
  readonly #telling = new Bounded(TELLING_MAX);
  readonly #ordinary = new Bounded(ORDINARY_MAX);
  /** All losses since the start by reason, taken or not. */
  readonly lostSoFar = new Map<LossReason, number>();
  #losses = new Map<LossReason, { count: number; firstMicros: number }>();

  get hasNews(): boolean {
    return this.#telling.length > 0 || this.#ordinary.length > 0 || this.#losses.size > 0;
  }

  event(event: EventTuple): void {
    const pushedOut = (TELLING.has(event[0]) ? this.#telling : this.#ordinary).push(event);
    if (pushedOut !== undefined) this.lost('queue-full', 1, pushedOut[2]);
  }

  lost(reason: LossReason, count: number, firstMicros: number): void {
    if (count <= 0) return;
    this.lostSoFar.set(reason, (this.lostSoFar.get(reason) ?? 0) + count);
    const known = this.#losses.get(reason);
    if (known === undefined) this.#losses.set(reason, { count, firstMicros });
    else known.count += count;
  }

  takeEvents(): EventTuple[] {
    return [...this.#telling.take(), ...this.#ordinary.take()];
  }

  takeLosses(): LossTuple[] {
    const losses = [...this.#losses].map(
      ([reason, { count, firstMicros }]): LossTuple => [reason, count, firstMicros],
    );
    this.#losses.clear();
    return losses;
  }
}

/** A ring of events that overwrites its oldest. */
class Bounded {
  #events: EventTuple[] = [];
  #oldest = 0;

  constructor(readonly capacity: number) {}

  get length(): number {
    return this.#events.length;
  }

  /** The event that had to go, if any. */
  push(event: EventTuple): EventTuple | undefined {
    if (this.#events.length < this.capacity) {
      this.#events.push(event);
      return undefined;
    }
    const pushedOut = this.#events[this.#oldest];
    this.#events[this.#oldest] = event;
    this.#oldest = (this.#oldest + 1) % this.capacity;
    return pushedOut;
  }

  take(): EventTuple[] {
    const events = [...this.#events.slice(this.#oldest), ...this.#events.slice(0, this.#oldest)];
    this.#events = [];
    this.#oldest = 0;
    return events;
  }
}
