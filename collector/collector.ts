/**
 * The collector: one loopback port for agents, profiles, metrics and the tail. Everything is made here and handed down;
 * nothing starts by being imported.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTables } from '../agent/core';
import { createToken, readToken } from '../agent/wire/token';
import { version } from '../package.json';
import { CollectorError } from './collector-error';
import { Counters } from './counters';
import { sendPage, sendRedirect, sendText } from './http/answer';
import { EXPOSITION_TYPE } from './http/exposition';
import { GC_PATH, gcRoute } from './http/gc';
import { type GuardRules, isLoopback, ownHosts, provesToken } from './http/guard';
import { renderHome } from './http/home';
import { renderMetrics } from './http/metrics';
import { PPROF_PATH, PprofRoutes } from './http/pprof';
import { createHttpServer, type RouteHandler, type Routes } from './http/server';
import { Agents } from './ingest/agents';
import { IngestEndpoint } from './ingest/endpoint';
import { RecentGc } from './query/recent-gc';
import { SeriesTotals } from './query/series-totals';
import { ServiceTotals } from './query/service-totals';
import { SourceMaps } from './query/source-maps';
import {
  DEFAULT_RETENTION_MILLIS,
  DEFAULT_STORE_BYTES,
  MemoryStore,
  RETENTION_MAX_MILLIS,
  RETENTION_MIN_MILLIS,
  STORE_BYTES_MIN,
} from './store/memory-store';
import { TailHub } from './tail/hub';

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 7411;

const AGENTS_MAX = 256;
const TICK_MILLIS = 1000;
/** How long connections get to end by themselves. */
const CLOSE_MILLIS = 500;

export type CollectorOptions = {
  /** A loopback address. Default DEFAULT_HOST. */
  host?: string | undefined;
  /** 0 takes any free one. Default DEFAULT_PORT. */
  port?: number | undefined;
  /** Where a durable store keeps its files; the memory store needs none. */
  dataFolder?: string | undefined;
  /** Reads need the token too. Default false. */
  requireToken?: boolean | undefined;
  /** Default: the one of the token places, made at the first start. */
  token?: string | undefined;
  /** Values of Host that are accepted besides the loopback's own, as 'name:port'. */
  allowedHosts?: readonly string[] | undefined;
  /** Memory for what agents sent. Default DEFAULT_STORE_BYTES. */
  storeBytes?: number | undefined;
  /** How long it is kept, ms. Default DEFAULT_RETENTION_MILLIS. */
  retentionMillis?: number | undefined;
  /** Where the token is looked for. Default process.env. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** One line for people, without a line end. Default: nowhere. */
  log?: ((line: string) => void) | undefined;
};

export type Collector = {
  address: { host: string; port: number };
  /** Where agents find the token: a path, a variable, 'option', or 'log' when it could be written nowhere. */
  tokenPlace: string;
  close(): Promise<void>;
};

