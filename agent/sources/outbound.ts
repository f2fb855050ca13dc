/**
 * What this program asks of other servers over HTTP: node:http and undici, each by its own channels. While there are
 * connections or requests, how many is told once a second.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Poll } from '../poll';
import { openOutboundHttp } from './outbound-http';
import { openOutboundUndici } from './outbound-undici';
import type { SourceContext } from './source';

/** One library's half. look: tells its connections; false when there are none and nothing happened since the last look. */
export type Outbound = {
  subscriptions: [channel: string, onMessage: (message: unknown) => void][];
  look(): boolean;
};

export function openOutbound(context: SourceContext): () => void {
  let again = false;
  const look = context.guard.wrap(() => {
    again = false;
    for (const half of halves) again = half.look() || again;
  });
  const poll = new Poll(() => {
    look();
    return again;
  });
  const wake = () => poll.wake();
  const halves = [openOutboundHttp(context, wake), openOutboundUndici(context, wake)];
  const subscriptions = halves.flatMap((half) => half.subscriptions);
  for (const [channel, onMessage] of subscriptions) subscribe(channel, onMessage);
  return () => {
    poll.end();
    for (const [channel, onMessage] of subscriptions) unsubscribe(channel, onMessage);
  };
}
