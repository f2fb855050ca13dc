import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import {
  EVENT_HTTP,
  HTTP_ABORTED,
  HTTP_ROUTE_SHIFT,
  LABEL_METHOD,
  LABEL_ROUTE,
  LABEL_STATUS_CLASS,
  SERIES_HTTP_SERVER,
  type SeriesTuple,
} from '../../agent/wire/schema';
import { SampleState } from '../../assembly/layout';
import { type Collector, startCollector } from '../../collector/collector';
import type { TailLine, TailNotice, TailSecond } from '../../collector/tail/schema';
import { nowMicros, PERIOD_MICROS, SyntheticAgent } from './synthetic-agent';

const META_STATES: Record<string, number> = {
  '(garbage collector)': SampleState.Gc,
  '(idle)': SampleState.Idle,
};
const TOKEN = 'a-token-of-the-tests-0123456789';

let collector: Collector;
const agents: SyntheticAgent[] = [];
const tails: Tail[] = [];

beforeEach(async () => {
  collector = await startCollector({ port: 0, token: TOKEN, environment: {} });
});

afterEach(async () => {
  for (const tail of tails.splice(0)) tail.socket.terminate();
  for (const agent of agents.splice(0)) await agent.close();
  await collector.close();
});

async function connected(service = 'shop'): Promise<SyntheticAgent> {
  const agent = new SyntheticAgent(collector.address, TOKEN, service);
  agents.push(agent);
  await agent.connect();
  return agent;
}

class Tail {
  readonly socket: WebSocket;
  readonly lines: TailLine[] = [];

  constructor(query = '') {
    this.socket = new WebSocket(`ws://127.0.0.1:${collector.address.port}/v1/tail${query}`);
    this.socket.on('message', (data, isBinary) => {
      expect(isBinary).toBe(false);
      this.lines.push(JSON.parse(String(data)) as TailLine);
    });
    tails.push(this);
  }

  opened(): Promise<void> {
    return new Promise((resolve) => this.socket.once('open', () => resolve()));
  }

  async second(): Promise<TailSecond> {
    return this.#find((line): line is TailSecond => line.type === 'second');
  }

  async notice(kind: TailNotice['kind']): Promise<TailNotice> {
    return this.#find((line): line is TailNotice => line.type === 'notice' && line.kind === kind);
  }

  async #find<Line extends TailLine>(wanted: (line: TailLine) => line is Line): Promise<Line> {
    const deadline = Date.now() + 5000;
    while (Date.now() < deadline) {
      const at = this.lines.findIndex(wanted);
      if (at >= 0) return this.lines.splice(at, 1)[0] as Line;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`line did not come; came: ${JSON.stringify(this.lines)}`);
  }
}

