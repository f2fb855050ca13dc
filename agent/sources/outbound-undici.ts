/**
 * Requests that this program makes with fetch() or undici, through undici's diagnostics channels; the one in Node publishes
 * on the same. One is counted when its answer has come whole, or its error. Connections and waiting requests are counted
 * from the same messages, so no dispatcher is looked into and undici is never loaded. Upgrades (WebSocket) are left out:
 * undici does not tell how they end.
 */
import type { EventEmitter } from 'node:events';
import { listen } from './host-listener';
import type { Outbound } from './outbound';
import { type Address, type ClientEnd, endOfError, endOfStatus, OutboundSeries } from './outbound-series';
import type { SourceContext } from './source';

const TIMED_EVERY_CALLS = 16;

type Request = { origin: string | URL; method: unknown; upgrade?: unknown };
type Asked = { startMicros: number; status: number; sent: boolean };
type Message = {
  request: Request;
  response: { statusCode: number };
  socket: EventEmitter;
  error: unknown;
};

export function openOutboundUndici(context: SourceContext, wake: () => void): Outbound {
  const { writer, guard, nowMicros } = context;
  const series = new OutboundSeries(writer, 'undici');
  const asked = new WeakMap<Request, Asked>();
  const used = new WeakSet<EventEmitter>();
  const counts = { open: 0, waiting: 0, sent: 0 };
  let news = false;

  const begin = ({ request }: Message) => {
    if (request.upgrade || request.method === 'CONNECT') return;
    asked.set(request, { startMicros: nowMicros(), status: 0, sent: false });
    counts.waiting++;
    news = true;
    wake();
  };

  const connected = ({ socket }: Message) => {
    counts.open++;
    listen(socket, 'close', onSocketClose);
    news = true;
    wake();
  };
  const onSocketClose = guard.wrap(() => {
    counts.open--;
  });

  const sent = ({ request, socket }: Message) => {
    const known = asked.get(request);
    if (known === undefined || known.sent) return;
    known.sent = true;
    counts.waiting--;
    counts.sent++;
    series.used(used.has(socket));
    used.add(socket);
  };

  const answered = ({ request, response }: Message) => {
    const known = asked.get(request);
    if (known !== undefined) known.status = response.statusCode;
  };

  const ended = (request: Request, end: (known: Asked) => ClientEnd) => {
    const known = asked.get(request);
    if (known === undefined) return;
    asked.delete(request);
    if (known.sent) counts.sent--;
    else counts.waiting--;
    const key = String(request.origin);
    series.ended(key, () => addressOf(key), request.method, end(known), nowMicros() - known.startMicros);
  };

  const wrapped = (callback: (message: Message) => void) => {
    const guarded = guard.wrap(callback, TIMED_EVERY_CALLS);
    return (message: unknown) => guarded(message as Message);
  };
  return {
    subscriptions: [
      ['undici:request:create', wrapped(begin)],
      ['undici:client:connected', wrapped(connected)],
      ['undici:client:sendHeaders', wrapped(sent)],
      ['undici:request:headers', wrapped(answered)],
      [
        'undici:request:trailers',
        wrapped(({ request }) => ended(request, ({ status }) => endOfStatus(status))),
      ],
      ['undici:request:error', wrapped(({ request, error }) => ended(request, () => endOfError(error)))],
    ],
    look() {
      // HTTP/2 has many requests on one connection.
      const active = Math.min(counts.sent, counts.open);
      series.pool({ active, idle: counts.open - active, queued: counts.waiting });
      const again = news || counts.open + counts.waiting + counts.sent > 0;
      news = false;
      return again;
    },
  };
}

function addressOf(origin: string): Address {
  if (!URL.canParse(origin)) return { host: origin, port: '' };
  const { hostname, port, protocol } = new URL(origin);
  return { host: hostname, port: port === '' ? (protocol === 'https:' ? '443' : '80') : port };
}
