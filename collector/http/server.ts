/**
 * The one port: every request and upgrade passes the guard, then goes to its handler. Only GET and HEAD: nothing that
 * comes over HTTP changes what is kept. Where Go's clients ask by POST, what comes with it is not read.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { sendPprofFault, sendText } from './answer';
import { type GuardRules, type Refusal, refusalOf } from './guard';

export type RouteHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
) => void | Promise<void>;
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer, url: URL) => void;

export type Routes = {
  /** By exact path; a key that ends in '/' (other than '/') takes everything below it too. */
  requests: ReadonlyMap<string, RouteHandler>;
  /** Exact paths that take POST, too. */
  posts: ReadonlySet<string>;
  /** By exact path. `proven`: the protocol proves the token by itself, so the guard does not ask for it. */
  upgrades: ReadonlyMap<string, { proven: boolean; handle: UpgradeHandler }>;
};

export type ServerContext = {
  /** Known once the port is. */
  rules: () => GuardRules;
  routes: Routes;
  onRefused: () => void;
  onFault: (error: unknown) => void;
};

const CONNECTIONS_MAX = 1024;
const HEADERS_MAX = 64;
const HEAD_TIMEOUT_MILLIS = 10_000;
const UPGRADE_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
};

export function createHttpServer(context: ServerContext): Server {
  const server = createServer({
    headersTimeout: HEAD_TIMEOUT_MILLIS,
    requestTimeout: HEAD_TIMEOUT_MILLIS,
    connectionsCheckingInterval: HEAD_TIMEOUT_MILLIS / 2,
    maxHeaderSize: 16 * 1024,
    // The guard answers a missing Host itself.
    requireHostHeader: false,
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.maxHeadersCount = HEADERS_MAX;
  server.on('request', (request, response) => onRequest(context, request, response));
  server.on('upgrade', (request, socket, head) => onUpgrade(context, request, socket, head));
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  return server;
}

function onRequest(context: ServerContext, request: IncomingMessage, response: ServerResponse): void {
  const refusal = refusalOf(request.headers, context.rules());
  if (refusal !== null) {
    context.onRefused();
    if (refusal.status === 401) response.setHeader('WWW-Authenticate', 'Bearer, Basic realm="ringtail"');
    sendPprofFault(response, refusal.status, refusal.text);
    return;
  }
  const url = urlOf(request);
  const { method = '' } = request;
  const mayPost = method === 'POST' && url !== null && context.routes.posts.has(url.pathname);
  if (method !== 'GET' && method !== 'HEAD' && !mayPost) {
    response.setHeader('Allow', 'GET, HEAD');
    sendPprofFault(response, 405, `only GET and HEAD are served, got ${method}`);
    return;
  }
  const handler = url === null ? undefined : handlerOf(context.routes, url.pathname);
  if (url === null || handler === undefined) {
    sendText(response, 404, 'not found; / says what is here\n');
    return;
  }
  Promise.resolve()
    .then(() => handler(request, response, url))
    .catch((error: unknown) => {
      context.onFault(error);
      if (response.headersSent) response.destroy();
      else sendPprofFault(response, 500, 'the collector failed to answer; its log says why');
    });
}

function handlerOf({ requests }: Routes, path: string): RouteHandler | undefined {
  const exact = requests.get(path);
  if (exact !== undefined) return exact;
  for (const [prefix, handler] of requests) {
    if (prefix !== '/' && prefix.endsWith('/') && path.startsWith(prefix)) return handler;
  }
  return undefined;
}

function onUpgrade(context: ServerContext, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  const url = urlOf(request);
  const route = url === null ? undefined : context.routes.upgrades.get(url.pathname);
  const rules = context.rules();
  const refusal = refusalOf(request.headers, route?.proven ? { ...rules, token: '' } : rules);
  if (refusal !== null) {
    context.onRefused();
    refuseUpgrade(socket, refusal);
  } else if (url === null || route === undefined) {
    refuseUpgrade(socket, { status: 404, text: 'no WebSocket here' });
  } else {
    route.handle(request, socket, head, url);
  }
}

function refuseUpgrade(
  socket: Duplex,
  { status, text }: { status: Refusal['status'] | 404; text: string },
): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${UPGRADE_TEXT[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `X-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function urlOf(request: IncomingMessage): URL | null {
  const target = request.url ?? '';
  if (!target.startsWith('/')) return null;
  try {
    return new URL(`http://collector${target.replace(/^\/+/, '/')}`);
  } catch {
    return null;
  }
}
