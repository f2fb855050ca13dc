/**
 * A listener on an emitter of the host's. It must not be the one that Node warns of, so it takes its own room where the
 * limit is near; whoever makes the emitter may add one of its own after it.
 */
import type { EventEmitter } from 'node:events';

export function listen(emitter: EventEmitter, event: string, listener: (...words: unknown[]) => void): void {
  const max = emitter.getMaxListeners();
  if (max > 0 && emitter.listenerCount(event) + 1 >= max) emitter.setMaxListeners(max + 1);
  emitter.on(event, listener);
}
