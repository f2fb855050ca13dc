/**
 * Emitters whose listeners only become more: Node warns of each once, when it has more than its limit. The warning is
 * only listened to, so it is printed as before. How many, of which event and on what is read from Node's own text; an
 * event that is no plain word may be the program's data and is left out. The stack is left alone, because reading it
 * would run the program's Error.prepareStackTrace.
 */

import { types } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import type { ListenerWarning } from '../thread-data';
import { listen } from './host-listener';
import type { SourceContext } from './source';

const NAME = 'MaxListenersExceededWarning';
const TEXT = /(\d+) (.*) listeners added to \[([\w$]{1,64})/s;
const PLAIN_EVENT = /^[A-Za-z][A-Za-z:_-]{0,31}$/;
/** A program that makes such emitters all the time tells enough with these. */
const WARNINGS_MAX = 1000;

export function openListeners({ guard }: SourceContext, toAgent: MessagePort): () => void {
  let left = WARNINGS_MAX;
  const onWarning = guard.wrap((warning: unknown) => {
    if (left === 0 || ownText(warning, 'name') !== NAME) return;
    left--;
    const [, count = 'many', event = '', emitter = 'an emitter'] =
      TEXT.exec(ownText(warning, 'message')) ?? [];
    const listeners = `${count} ${PLAIN_EVENT.test(event) ? event : '(other)'} listeners added to [${emitter}]`;
    toAgent.postMessage({ listeners } satisfies ListenerWarning);
  });
  listen(process, 'warning', onWarning);
  return () => void process.off('warning', onWarning);
}

/** Without running anything of the program's. */
function ownText(holder: unknown, name: string): string {
  if (typeof holder !== 'object' || holder === null || types.isProxy(holder)) return '';
  const value: unknown = Object.getOwnPropertyDescriptor(holder, name)?.value;
  return typeof value === 'string' ? value : '';
}
