/**
 * The demo's service: an order shop over HTTP, the way services are: a bit of JSON, a bit of database, a bit of
 * crypto, one route that is far too slow, one that leaks, and a stall every few seconds. A program of its own, without
 * dependencies and without a word of ringtail in it: the agent is preloaded by whoever starts it.
 *
 *   GET /orders/:id            one order             GET /reports/totals   the slow one: slowReportTotals
 *   GET /customers/:id/orders  secondary index       POST /sessions        the leaking one: leakSession
 *   POST /orders               JSON in, insert       GET /search?word=     index, then a scan
 *   GET /pages/:id             template              GET /seals/:id        sha256 over an order
 *   POST /logins               pbkdf2 in the pool    GET /exports           JSON of a thousand orders
 *   every 7 s                  the stall: rebuildSearchIndex
 *
 * It works only when it is told to begin: on Node 20 V8's profiler credits loops that V8 compiled before sampling began
 * to their callers, so whoever started it sees to it that sampling is on first.
 */
import { createHash, pbkdf2 } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { type Order, OrderBook } from './order-book';
import { renderPage } from './page';
import { Random } from './random';
import { reportPasses, slowReportTotals } from './report';
import { SearchIndex } from './search-index';
import { Sessions } from './sessions';

const BODY_BYTES_MAX = 64 * 1024;
const REBUILD_EVERY_MILLIS = 7000;
const FIRST_REBUILD_MILLIS = 3000;
const PBKDF2_ROUNDS = 2000;
const SEAL_ROUNDS = 600;
const EXPORT_ORDERS = 1000;
const SCAN_LIMIT = 20;

const book = new OrderBook(new Random(7));
const index = new SearchIndex();
const sessions = new Sessions();
let passes = 1;
const derive = promisify(pbkdf2);

type Answer = { status: number; type: string; body: string };
type Route = (id: string, url: URL, request: IncomingMessage) => Answer | Promise<Answer>;

const ROUTES: Record<string, Route> = {
  'GET orders': (id) => withOrder(id, (order) => json(200, order)),
  'GET customers': (id) => json(200, book.ofCustomer(id)),
  'POST orders': async (_id, _url, request) => json(201, book.insert(JSON.parse(await readBody(request)))),
  'GET pages': (id) =>
    withOrder(id, (order) => ({ status: 200, type: 'text/html', body: renderPage(order) })),
  'POST logins': async (_id, _url, request) => {
    const key = await derive(await readBody(request), 'salt', PBKDF2_ROUNDS, 32, 'sha256');
    return json(200, { key: key.toString('hex') });
  },
  'GET seals': (id) => withOrder(id, (order) => json(200, { seal: sealOrder(order) })),
  'GET search': (_id, url) => json(200, searchOrders(url.searchParams.get('word') ?? '')),
  'GET exports': () => json(200, exportOrders()),
  'GET reports': () => json(200, slowReportTotals(book, passes)),
  'POST sessions': () => {
    sessions.leakSession(book.size);
    return json(201, { sessions: sessions.size });
  },
};

const server = createServer((request, response) => {
  answer(request).then(
    (answered) => send(response, answered),
    (error: unknown) => send(response, json(500, { error: String(error) })),
  );
});

async function answer(request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://demo');
  const [, collection = '', id = ''] = url.pathname.split('/');
  const route = ROUTES[`${request.method} ${collection}`];
  return route === undefined ? json(404, { error: 'no such route' }) : route(id, url, request);
}

function withOrder(id: string, use: (order: Order) => Answer): Answer {
  const order = book.find(Number(id));
  return order === undefined ? json(404, { error: `no order ${id}` }) : use(order);
}

function sealOrder(order: Order): string {
  let seal = JSON.stringify(order);
  for (let round = 0; round < SEAL_ROUNDS; round++) seal = createHash('sha256').update(seal).digest('hex');
  return seal;
}

function searchOrders(word: string): (Order | undefined)[] {
  const ids = index.find(word).slice(0, SCAN_LIMIT);
  return ids.length > 0 ? ids.map((id) => book.find(id)) : book.scanNotes(word, SCAN_LIMIT);
}

function exportOrders(): Order[] {
  return [...book.all()].slice(0, EXPORT_ORDERS).sort((a, b) => (a.customer < b.customer ? -1 : 1));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`the body is over ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function rebuildNow(): void {
  index.rebuildSearchIndex(book);
  setTimeout(rebuildNow, REBUILD_EVERY_MILLIS);
}

function begin(): void {
  passes = reportPasses(book);
  setTimeout(rebuildNow, FIRST_REBUILD_MILLIS);
}

process.once('message', begin);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
// Whoever started the demo is gone, or wants it to end: leave the usual way, through the exit handlers.
process.on('disconnect', () => process.exit(0));
