import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { LABEL_RESOURCE_TYPE, SERIES_ACTIVE_RESOURCES } from '../../agent/wire/async';
import { SeriesKind } from '../../assembly/layout';
import { type Collector, type CollectorOptions, startCollector } from '../../collector/collector';
import { isLoopback, refusalOf } from '../../collector/http/guard';
import { MemoryStore } from '../../collector/store/memory-store';
import { SyntheticAgent } from './synthetic-agent';

const TOKEN = 'a-token-of-the-tests-0123456789';
const collectors: Collector[] = [];

afterEach(async () => {
  for (const collector of collectors.splice(0)) await collector.close();
});

async function started(options: CollectorOptions = {}): Promise<Collector> {
  const collector = await startCollector({ port: 0, token: TOKEN, environment: {}, ...options });
  collectors.push(collector);
  return collector;
}

type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

function ask(
  collector: Collector,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const { host, port } = collector.address;
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (data) => {
        text += data;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    asked.on('error', reject).end();
  });
}

describe('paths', () => {
  it('say what is here', async () => {
    const collector = await started();
    const home = await ask(collector, '/');
    expect(home.status).toBe(200);
    expect(home.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(home.text).toContain(`http://127.0.0.1:${collector.address.port}/debug/pprof/profile?seconds=5`);
    expect((await ask(collector, '/healthz')).text).toBe('ok\n');
    expect((await ask(collector, '/readyz')).text).toBe('ok\n');
    expect((await ask(collector, '/nosuch')).status).toBe(404);
    expect((await ask(collector, '//debug/pprof/')).status).toBe(200);
  });

  it('of /debug/pprof/ tell how much there is, where an agent has told it', async () => {
    const collector = await started();
    const [told, silent] = ['told', 'silent'].map(
      (instance) => new SyntheticAgent(collector.address, TOKEN, 'shop', instance),
    );
    await told!.connect();
    await silent!.connect();
    await told!.commit({
      series: [
        [1, 0, SeriesKind.Gauge, SERIES_ACTIVE_RESOURCES, '', [LABEL_RESOURCE_TYPE, 'Timeout']],
        [2, 0, SeriesKind.Gauge, SERIES_ACTIVE_RESOURCES, '', [LABEL_RESOURCE_TYPE, 'TCPSocketWrap']],
      ],
      values: [
        [1, 5],
        [2, 37],
      ],
    });
    const { text } = await ask(collector, '/debug/pprof/');
    const counts = text.match(/">goroutine<\/a>[^<]*/g)?.sort();
    expect(counts).toEqual(['">goroutine</a> ', '">goroutine</a> (42) ']);
    await told!.close();
    await silent!.close();
  });

  it("of /debug/pprof/ answer with Go's headers and words", async () => {
    const collector = await started();
    const agent = new SyntheticAgent(collector.address, TOKEN, 'shop <b>');
    await agent.connect();
    const index = await ask(collector, '/debug/pprof/');
    expect(index.text).toContain('shop &#60;b&#62;');
    expect(index.text).toContain(`http://127.0.0.1:${collector.address.port}/debug/pprof/profile?seconds=5`);
    expect(index.headers['x-content-type-options']).toBe('nosniff');
    expect((await ask(collector, '/debug/pprof/cmdline')).text).toBe('shop <b>');
    const symbol = await ask(collector, '/debug/pprof/symbol');
    expect([symbol.text, symbol.headers['content-type']]).toEqual([
      'num_symbols: 1\n',
      'text/plain; charset=utf-8',
    ]);
    const unknown = await ask(collector, '/debug/pprof/nosuch');
    expect([unknown.status, unknown.text, unknown.headers['x-go-pprof']]).toEqual([
      404,
      'Unknown profile\n',
      '1',
    ]);
    expect((await ask(collector, '/debug/pprof/toString')).text).toBe('Unknown profile\n');
    agent.collected.set('block', { mediaType: 'text/plain; charset=utf-8', bytes: Buffer.from('two parts') });
    const block = await ask(collector, '/debug/pprof/block?debug=1');
    expect([block.status, block.text, block.headers['content-disposition']]).toEqual([
      200,
      'two parts',
      undefined,
    ]);
    agent.collected.clear();
    const refused = await ask(collector, '/debug/pprof/block?seconds=1');
    expect([refused.status, refused.text, refused.headers['x-go-pprof']]).toEqual([
      404,
      'no block?seconds=1\n',
      '1',
    ]);
    const head = await ask(collector, '/debug/pprof/profile?seconds=600', {}, 'HEAD');
    expect(head.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="profile"',
    });
    const long = await ask(collector, '/debug/pprof/profile?seconds=871');
    expect([long.status, long.text]).toEqual([
      400,
      'profile duration exceeds 870 seconds, got 871: windows are kept for 900 s\n',
    ]);
    expect((await ask(collector, '/debug/pprof/profile?seconds=870', {}, 'HEAD')).status).toBe(200);
    await agent.close();
  });

  it('know how far back they can look', async () => {
    const collector = await started({ retentionMillis: 60_000 });
    expect((await ask(collector, '/v1/gc?seconds=60')).status).not.toBe(400);
    const { status, text } = await ask(collector, '/v1/gc?seconds=61');
    expect([status, text]).toEqual([400, 'seconds must be a whole number from 1 to 60, got 61\n']);
  });

  it('take GET and HEAD only', async () => {
    const collector = await started();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await ask(collector, '/debug/pprof/profile', {}, method)).status).toBe(405);
    }
  });
});

