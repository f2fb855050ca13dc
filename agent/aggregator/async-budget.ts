/**
 * What following asynchronous resources costs the main thread, held against a budget: how many stacks may be taken a
 * second, and when even none would be too much, because every call of a hook costs.
 */

/** Of the agent's budget: what resources from the start on may take before hooks go off, and up to what stacks are taken; and percent of a core that a window may take. */
const BUDGET_SHARE = 0.4;
const STACKS_UP_TO_SHARE = 0.25;
const WINDOW_PERCENT = 5;
/** Of what the calls of hooks leave, for stacks. */
const STACK_SHARE = 0.7;
/** One call of a hook with what Node does around it, µs; where promises are followed. Measured: bench row `async`. */
const EVENT_MICROS = 0.15;
const PROMISE_EVENT_MICROS = 0.3;
/** A stack, before any was measured, and the most that one is reckoned with: the first ones make their realm, µs. */
const STACK_MICROS = 15;
const STACK_MAX_MICROS = 120;
/** How much of the last second's figure goes into the mean. */
const NEWEST_SHARE = 0.3;
const QUOTA_MIN = 8;
/** Over the budget for so many seconds, or far over for so many: off. */
const OVER_SECONDS = 10;
const FAR_OVER_FACTOR = 4;
const FAR_OVER_SECONDS = 2;

/** What main did in `seconds`. */
export type AsyncSpent = {
  seconds: number;
  events: number;
  captures: number;
  captureMicros: number;
};

/** quota: stacks until the next look. over: hooks must go off. */
export type AsyncAllowance = { quota: number; costPercent: number; over: boolean };

export class AsyncBudget {
  #overSeconds = 0;
  #farOverSeconds = 0;
  #stackMicros = STACK_MICROS;

  constructor(readonly budgetPercent: number) {}

  /** Hooks were switched on or off. */
  reset(): void {
    this.#overSeconds = 0;
    this.#farOverSeconds = 0;
  }

  observe(spent: AsyncSpent, window: boolean, promises: boolean): AsyncAllowance {
    const { seconds, events, captures, captureMicros } = spent;
    const percent = this.#percent(window);
    const eventMicros = this.eventMicros(events, promises);
    const costPercent = (eventMicros + captureMicros) / seconds / 1e4;
    if (captures > 0) {
      const micros = Math.min(STACK_MAX_MICROS, Math.max(1, captureMicros / captures));
      this.#stackMicros += (micros - this.#stackMicros) * NEWEST_SHARE;
    }
    this.#overSeconds = costPercent > percent ? this.#overSeconds + seconds : 0;
    this.#farOverSeconds = costPercent > percent * FAR_OVER_FACTOR ? this.#farOverSeconds + seconds : 0;
    const over = this.#overSeconds >= OVER_SECONDS || this.#farOverSeconds >= FAR_OVER_SECONDS;
    const stacksPercent = this.#percent(window, STACKS_UP_TO_SHARE) - eventMicros / seconds / 1e4;
    return { quota: this.#quota(stacksPercent), costPercent, over };
  }

  /** Stacks a second, before any call of a hook was counted. */
  quota(window: boolean): number {
    return this.#quota(this.#percent(window, STACKS_UP_TO_SHARE));
  }

  #percent(window: boolean, share = BUDGET_SHARE): number {
    return window ? Math.max(WINDOW_PERCENT, this.budgetPercent) : this.budgetPercent * share;
  }

  #quota(percent: number): number {
    return Math.max(QUOTA_MIN, Math.floor((percent * STACK_SHARE * 1e4) / this.#stackMicros));
  }

  /** What Node and our callbacks take for so many calls, stacks apart, µs. */
  eventMicros(events: number, promises: boolean): number {
    return events * (promises ? PROMISE_EVENT_MICROS : EVENT_MICROS);
  }
}
