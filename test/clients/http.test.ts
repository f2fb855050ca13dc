/** Routes, requests to other servers, pools and queues: from a program with the preload to the tail and to /metrics. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type WebSocket from 'ws';
import type { TailSecond } from '../../collector/tail/schema';
import { REGISTER } from '../faults/program';
import { openCollector, type RunningCollector, watchTail } from './running';

let collector: RunningCollector;
let program: ChildProcess;
let tail: WebSocket;
const seconds: TailSecond[] = [];

beforeAll(async () => {
  collector = await openCollector();
  tail = await watchTail(collector, 'shop', (line) => {
    if (line.type === 'second') seconds.push(line);
  });
  program = spawn(process.execPath, ['-r', REGISTER, resolve(__dirname, 'fixtures/shop.js')], {
    env: {
      PATH: process.env.PATH ?? '',
      ...collector.agentEnvironment,
      RINGTAIL_SERVICE: 'shop',
      SHOP_INDEX: REGISTER.replace('register', 'index'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((up) => program.stdout!.once('data', up));
});

afterAll(async () => {
  tail?.terminate();
  program?.kill('SIGKILL');
  await collector?.close();
});

async function metrics(): Promise<string> {
  return (await fetch(`${collector.url}/metrics`)).text();
}

/** Value of the sample whose name and labels (all of these, in any place) are so; NaN without one. */
function sampleOf(text: string, name: string, labels: string[]): number {
  const line = text
    .split('\n')
    .find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
  return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ')));
}

describe('a service', () => {
  it('has its slowest request and routes in the tail', async () => {
    const full = () => seconds.filter(({ http }) => http.requestsPerSecond > 10);
    await expect.poll(() => full().length, { timeout: 15_000 }).toBeGreaterThan(1);
    const { slowest, routes = [] } = full().at(-1)!.http;
    expect(slowest).toMatchObject({ method: 'GET', route: '/slow/:id', status: 200, aborted: false });
    expect(slowest?.millis).toBeGreaterThan(50);
    expect(routes[0]).toMatchObject({ method: 'GET', route: '/slow/:id', errors: 0 });
    expect(routes.map(({ route }) => route).sort()).toEqual([
      '/fails',
      '/said/{name}',
      '/slow/:id',
      '/users/:id',
    ]);
    expect(routes.find(({ route }) => route === '/fails')?.errors).toBeGreaterThan(0);
  });

  it('has in the tail what its slowest request ran in most of its time', async () => {
    const found = () =>
      seconds
        .map(({ http }) => http.slowest)
        .find((slowest) => /^rendersReport \(.*shop\.js:\d+\)$/.test(slowest?.stack?.at(-1) ?? ''));
    await expect.poll(found, { timeout: 15_000 }).toMatchObject({ route: '/slow/:id' });
    const { millis = 0, busyMillis } = found()!;
    expect(busyMillis).toBeGreaterThan(20);
    expect(busyMillis).toBeLessThanOrEqual(millis);
  });

  it('has its routes, requests to others, connections, pools and queues in /metrics', async () => {
    const server = 'http_server_request_duration_seconds_count';
    const client = 'http_client_request_duration_seconds_count';
    const read = async () => {
      const text = await metrics();
      const gauge = (name: string, ...labels: string[]) => sampleOf(text, name, labels);
      return {
        slow: gauge(server, 'http_route="/slow/:id"', 'http_request_method="GET"', 'class="2xx"') > 0,
        failed: gauge(server, 'http_route="/fails"', 'class="5xx"') > 0,
        asked: gauge(client, 'server_address="127.0.0.1"', 'class="2xx"') > 0,
        fetched: gauge('http_client_used_connections_total', 'library="undici"', 'state="reused"') > 0,
        opened: gauge('net_server_connections_opened_total', 'instance="') > 0,
        closed: gauge('net_server_connections_closed_total', 'instance="') > 0,
        crews: gauge('pool_size', 'pool="crews"', 'thread="'),
        ran: gauge('pool_run_duration_seconds_count', 'pool="crews"') > 0,
        polled: gauge('pool_queued', 'pool="polled"', 'thread="'),
        mails: gauge('queue_saturation', 'queue="mails"'),
      };
    };
    await expect.poll(read, { timeout: 15_000, interval: 500 }).toEqual({
      slow: true,
      failed: true,
      asked: true,
      fetched: true,
      opened: true,
      closed: true,
      crews: 2,
      ran: true,
      polled: 5,
      mails: 0.4,
    });
    expect(await metrics()).not.toMatch(/secret|word|\/ann|users\/42/);
  });
});