describe('the guard', () => {
  const rules = { hosts: new Set(['127.0.0.1:7411', 'localhost:7411', '[::1]:7411']), token: '' };
  const own = { host: '127.0.0.1:7411' };

  it('takes its own names and nothing that only looks like them', () => {
    for (const host of [...rules.hosts, 'LocalHost:7411']) expect(refusalOf({ host }, rules)).toBeNull();
    const hostile = [
      '127.0.0.1',
      'localhost',
      '127.0.0.1:7412',
      '127.0.0.1.:7411',
      'localhost.:7411',
      '0177.0.0.1:7411',
      '0x7f.0.0.1:7411',
      '2130706433:7411',
      '127.1:7411',
      '127.0.0.1:07411',
      'evil.example:7411',
      '127.0.0.1:7411.evil.example',
      'a@127.0.0.1:7411',
      '127.0.0.1:7411 ',
      ' 127.0.0.1:7411',
      '[::ffff:127.0.0.1]:7411',
      '[0:0:0:0:0:0:0:1]:7411',
      'localhost:7411,evil',
      'ｌocalhost:7411',
      '',
    ];
    for (const host of hostile) expect([host, refusalOf({ host }, rules)?.status]).toEqual([host, 403]);
    expect(refusalOf({}, rules)?.status).toBe(400);
  });

  it('takes no other origin and no other site', () => {
    expect(refusalOf({ ...own, origin: 'http://localhost:7411' }, rules)).toBeNull();
    for (const origin of [
      'null',
      'http://evil.example',
      'https://127.0.0.1:7411',
      'http://127.0.0.1:7412',
      'http://127.0.0.1:7411.evil',
    ]) {
      expect([origin, refusalOf({ ...own, origin }, rules)?.status]).toEqual([origin, 403]);
    }
    for (const site of ['same-origin', 'none'])
      expect(refusalOf({ ...own, 'sec-fetch-site': site }, rules)).toBeNull();
    for (const site of ['cross-site', 'same-site', 'x']) {
      expect(refusalOf({ ...own, 'sec-fetch-site': site }, rules)?.status).toBe(403);
    }
  });

  it('asks for the token where it is required', () => {
    const strict = { ...rules, token: TOKEN };
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
    for (const authorization of [
      `Bearer ${TOKEN}`,
      `bearer ${TOKEN}`,
      basic(`:${TOKEN}`),
      basic(`me:${TOKEN}`),
    ]) {
      expect(refusalOf({ ...own, authorization }, strict)).toBeNull();
    }
    for (const authorization of ['', `Bearer ${TOKEN}x`, 'Bearer ', TOKEN, basic('me:no')]) {
      expect(refusalOf({ ...own, authorization }, strict)?.status).toBe(401);
    }
  });

  it('stands before requests and upgrades alike', async () => {
    const collector = await started({ requireToken: true });
    expect((await ask(collector, '/metrics')).status).toBe(401);
    expect((await ask(collector, '/metrics', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await ask(collector, '/', { host: 'evil.example' })).status).toBe(403);
    const { port } = collector.address;
    const upgrade = (path: string, headers: Record<string, string> = {}) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
        socket.on('open', () => {
          socket.terminate();
          resolve(101);
        });
        socket.on('error', () => {});
      });
    expect(await upgrade('/v1/tail')).toBe(401);
    expect(await upgrade('/v1/tail', { authorization: `Bearer ${TOKEN}` })).toBe(101);
    expect(await upgrade('/v1/agent', { origin: 'http://evil.example' })).toBe(403);
    expect(await upgrade('/v1/agent', { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await upgrade('/v1/agent', { host: 'evil.example' })).toBe(403);
    expect(await upgrade('/v1/agent')).toBe(101);
    expect(await upgrade('/nosuch', { authorization: `Bearer ${TOKEN}` })).toBe(404);
  });

  it('answers a request without a Host', async () => {
    const collector = await started();
    const text = await new Promise<string>((resolve) => {
      const socket = connect(collector.address.port, '127.0.0.1', () =>
        socket.write('GET / HTTP/1.0\r\n\r\n'),
      );
      socket.on('data', (data) => resolve(data.toString()));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 .*the request has no Host header/s);
  });
});

describe('starting', () => {
  it('refuses an address that is not of the loopback', async () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.nip.io', '127.0.0.256']) {
      await expect(startCollector({ host, port: 0, token: TOKEN })).rejects.toMatchObject({
        code: 'ERR_COLLECTOR_HOST',
      });
    }
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true);
  });

  it('says what to do when the port is taken', async () => {
    const { address } = await started();
    const second = startCollector({ port: address.port, token: TOKEN });
    await expect(second).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_PORT_BUSY',
      cause: { code: 'EADDRINUSE' },
    });
    await expect(second).rejects.toThrow(
      `port ${address.port} of 127.0.0.1 is taken (by a collector that runs already?)`,
    );
  });

  it('lets go of what is old by itself', async () => {
    const expire = vi.spyOn(MemoryStore.prototype, 'expire');
    await started();
    await vi.waitFor(() => expect(expire).toHaveBeenCalled(), 5000);
    expire.mockRestore();
  });

  it('listens on the other loopback too', async () => {
    const collector = await started({ host: '::1' });
    expect((await ask(collector, '/healthz')).status).toBe(200);
  });
});