describe('the tail', () => {
  it('tells a second of an instance', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const end = nowMicros();
    const start = end - 1e6;
    const ticks = [
      ...Array.from({ length: 6 }, (_, index) => ({
        atMicros: start + index * 1e4,
        stack: 'main;handler@file:///srv/app.js:3:4',
        state: 0,
      })),
      ...Array.from({ length: 2 }, (_, index) => ({
        atMicros: start + 1e5 + index * 1e4,
        stack: 'main',
        state: 0,
      })),
      { atMicros: start + 2e5, stack: '', state: 1 },
      { atMicros: start + 3e5, stack: '', state: 2 },
      { atMicros: start + 4e5, stack: '', state: 3 },
    ];
    await agent.commit({
      startMicros: start,
      endMicros: end,
      windows: [agent.window(ticks, start, end, { repaired: 2, unnamed: 1 })],
      series: agent.timedSeries(),
      values: [
        agent.value(1, [1000, 9000]),
        agent.value(2, [4000, 2000]),
        agent.value(3, [10_000]),
        agent.value(4, [10_000]),
        agent.value(5, [50_000]),
      ],
      events: [[4, 0, start, 300_000, 1, 0, agent.stack('main;handler@file:///srv/app.js:3:4')]],
      losses: [['ring-full', 3, 1]],
      status: agent.status({ mainCpuMicros: 500_000 }),
    });
    const line = await tail.second();
    expect(line).toMatchObject({
      v: 1,
      service: 'shop',
      instance: 'shop:1',
      cpu: { processPercent: 50.3, mainPercent: 50, agentPercent: 0.3 },
      loop: { utilization: 0.5, delayMillis: { max: 9 } },
      gc: { count: 2, totalMillis: 6, maxMillis: 4 },
      http: { requestsPerSecond: 3, errors: 1, aborted: 1 },
      memory: { rssBytes: 80e6, heapUsedBytes: 20e6, heapLimitBytes: 2e9 },
      hang: null,
      stalls: [{ forMillis: 300, kind: 'javascript', stack: ['main', 'handler (/srv/app.js:4)'] }],
      drops: [{ reason: 'ring-full', count: 3 }],
      sampler: {
        state: 'on',
        rateHz: 99,
        windowMillis: 1000,
        ticks: 11,
        repairedPercent: 25,
        unnamedPercent: 12.5,
      },
    });
    expect(line.http.p50Millis).toBeCloseTo(10, 0);
    expect(line.http.p99Millis).toBeCloseTo(50, 0);
    expect(Math.abs(line.atMillis - Date.now())).toBeLessThan(2000);
    expect(line.hot).toEqual([
      { function: 'handler', file: '/srv/app.js', line: 3, selfPercent: 60, totalPercent: 60 },
      { function: 'main', file: '', line: 0, selfPercent: 20, totalPercent: 80 },
      { function: '(garbage collector)', file: '', line: 0, selfPercent: 10, totalPercent: 10 },
      { function: '(program)', file: '', line: 0, selfPercent: 10, totalPercent: 10 },
    ]);
  });

  it('gathers short batches until they make a second, and says null where nothing is known', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const start = nowMicros();
    const status = agent.status();
    status[8] = status[9] = status[10] = status[11] = -1;
    for (let part = 0; part < 4; part++) {
      await agent.commit({
        startMicros: start + part * 250_000,
        endMicros: start + (part + 1) * 250_000,
        status,
      });
    }
    const line = await tail.second();
    expect(line.cpu).toEqual({ processPercent: null, mainPercent: null, agentPercent: null });
    expect(line.loop.delayMillis).toBeNull();
    expect(line.http).toEqual({
      requestsPerSecond: 0,
      p50Millis: null,
      p99Millis: null,
      errors: 0,
      aborted: 0,
      slowest: null,
      routes: [],
    });
    expect(tail.lines.filter(({ type }) => type === 'second')).toEqual([]);
  });

  it('tells the slowest request with its route, and the routes with the highest p99', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const start = nowMicros() - 1e6;
    const route = (text: string) => agent.string(text) << HTTP_ROUTE_SHIFT;
    const labels = (method: string, template: string, way: string) => [
      ...[LABEL_METHOD, method],
      ...(template === '' ? [] : [LABEL_ROUTE, template]),
      ...[LABEL_STATUS_CLASS, way],
    ];
    const series = [
      labels('GET', '/users/:id', '2xx'),
      labels('GET', '/users/:id', '5xx'),
      labels('POST', '/users', '2xx'),
      labels('GET', '', '4xx'),
    ].map((flat, index): SeriesTuple => [index + 1, 0, 1, SERIES_HTTP_SERVER, 'us', flat]);
    await agent.commit({
      startMicros: start,
      endMicros: start + 1e6,
      series,
      values: [
        agent.value(1, [1000, 2000]),
        agent.value(2, [90_000]),
        agent.value(3, [300_000]),
        agent.value(4, [10]),
      ],
      events: [
        [EVENT_HTTP, 0, start, 90_000, 500, 1 | route('/users/:id'), 0],
        [EVENT_HTTP, 0, start, 300_000, 201, 2 | HTTP_ABORTED | route('/users'), 0],
        [EVENT_HTTP, 0, start, 10, 404, 1, 0],
      ],
      status: agent.status(),
    });
    const { http } = await tail.second();
    expect(http.slowest).toEqual({
      method: 'POST',
      route: '/users',
      status: 201,
      aborted: true,
      millis: 300,
      stack: [],
      busyMillis: null,
    });
    expect(http.routes?.map(({ p99Millis, ...others }) => others)).toEqual([
      { method: 'POST', route: '/users', requestsPerSecond: 1, errors: 0 },
      { method: 'GET', route: '/users/:id', requestsPerSecond: 3, errors: 1 },
      { method: 'GET', route: null, requestsPerSecond: 1, errors: 0 },
    ]);
    expect(http.routes?.[1]?.p99Millis).toBeCloseTo(90, 0);
  });

  it('tells of a slowest request of 50 ms or more what most busy ticks of its time share, whatever second they came in', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const start = nowMicros() - 3e6;
    const ticksOf = (from: number, stacks: readonly string[]) =>
      stacks.map((stack, index) => ({
        atMicros: from + index * PERIOD_MICROS,
        stack,
        state: META_STATES[stack] ?? SampleState.Js,
      }));
    const slowestOf = async (second: number, stacks: readonly string[], from: number, micros: number) => {
      const [startMicros, endMicros] = [start + second * 1e6, start + (second + 1) * 1e6];
      await agent.commit({
        startMicros,
        endMicros,
        windows: [agent.window(ticksOf(startMicros, stacks), startMicros, endMicros)],
        events: micros === 0 ? [] : [[EVENT_HTTP, 0, start + from, micros, 200, 1, 0]],
        status: agent.status(),
      });
      return (await tail.second()).http.slowest;
    };
    const parse = 'main;handler@file:///srv/app.js:3:0;parse@file:///srv/parse.js:9';
    const burning = [`${parse}:11`, `${parse}:12`, '(garbage collector)', 'main;other'];
    const all = Array.from({ length: 96 }, (_, index) => burning[index % 4]!);
    expect(await slowestOf(0, all, 0, 0)).toBeNull();
    const stack = ['main', 'handler (/srv/app.js:3)', 'parse (/srv/parse.js:9)'];
    const half = 96 / 2;
    const idle = [...all.slice(0, half), ...new Array(half).fill('(idle)')];
    expect(await slowestOf(1, idle, 0, 2e6)).toMatchObject({
      millis: 2000,
      stack,
      busyMillis: (PERIOD_MICROS * (96 + half) * 3) / 4 / 1000,
    });
    expect(await slowestOf(2, all, 2e6, 60_000)).toMatchObject({ millis: 60, stack });
    expect(await slowestOf(3, all, 3e6, 49_000)).toMatchObject({ stack: [], busyMillis: null });
    expect(await slowestOf(4, new Array(96).fill('(idle)'), 4e6, 9e5)).toMatchObject({
      stack: [],
      busyMillis: null,
    });
  });

  it('refuses a route that was never told', async () => {
    const agent = await connected();
    agent.send(agent.batch({ events: [[EVENT_HTTP, 0, 1, 1, 200, 1 | (9 << HTTP_ROUTE_SHIFT), 0]] }));
    expect((await agent.next(9))[1]).toBe('ERR_WIRE_DICTIONARY');
  });

  it('tells a hang while it lasts, with its stack', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const since = nowMicros() - 2e6;
    await agent.commit({
      startMicros: since,
      endMicros: since + 2e6,
      events: [[5, 0, since, 2e6, 1, 0, agent.stack('main;loop')]],
      status: agent.status({ hang: 1, hangSinceMicros: since }),
    });
    const { hang } = await tail.second();
    expect(hang).toMatchObject({ kind: 'javascript', forMillis: 2000, stack: ['main', 'loop'] });
  });

  it('tells the stack of a hang that was told before anybody watched, until that hang is over', async () => {
    const agent = await connected();
    const start = nowMicros();
    const commit = (second: number, more: object, hang = 1) =>
      agent.commit({
        startMicros: start + second * 1e6,
        endMicros: start + (second + 1) * 1e6,
        status: agent.status({ hang, hangSinceMicros: hang === 0 ? 0 : start }),
        ...more,
      });
    await commit(0, { events: [[5, 0, start, 1e6, 1, 0, agent.stack('main;loop')]] });
    const tail = new Tail();
    await tail.opened();
    await commit(1, {});
    expect((await tail.second()).hang).toMatchObject({ stack: ['main', 'loop'], stackFrom: 'hang' });
    await commit(2, {}, 0);
    expect((await tail.second()).hang).toBeNull();
    const next = agent.status({ hang: 1, hangSinceMicros: start + 3e6 });
    await commit(3, { status: next });
    expect((await tail.second()).hang).toMatchObject({ stack: [], stackFrom: null });
  });

  it("keeps a native hang's stack from within it, and says so where it is only the last one before it", async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const start = nowMicros();
    const hangs = async (second: number, since: number, kind: number, b: number | null, stack: string) => {
      const [startMicros, endMicros] = [start + second * 1e6, start + (second + 1) * 1e6];
      const events: [number, number, number, number, number, number, number][] =
        b === null ? [] : [[5, 0, since, endMicros - since, kind, b, agent.stack(stack)]];
      await agent.commit({
        startMicros,
        endMicros,
        events,
        status: agent.status({ hang: kind, hangSinceMicros: since }),
      });
      return (await tail.second()).hang;
    };
    const parse = { stack: ['main', 'parse'], stackFrom: 'hang' };
    expect(await hangs(0, start, 1, 0, 'main;parse')).toMatchObject({ kind: 'javascript', ...parse });
    expect(await hangs(1, start, 2, 82, 'main;old')).toMatchObject({ kind: 'native', ...parse });
    expect(await hangs(2, start, 2, null, '')).toMatchObject({ kind: 'native', ...parse });
    const next = start + 3e6;
    expect(await hangs(3, next, 2, null, '')).toMatchObject({ stack: [], stackFrom: null });
    const old = { stack: ['main', 'old'], stackFrom: 'before' };
    expect(await hangs(4, next, 2, 82, 'main;old')).toMatchObject({ kind: 'native', ...old });
    const read = { stack: ['main', 'read'], stackFrom: 'hang' };
    expect(await hangs(5, next, 2, 82 + 256, 'main;read')).toMatchObject({ kind: 'native', ...read });
  });

  it('does not wait for the second to be over when a hang begins, but tells it by the second from then on', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    const start = nowMicros();
    const status = agent.status({ hang: 2, hangSinceMicros: start });
    for (let part = 0; part < 8; part++) {
      const [startMicros, endMicros] = [start + part * 150_000, start + (part + 1) * 150_000];
      await agent.commit({ startMicros, endMicros, status });
    }
    expect((await tail.second()).hang).toMatchObject({ kind: 'native', forMillis: 150 });
    expect((await tail.second()).hang).toMatchObject({ kind: 'native', forMillis: 1050 });
    expect(tail.lines.filter(({ type }) => type === 'second')).toEqual([]);
  });

  it('asks the agents that are watched, and only those, for short windows', async () => {
    const [shop, billing] = [await connected('shop'), await connected('billing')];
    const tail = new Tail('?service=shop');
    await tail.opened();
    await tail.notice('connected');
    const late = new SyntheticAgent(collector.address, TOKEN, 'shop', 'shop:2');
    agents.push(late);
    await late.connect();
    expect((await tail.notice('connected')).instance).toBe('shop:2');
    while (late.controls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(
      [shop, billing, late].map(({ controls }) => controls.map((control) => control.slice(2, 4))),
    ).toEqual([[['watch', 10]], [], [['watch', 10]]]);
  });

  it('tells goodbyes, sudden ends, suspensions and notes', async () => {
    const tail = new Tail();
    await tail.opened();
    const agent = await connected();
    expect((await tail.notice('connected')).text).toBe('pid 4711 on host-a, node v20.20.0, ringtail 0.1.0');
    await agent.commit({
      events: [
        [6, 0, nowMicros(), 5e6, 0, 0, 0],
        [7, 0, nowMicros(), 0, agent.string('rate set to 49 Hz'), 0, 0],
      ],
    });
    expect((await tail.notice('suspended')).text).toBe('the whole process stood still for 5000 ms');
    expect((await tail.notice('note')).text).toBe('rate set to 49 Hz');
    await agent.close();
    expect((await tail.notice('goodbye')).text).toBe('exit');
    const killed = await connected('billing');
    await killed.close(false);
    expect((await tail.notice('ended-without-goodbye')).service).toBe('billing');
  });

  it('says nothing when an agent comes back soon', async () => {
    const tail = new Tail();
    await tail.opened();
    const agent = await connected();
    await tail.notice('connected');
    await agent.close(false);
    await agent.connect();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(tail.lines).toEqual([]);
  });

  it('drops a watcher that does not read, and counts it', async () => {
    const agent = await connected();
    const tail = new Tail();
    await tail.opened();
    tail.socket.pause();
    const text = 'x'.repeat(900);
    const closed = new Promise<void>((resolve) => tail.socket.once('close', () => resolve()));
    const events = Array.from(
      { length: 5000 },
      () =>
        [7, 0, nowMicros(), 0, agent.string(text), 0, 0] as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ],
    );
    for (let round = 0; round < 4; round++) await agent.commit({ events });
    const metrics = await (await fetch(`http://127.0.0.1:${collector.address.port}/metrics`)).text();
    expect(metrics).toMatch(/^ringtail_slow_tail_clients_total 1$/m);
    tail.socket.resume();
    await closed;
  });
});
