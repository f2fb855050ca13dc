/**
 * Emitters whose listeners only become more: Node warns of each once, when it has more than its limit. The warning is
 * only listened to, so it is printed as before. Its text is Node's own; its stack is left alone, because reading it would
 * run the program's Error.prepareStackTrace.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ListenerWarning } from '../thread-data';
import { listen } from './host-listener';
import type { SourceContext } from './source';

const NAME = 'MaxListenersExceededWarning';
const TEXT_CHARACTERS_MAX = 200;
/** A program that makes such emitters all the time tells enough with these. */
const WARNINGS_MAX = 1000;

export function openListeners({ guard }: SourceContext, toAgent: MessagePort): () => void {
  let left = WARNINGS_MAX;
  const onWarning = guard.wrap((warning: unknown) => {
    if (left === 0 || ownText(warning, 'name') !== NAME) return;
    left--;
    const listeners = ownText(warning, 'message').slice(0, TEXT_CHARACTERS_MAX);
    toAgent.postMessage({ listeners } satisfies ListenerWarning);
  });
  listen(process, 'warning', onWarning);
  return () => void process.off('warning', onWarning);
}

/** Without running a getter of the program's. */
function ownText(holder: unknown, name: string): string {
  if (typeof holder !== 'object' || holder === null) return '';
  const value: unknown = Object.getOwnPropertyDescriptor(holder, name)?.value;
  return typeof value === 'string' ? value : '';
}