describe('metrics', () => {
  it('are Prometheus text, with quantiles in seconds by service', async () => {
    const collector = await started();
    const agent = new SyntheticAgent(collector.address, TOKEN);
    await agent.connect();
    const status = agent.status({ mainCpuMicros: 250_000 });
    await agent.commit({
      status,
      series: agent.timedSeries(),
      values: [
        agent.value(1, [1000, 2000]),
        agent.value(2, [5000]),
        agent.value(3, [10_000]),
        agent.value(4, [20_000]),
        agent.value(5, [30_000]),
      ],
    });
    await agent.commit({ status, values: [agent.value(2, [7000])] });
    const { text, headers } = await ask(collector, '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(sampleOf(text, 'ringtail_gc_pause_seconds{service="shop",quantile="1"}')).toBeCloseTo(0.007, 4);
    expect(sampleOf(text, 'ringtail_gc_pause_seconds_count{service="shop"}')).toBe(2);
    expect(sampleOf(text, 'ringtail_gc_pause_seconds_sum{service="shop"}')).toBeCloseTo(0.012, 6);
    expect(sampleOf(text, 'ringtail_http_request_seconds{service="shop",quantile="0.5"}')).toBeCloseTo(
      0.02,
      3,
    );
    expect(sampleOf(text, 'ringtail_loop_delay_seconds_count{service="shop"}')).toBe(2);
    expect(sampleOf(text, 'ringtail_http_errors_total{service="shop"}')).toBe(1);
    expect(sampleOf(text, 'ringtail_http_aborted_total{service="shop"}')).toBe(1);
    expect(
      sampleOf(text, 'ringtail_instance_cpu_seconds_total{service="shop",instance="shop:1",part="main"}'),
    ).toBe(0.5);
    expect(sampleOf(text, 'ringtail_instance_rss_bytes{service="shop",instance="shop:1"}')).toBe(80e6);
    const info = 'zone="a",node_version="v20.20.0",agent_version="0.1.0",service="shop",instance="shop:1"';
    expect(sampleOf(text, `ringtail_instance_info{${info}}`)).toBe(1);
    expect(sampleOf(text, 'ringtail_batches_total')).toBe(2);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z][a-z0-9_]* .+|[a-z][a-z0-9_]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (NaN|[+-]?Inf|[\d.e+-]+))$/,
      );
    }
    await agent.close();
  });

  it('have every series: histograms by service, counters and gauges by instance', async () => {
    const collector = await started();
    const labels = [
      'http.request.method',
      'GET',
      'http.route',
      '/u/:id',
      'http.response.status_class',
      '2xx',
    ];
    const agents = [1, 2].map((pid) => new SyntheticAgent(collector.address, TOKEN, 'shop', `shop:${pid}`));
    for (const [index, agent] of agents.entries()) {
      const pid = index + 1;
      await agent.connect();
      await agent.commit({
        series: [
          [1, 0, SeriesKind.Histogram, 'http.server.request.duration', 'us', labels],
          [2, 0, SeriesKind.Counter, 'net.server.connections.opened', '', []],
          [3, 0, SeriesKind.Gauge, 'pool.busy', '', ['pool', 'a "b"\\']],
          [4, 0, SeriesKind.Gauge, 'pool.busy', '', ['po.ol', '1']],
          [5, 0, SeriesKind.Gauge, 'pool.busy', '', ['po-ol', '1']],
          [6, 0, SeriesKind.Histogram, 'pool.busy', '', []],
          [7, 3, SeriesKind.Gauge, 'ringtail_batches', '', ['le', 'x', 'service', 'not me']],
        ],
        values: [
          agent.value(1, [0, 900, 4000, 9_000_000, 20_000_000]),
          [2, 5 * pid],
          [3, pid],
          [4, 1],
          [5, 2],
          agent.value(6, [3, 1000]),
          [7, 9],
        ],
      });
      await agent.commit({ values: [[2, 2], [3, 0], agent.value(1, [900])] });
    }
    const { text } = await ask(collector, '/metrics');
    const duration = 'http_server_request_duration_seconds';
    const own =
      'http_request_method="GET",http_route="/u/:id",http_response_status_class="2xx",service="shop"';
    expect(text).toContain(`# TYPE ${duration} histogram`);
    expect(sampleOf(text, `${duration}_bucket{${own},le="0.001"}`)).toBe(6);
    expect(sampleOf(text, `${duration}_bucket{${own},le="0.005"}`)).toBe(8);
    expect(sampleOf(text, `${duration}_bucket{${own},le="10"}`)).toBe(10);
    expect(sampleOf(text, `${duration}_bucket{${own},le="+Inf"}`)).toBe(12);
    expect(sampleOf(text, `${duration}_count{${own}}`)).toBe(12);
    expect(sampleOf(text, `${duration}_sum{${own}}`)).toBeCloseTo(58.0116, 6);
    const counter = 'net_server_connections_opened_total';
    expect(sampleOf(text, `${counter}{service="shop",instance="shop:1"}`)).toBe(7);
    expect(sampleOf(text, `${counter}{service="shop",instance="shop:2"}`)).toBe(12);
    const busy = 'pool_busy';
    const odd = String.raw`pool="a \"b\"\\"`;
    expect(sampleOf(text, `${busy}{${odd},service="shop",instance="shop:2"}`)).toBe(0);
    expect(sampleOf(text, `${busy}{po_ol="1",service="shop",instance="shop:1"}`)).toBe(1);
    expect(sampleOf(text, `${busy}{po_ol="1",service="shop",instance="shop:1",series="2"}`)).toBe(2);
    expect(sampleOf(text, 'pool_busy_histogram1_bucket{service="shop",le="4"}')).toBe(2);
    expect(
      sampleOf(text, 'app_ringtail_batches{label_le="x",service="shop",instance="shop:1",thread="3"}'),
    ).toBe(9);
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    for (const agent of agents) await agent.close();
  });

  it('have no gauge of an instance that is gone, but its counters still', async () => {
    const collector = await started();
    const metrics = async () => (await ask(collector, '/metrics')).text;
    const shown = async () => (await metrics()).match(/^queue_depth\{.*$/gm) ?? [];
    const agents = ['bye', 'killed', 'stays'].map(
      (instance) => new SyntheticAgent(collector.address, TOKEN, 'shop', instance),
    );
    for (const agent of agents) {
      await agent.connect();
      await agent.commit({
        series: [
          [1, 0, SeriesKind.Gauge, 'queue.depth', '', ['queue', 'mails']],
          [2, 0, SeriesKind.Counter, 'orders', '', []],
        ],
        values: [
          [1, 134],
          [2, 7],
        ],
      });
    }
    const [bye, killed, stays] = agents;
    expect(await shown()).toHaveLength(3);
    await bye!.close();
    await expect.poll(shown, { timeout: 1500 }).toHaveLength(2);
    await killed!.close(false);
    const left = ['queue_depth{queue="mails",service="shop",instance="stays"} 134'];
    await expect.poll(shown, { timeout: 8000 }).toEqual(left);
    for (const instance of ['bye', 'killed', 'stays'])
      expect(sampleOf(await metrics(), `orders_total{service="shop",instance="${instance}"}`)).toBe(7);
    await stays!.close();
  });
});

function sampleOf(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no ${name} in\n${text}`);
  return Number(line.slice(name.length + 1));
}
