/**
 * Keeps our listeners out of Node's leak warning: a host that stays within its limit of listeners must not be warned
 * because ours is one more. The limit is raised by one, once, only when a host reaches it: raised beforehand, it would
 * no longer follow the default limit of all emitters, which programs set to be rid of this very warning.
 */
import type { EventEmitter } from 'node:events';

export class ListenerRoom {
  readonly #emitter: EventEmitter;
  readonly #names: readonly (string | symbol)[];
  #raisedTo = 0;

  constructor(emitter: EventEmitter, names: readonly (string | symbol)[]) {
    this.#emitter = emitter;
    this.#names = names;
  }

  make(): void {
    if (this.#emitter.listeners('newListener').includes(this.#onNewListener)) return;
    this.#emitter.on('newListener', this.#onNewListener);
  }

  /** Takes the raise back, unless the host has set a limit of its own meanwhile. */
  giveBack(): void {
    this.#emitter.removeListener('newListener', this.#onNewListener);
    if (this.#raisedTo === 0) return;
    if (this.#emitter.getMaxListeners() === this.#raisedTo) this.#emitter.setMaxListeners(this.#raisedTo - 1);
    this.#raisedTo = 0;
  }

  /** Called before the listener is added, by the host's own call: it must not throw. */
  readonly #onNewListener = (name: string | symbol): void => {
    try {
      if (this.#raisedTo !== 0 || !this.#names.includes(name)) return;
      const max = this.#emitter.getMaxListeners();
      if (max <= 0 || this.#emitter.listenerCount(name) < max) return;
      this.#raisedTo = max + 1;
      this.#emitter.setMaxListeners(max + 1);
    } catch {
      // Then Node warns.
    }
  };
}
