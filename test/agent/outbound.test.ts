/** Requests to other servers, by node:http and by fetch: counted once, however they end, with their connections. */
import { Agent, get, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHttp } from '../../agent/sources/http';
import { openOutbound } from '../../agent/sources/outbound';
import { ADDRESSES_MAX, OutboundSeries } from '../../agent/sources/outbound-series';
import { describeWithFrameworks, framework } from '../frameworks/installed';
import { RecordingWriter } from './recording-writer';
import { ask, listening, type Opened, serverOf, watched } from './watched-http';

const DURATION = 'http.client.request.duration';
const OPEN = 'http.client.open_connections';
const QUEUED = 'http.client.queued_requests';
const USED = 'http.client.used_connections';

let source: Opened;
let server: Server;
let port = 0;

beforeEach(async () => {
  server = serverOf((asked, response) => {
    if (asked.url === '/slow') return;
    response.statusCode = Number(/\d+/.exec(asked.url ?? '')?.[0] ?? 200);
    if (asked.url === '/half') response.write('x');
    else if (asked.url === '/cut') response.write('x', () => setTimeout(() => asked.socket.destroy(), 20));
    else setTimeout(() => response.end('x'), 10);
  });
  port = await listening(server);
  source = watched([openOutbound]);
});

afterEach(() => {
  source.close();
  server.close();
  server.closeAllConnections();
});

/** 'GET 127.0.0.1 2xx', of every request so far. */
function ends(): string[] {
  return source.writer.of(DURATION).map(({ series }) => {
    const words = series.split(' ');
    const after = (label: string) => words[words.indexOf(label) + 1];
    expect(after('server.port')).toBe(String(port));
    return `${after('http.request.method')} ${after('server.address')} ${after('http.response.status_class')}`;
  });
}

/** The last value of each state, as 'active 1'. */
function latest(name: string, library: string): Record<string, number> {
  const found = source.writer
    .of(name)
    .filter(({ series }) => `${series} `.includes(`http.client.library ${library} `));
  return Object.fromEntries(found.map(({ series, value }) => [series.split(' ').at(-1), value]));
}

function used(library: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { series, value } of source.writer.of(USED)) {
    const state = series.split(' ').at(-1)!;
    if (series.includes(` ${library} `)) sums[state] = (sums[state] ?? 0) + value;
  }
  return sums;
}

const failing = (path: string, options: object, act: (made: ReturnType<typeof request>) => void = () => {}) =>
  new Promise<void>((done) => {
    const made = request({ port, host: '127.0.0.1', path, agent: false, ...options }, (answer) => {
      answer.on('error', () => {}).resume();
      if (path === '/half') made.destroy();
    });
    made.on('error', () => {}).on('close', done);
    act(made);
    made.end();
  });

describe('requests with node:http', () => {
  it('are told by method, address and class of status, with the time until the answer was read', async () => {
    await ask(port, '/', 'GET');
    await ask(port, '/503', 'POST');
    await expect.poll(ends).toEqual(['GET 127.0.0.1 2xx', 'POST 127.0.0.1 5xx']);
    for (const { value } of source.writer.of(DURATION)) expect(value).toBeGreaterThan(8000);
  });

  it('tell timeouts, aborts and errors apart, each once', async () => {
    await failing('/slow', { timeout: 30 }, (made) => made.on('timeout', () => made.destroy()));
    await failing('/slow', {}, (made) => made.setTimeout(30, () => made.destroy(new Error('too slow'))));
    await failing('/slow', { signal: AbortSignal.timeout(30) });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    await failing('/slow', { signal: controller.signal });
    await failing('/cut', {});
    await failing('/half', {});
    await failing('/slow', {}, (made) => setTimeout(() => made.destroy(), 30));
    const unused = serverOf(() => {});
    const free = await listening(unused);
    await new Promise((done) => unused.close(done));
    expect(ends()).toEqual([
      'GET 127.0.0.1 timeout',
      'GET 127.0.0.1 timeout',
      'GET 127.0.0.1 aborted',
      'GET 127.0.0.1 aborted',
      'GET 127.0.0.1 error',
      'GET 127.0.0.1 error',
      'GET 127.0.0.1 error',
    ]);
    port = free;
    await failing('/', {});
    expect(source.writer.of(DURATION).at(-1)?.series).toMatch(/127\.0\.0\.1 .* error$/);
  });

  it('leave an error that nobody handles unhandled', async () => {
    const listeners: number[] = [];
    await failing('/slow', {}, (made) => {
      listeners.push(made.listenerCount('error'), made.listenerCount('response'));
      setTimeout(() => made.destroy(), 20);
    });
    expect(listeners).toEqual([1, 1]);
  });

  it('tell what their agents have: active, idle and waiting, and how often a connection is used again', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const read = (path: string) =>
      new Promise<void>((done) => {
        get({ port, host: '127.0.0.1', path, agent }, (answer) => answer.resume().on('end', done));
      });
    await Promise.all([read('/'), read('/'), read('/')]);
    await expect.poll(() => used('http')).toEqual({ new: 1, reused: 2 });
    const stuck = get({ port, host: '127.0.0.1', path: '/slow', agent }).on('error', () => {});
    const waiting = get({ port, host: '127.0.0.1', path: '/slow', agent }).on('error', () => {});
    await expect.poll(() => latest(OPEN, 'http'), { timeout: 3000 }).toEqual({ active: 1, idle: 0 });
    expect(Object.values(latest(QUEUED, 'http'))).toEqual([1]);
    waiting.destroy();
    stuck.destroy();
    // Newer Nodes open another socket for the request that waited, and then nobody needs it.
    await new Promise((done) => setTimeout(done, 200));
    agent.destroy();
    await expect.poll(() => latest(OPEN, 'http'), { timeout: 3000 }).toEqual({ active: 0, idle: 0 });
  });

  it('are silent after the source was closed', async () => {
    const held = failing('/slow', {}, (made) => setTimeout(() => made.destroy(), 30));
    source.close();
    await held;
    await ask(port, '/');
    expect(source.writer.written).toEqual([]);
  });
});