/** Throws a CollectorError. */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const host = options.host ?? DEFAULT_HOST;
  const port = options.port ?? DEFAULT_PORT;
  const log = options.log ?? (() => {});
  const storeBytes = options.storeBytes ?? DEFAULT_STORE_BYTES;
  const retentionMillis = options.retentionMillis ?? DEFAULT_RETENTION_MILLIS;
  checkOptions(host, port, storeBytes, retentionMillis);
  // Ages and deadlines go by a clock that nobody sets; the wall clock only says when something was.
  const nowMillis = () => performance.now();
  const wallMillis = () => Date.now();
  const counters = new Counters();
  const tables = createTables();
  const store = new MemoryStore({ retentionMillis, storeBytes, nowMillis });
  const agents = new Agents({
    nowMillis,
    agentsMax: AGENTS_MAX,
    onListenerError: (error) => log(`a listener failed: ${String(error)}`),
  });
  const totals = new ServiceTotals(tables, nowMillis);
  const series = new SeriesTotals(tables);
  const recentGc = new RecentGc();
  agents.listen({
    committed: ({ instance }, batch) => {
      totals.add(instance.service, batch);
      series.add(instance, batch);
      recentGc.add(instance.agentId, batch);
    },
  });
  if (options.dataFolder !== undefined) {
    const minutes = retentionMillis / 60_000;
    log(
      `nothing is kept in ${options.dataFolder}: this version keeps the last ${minutes} minutes, in memory`,
    );
  }
  const { token, place } = tokenOf(options, log);
  const context = { token, collectorVersion: version, store, agents, tables, counters, log };
  const ingest = new IngestEndpoint(context);
  const tail = new TailHub({ ...context, recentGc, wallMillis });
  const isProven = ({ headers }: IncomingMessage) => provesToken(headers, token);
  const sourceMaps = new SourceMaps(nowMillis);
  const pprof = new PprofRoutes({
    ...context,
    series,
    sourceMaps,
    nowMillis,
    wallMillis,
    retentionMillis,
    isProven,
  });
  let rules: GuardRules = { hosts: new Set(), token: '' };
  const home: RouteHandler = (_request, response) =>
    sendPage(response, renderHome(agents.live(), [...rules.hosts][0] ?? ''));
  const metrics: RouteHandler = (_request, response) => {
    const isKnown = (agentId: string) => agents.get(agentId) !== undefined;
    series.keepOnly(isKnown);
    recentGc.keepOnly(isKnown);
    const input = {
      counters,
      live: agents.live(),
      capturesRunning: pprof.running,
      store: store.stats(),
      totals,
      series,
      isPresent: (agentId: string) => agents.isPresent(agentId),
      recentGc,
      tailClients: tail.clientCount,
    };
    sendText(response, 200, renderMetrics({ ...input, nowMillis: nowMillis() }), EXPOSITION_TYPE);
  };
  const routes: Routes = {
    requests: new Map<string, RouteHandler>([
      ['/', home],
      ['/healthz', sayOk],
      ['/readyz', sayOk],
      ['/metrics', metrics],
      [GC_PATH, gcRoute({ ...context, retentionMillis })],
      [PPROF_PATH, (request, response, url) => pprof.handle(request, response, url)],
      [PPROF_PATH.slice(0, -1), (_request, response) => sendRedirect(response, PPROF_PATH)],
    ]),
    posts: new Set([`${PPROF_PATH}symbol`]),
    upgrades: new Map([
      [
        '/v1/agent',
        { proven: true, handle: (request, socket, head) => ingest.upgrade(request, socket, head) },
      ],
      [
        '/v1/tail',
        { proven: false, handle: (request, socket, head, url) => tail.upgrade(request, socket, head, url) },
      ],
    ]),
  };
  const server = createHttpServer({
    rules: () => rules,
    routes,
    onRefused: () => counters.httpRefused++,
    onFault: (error) => log(`a request failed: ${error instanceof Error ? error.stack : String(error)}`),
  });
  const ticker = setInterval(() => {
    agents.tick();
    store.expire();
  }, TICK_MILLIS);
  const close = async () => {
    clearInterval(ticker);
    ingest.close();
    tail.close();
    await closeServer(server, () => {
      ingest.terminate();
      tail.terminate();
    });
    await store.close();
  };
  let bound: number;
  try {
    bound = await listen(server, host, port);
  } catch (error) {
    await close();
    throw error;
  }
  rules = {
    hosts: ownHosts(host, bound, options.allowedHosts ?? []),
    token: options.requireToken ? token : '',
  };
  return { address: { host, port: bound }, tokenPlace: place, close };
}

function checkOptions(host: string, port: number, storeBytes: number, retentionMillis: number): void {
  if (!isLoopback(host)) {
    throw new CollectorError(
      'ERR_COLLECTOR_HOST',
      `host must be an address of the loopback (127.0.0.1, ::1, localhost), got ${host}: ` +
        'use a tunnel or a proxy with TLS to reach it from elsewhere',
    );
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CollectorError('ERR_COLLECTOR_OPTION', `port must be an integer from 0 to 65535, got ${port}`);
  }
  if (!Number.isSafeInteger(storeBytes) || storeBytes < STORE_BYTES_MIN) {
    throw new CollectorError(
      'ERR_COLLECTOR_OPTION',
      `store bytes must be at least ${STORE_BYTES_MIN}, got ${storeBytes}`,
    );
  }
  if (!(retentionMillis >= RETENTION_MIN_MILLIS && retentionMillis <= RETENTION_MAX_MILLIS)) {
    throw new CollectorError(
      'ERR_COLLECTOR_OPTION',
      `retention must be from ${RETENTION_MIN_MILLIS} to ${RETENTION_MAX_MILLIS} ms, got ${retentionMillis}`,
    );
  }
}

function tokenOf(options: CollectorOptions, log: (line: string) => void): { token: string; place: string } {
  if (options.token !== undefined) return { token: options.token, place: 'option' };
  const environment = options.environment ?? process.env;
  const ignored = (place: string, reason: string) => log(`token place ${place} is passed over: ${reason}`);
  const found = readToken(environment, undefined, ignored) ?? createToken(environment);
  if (found !== null) return found;
  const token = randomBytes(32).toString('hex');
  log(`no place for a token can be written; give agents this one: RINGTAIL_TOKEN=${token}`);
  return { token, place: 'log' };
}

function sayOk(_request: IncomingMessage, response: ServerResponse): void {
  sendText(response, 200, 'ok\n');
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new CollectorError(
              'ERR_COLLECTOR_PORT_BUSY',
              `port ${port} of ${host} is taken (by a collector that runs already?): use that one, or choose another port with --port`,
              error,
            )
          : new CollectorError(
              'ERR_COLLECTOR_LISTEN',
              `cannot listen on ${host}:${port}: ${error.message}`,
              error,
            ),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Lets connections end for a moment, then ends them. */
function closeServer(server: Server, terminate: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const timer = setTimeout(() => {
      terminate();
      server.closeAllConnections();
    }, CLOSE_MILLIS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
