/**
 * Requests that this program makes with node:http and node:https, through diagnostics channels. One is counted when it
 * closes: that comes once for each, however it ends, after its answer was read. Where the runtime tells of it (Node 22 and
 * newer) a request begins when it is made, so that waiting for a connection counts; else when it is sent.
 *
 * Agents are not patched: their public lists of sockets and waiting requests are counted once a second while there is
 * something in them.
 */
import type { Agent, ClientRequest } from 'node:http';
import { listen } from './host-listener';
import type { Outbound } from './outbound';
import {
  type Address,
  type ClientEnd,
  endOfError,
  endOfStatus,
  OutboundSeries,
  type PoolFigures,
} from './outbound-series';
import type { SourceContext } from './source';

const TIMED_EVERY_CALLS = 16;
const AGENTS_MAX = 64;

/** failed: how it ended if it did not come to a complete answer. */
type Asked = { startMicros: number; failed: ClientEnd };
type RequestMessage = { request: Request; response?: { socket: object | null }; error?: unknown };
/** What node:http has and its types do not. */
type Request = ClientRequest & {
  res?: { statusCode?: number; complete: boolean; upgrade?: boolean } | null;
  agent?: Agent;
  socketPath?: string;
};

/** wake: there is something to look at. */
export function openOutboundHttp(context: SourceContext, wake: () => void): Outbound {
  const { writer, guard, nowMicros } = context;
  const series = new OutboundSeries(writer, 'http');
  const asked = new WeakMap<ClientRequest, Asked>();
  const used = new WeakSet<object>();
  const agents = new Agents();
  let news = false;

  const begin = guard.wrap((request: Request) => {
    if (asked.has(request)) return;
    asked.set(request, { startMicros: nowMicros(), failed: 'error' });
    listen(request, 'close', onClose as () => void);
    listen(request, 'timeout', onTimeout as () => void);
    if (request.agent !== undefined) agents.remember(request.agent);
    news = true;
    wake();
  }, TIMED_EVERY_CALLS);

  /** By its socket: of a request that waited in its agent for a used one, reusedSocket does not say so. */
  const answered = guard.wrap(({ request, response }: RequestMessage) => {
    const socket = response?.socket;
    if (socket == null || !asked.has(request)) return;
    series.used(request.reusedSocket || used.has(socket));
    used.add(socket);
  }, TIMED_EVERY_CALLS);

  const failed = guard.wrap((request: Request, how: ClientEnd) => {
    const known = asked.get(request);
    // What a program does about a timeout ends in another error.
    if (known !== undefined && known.failed !== 'timeout') known.failed = how;
  });

  const closed = guard.wrap((request: Request) => {
    const known = asked.get(request);
    if (known === undefined || !guard.open) return;
    asked.delete(request);
    const { res, method } = request;
    const complete = res != null && (res.complete || res.upgrade === true);
    const end = complete ? endOfStatus(res.statusCode ?? 0) : known.failed;
    const key = keyOf(request);
    series.ended(key, () => addressOf(key, request), method, end, nowMicros() - known.startMicros);
  }, TIMED_EVERY_CALLS);
  function onClose(this: Request): void {
    closed(this);
  }
  function onTimeout(this: Request): void {
    failed(this, 'timeout');
  }

  return {
    subscriptions: [
      ['http.client.request.created', (message) => begin((message as RequestMessage).request)],
      ['http.client.request.start', (message) => begin((message as RequestMessage).request)],
      // In spite of its name it comes with the answer's headers.
      ['http.client.response.finish', (message) => answered(message as RequestMessage)],
      [
        'http.client.request.error',
        (message) => {
          const { request, error } = message as RequestMessage;
          failed(request, endOfError(error));
        },
      ],
    ],
    look() {
      const figures = agents.figures();
      series.pool(figures);
      const again = news || figures.active + figures.idle + figures.queued > 0;
      news = false;
      return again;
    },
  };
}

/** Agents that requests were made with, weakly. */
class Agents {
  readonly #agents: WeakRef<Agent>[] = [];
  readonly #known = new WeakSet<Agent>();

  remember(agent: Agent): void {
    if (this.#known.has(agent) || this.#agents.length >= AGENTS_MAX) return;
    this.#known.add(agent);
    this.#agents.push(new WeakRef(agent));
  }

  figures(): PoolFigures {
    const figures: PoolFigures = { active: 0, idle: 0, queued: 0 };
    for (let index = this.#agents.length - 1; index >= 0; index--) {
      const agent = this.#agents[index]!.deref();
      if (agent === undefined) {
        this.#agents.splice(index, 1);
        continue;
      }
      figures.active += lengthsOf(agent.sockets);
      figures.idle += lengthsOf(agent.freeSockets);
      figures.queued += lengthsOf(agent.requests);
    }
    return figures;
  }
}

/** Lists by address. */
function lengthsOf(lists: NodeJS.ReadOnlyDict<unknown[]> | undefined): number {
  let length = 0;
  for (const key in lists) length += lists[key]?.length ?? 0;
  return length;
}

/** As in 'http://example.org:8080': who made the request says it so in its Host. */
function keyOf(request: Request): string {
  if (typeof request.socketPath === 'string') return request.socketPath;
  const host = request.getHeader('host');
  return `${request.protocol}//${typeof host === 'string' ? host : request.host}`;
}

function addressOf(key: string, request: Request): Address {
  if (typeof request.socketPath === 'string') return { host: request.socketPath, port: '' };
  const [, port = request.protocol === 'https:' ? '443' : '80'] = /:(\d+)$/.exec(key) ?? [];
  return { host: request.host, port };
}