function describeFetch(
  name: string,
  fetchOf: () => typeof fetch,
  dispatcherOf: () => object | undefined,
): void {
  const describeIt = dispatcherOf === noDispatcher ? describe : describeWithFrameworks;
  describeIt(`requests with ${name}`, () => {
    it('are told with how they end and how often a connection is used again', async () => {
      const dispatcher = dispatcherOf();
      const ours = (path: string, init: object = {}) =>
        fetchOf()(`http://127.0.0.1:${port}${path}`, { ...init, ...dispatcher });
      await (await ours('/')).text();
      await (await ours('/404', { method: 'PUT' })).text();
      await expect(ours('/slow', { signal: AbortSignal.timeout(40) })).rejects.toThrow();
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 40);
      await expect(ours('/slow', { signal: controller.signal })).rejects.toThrow();
      await expect(ours('/cut').then((answer) => answer.text())).rejects.toThrow();
      expect(ends()).toEqual([
        'GET 127.0.0.1 2xx',
        'PUT 127.0.0.1 4xx',
        'GET 127.0.0.1 timeout',
        'GET 127.0.0.1 aborted',
        'GET 127.0.0.1 error',
      ]);
      expect(used('undici')).toMatchObject({ reused: 2 });
      const held = ours('/half');
      await held;
      await expect.poll(() => latest(OPEN, 'undici').active, { timeout: 3000 }).toBe(1);
      await (await held).body?.cancel();
      server.closeAllConnections();
      await expect.poll(() => latest(OPEN, 'undici'), { timeout: 5000 }).toEqual({ active: 0, idle: 0 });
    });
  });
}

const noDispatcher = () => undefined;
describeFetch('fetch', () => fetch, noDispatcher);
describeFetch(
  'undici 7',
  () => framework('undici').fetch,
  () => ({ dispatcher: new (framework('undici').Agent)({ connections: 4 }) }),
);

describe('OutboundSeries', () => {
  it('has one address for all that come when there are enough', () => {
    const writer = new RecordingWriter();
    const series = new OutboundSeries(writer, 'http');
    for (let n = 0; n < 1000; n++)
      series.ended(`k${n}`, () => ({ host: `h${n}`, port: '1' }), 'GET', '2xx', 1);
    const hosts = writer.of(DURATION).map(({ series: name }) => /server\.address (\S+)/.exec(name)?.[1]);
    expect(new Set(hosts).size).toBe(ADDRESSES_MAX + 1);
    expect(hosts.filter((host) => host === '(other)')).toHaveLength(1000 - ADDRESSES_MAX);
  });
});

describe('connections of servers', () => {
  it('are counted as they come and go, with the requests that each carried', async () => {
    const churn = watched([openHttp]);
    const one = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const socket = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    socket.write(one.repeat(3));
    const silent = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    const sum = (name: string) => churn.writer.of(name).reduce((total, { value }) => total + value, 0);
    await expect.poll(() => churn.writer.of('http.server.request.duration').length).toBe(3);
    await expect.poll(() => sum('net.server.connections.opened')).toBe(2);
    expect(sum('net.server.connections.closed')).toBe(0);
    socket.destroy();
    silent.destroy();
    await expect.poll(() => sum('net.server.connections.closed')).toBe(2);
    expect(churn.writer.of('http.server.connection.requests').map(({ value }) => value)).toEqual([3]);
    churn.close();
  });
});
