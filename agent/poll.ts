/**
 * A look once a second, only while there is something to look at: the timer is made when somebody wakes it and ends when a
 * look finds nothing. It keeps no process alive, and it is made outside of whatever asynchronous context woke it, so that no
 * request of the host lives as long as the timer. What makes timers is taken hold of at load, before any fake ones.
 */
import { AsyncResource } from 'node:async_hooks';

const { setInterval, clearInterval } = globalThis;
const LOOK_MILLIS = 1000;

export class Poll {
  readonly #context = new AsyncResource('ringtail', { requireManualDestroy: true });
  readonly #look: () => boolean;
  #timer: NodeJS.Timeout | null = null;

  /** look: whether to look again. It must not throw. */
  constructor(look: () => boolean) {
    this.#look = look;
  }

  wake(): void {
    if (this.#timer !== null) return;
    this.#context.runInAsyncScope(() => {
      this.#timer = setInterval(() => {
        if (!this.#look()) this.end();
      }, LOOK_MILLIS);
      this.#timer.unref();
    });
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
