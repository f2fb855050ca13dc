/** Wall clocks that jump: the collector's own, which nothing may grow old by, and that of an agent's host. */
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { type Collector, startCollector } from '../../collector/collector';
import type { TailLine } from '../../collector/tail/schema';
import { readPprof } from './pprof-reader';
import { nowMicros, SyntheticAgent } from './synthetic-agent';

const TOKEN = 'a-token-of-the-tests-0123456789';
const HOUR = 3_600_000;

let collector: Collector;
let base: string;
let agent: SyntheticAgent;

beforeEach(async () => {
  collector = await startCollector({ port: 0, token: TOKEN, environment: {} });
  base = `http://127.0.0.1:${collector.address.port}`;
  agent = new SyntheticAgent(collector.address, TOKEN);
  await agent.connect();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await agent.close();
  await collector.close();
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
}

async function tail(): Promise<{ lines: TailLine[]; close(): void }> {
  const lines: TailLine[] = [];
  const socket = new WebSocket(`${base.replace('http', 'ws')}/v1/tail`);
  socket.on('message', (data) => lines.push(JSON.parse(String(data))));
  await new Promise((resolve) => socket.on('message', resolve));
  return { lines, close: () => socket.close() };
}

describe("the collector's wall clock", () => {
  it('may jump: nothing is forgotten, nobody counts as silent, quantiles stay', async () => {
    const parts = { series: agent.timedSeries(), values: [agent.value(1, [1000])], status: agent.status() };
    await agent.commit(parts);
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + HOUR);
    expect(await metric('ringtail_store_batches')).toBe(1);
    expect(await metric('ringtail_instance_heard_seconds{service="shop",instance="shop:1"}')).toBeLessThan(5);
    expect(await metric('ringtail_loop_delay_seconds{service="shop",quantile="1"}')).toBe(0.001);
    await agent.commit();
    expect(await metric('ringtail_store_batches')).toBe(2);
  });

  it('may jump during a capture, which still ends in time', async () => {
    agent.run([{ stack: 'main', state: 0, share: 1 }], 100);
    const { now } = Date;
    const began = performance.now();
    setTimeout(() => vi.spyOn(Date, 'now').mockImplementation(() => now() - HOUR), 200);
    const response = await fetch(`${base}/debug/pprof/profile?seconds=1`);
    expect(response.status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2900);
  });
});

describe("an agent's wall clock", () => {
  const jumped = (millis: number) => {
    const status = agent.status();
    status[0] = Date.now() + millis;
    return { status, startMicros: nowMicros() - 1e6 };
  };
  const notes = (lines: readonly TailLine[]) =>
    lines.filter((line) => line.type === 'notice' && line.kind === 'note');

  it('that went on without its monotonic clock is followed, and said so once', async () => {
    const { lines, close } = await tail();
    await agent.commit(jumped(0));
    expect(notes(lines)).toEqual([]);
    await agent.commit(jumped(HOUR));
    await agent.commit(jumped(HOUR + 300));
    await vi.waitFor(() => expect(lines.filter(({ type }) => type === 'second')).toHaveLength(3));
    close();
    expect(notes(lines).map((line) => line.type === 'notice' && line.text)).toEqual([
      expect.stringMatching(/^its wall clock is 3600\.\d s ahead of where it was thought to be/),
    ]);
    const aheadMillis = lines
      .filter(({ type }) => type === 'second')
      .map(({ atMillis }) => atMillis - Date.now());
    expect(Math.abs(aheadMillis[0]!)).toBeLessThan(900);
    for (const ahead of aheadMillis.slice(1)) expect(Math.abs(ahead - HOUR)).toBeLessThan(900);
  });

  it('is not forgotten when the agent connects again with the anchor of its start', async () => {
    await agent.commit(jumped(-HOUR));
    await agent.close(false);
    await agent.connect();
    const { lines, close } = await tail();
    await agent.commit(jumped(-HOUR));
    await vi.waitFor(() => expect(lines.some(({ type }) => type === 'second')).toBe(true));
    close();
    expect(notes(lines)).toEqual([]);
  });

  it('tells when a profile began', async () => {
    await agent.commit(jumped(HOUR));
    const answered = fetch(`${base}/debug/pprof/profile?seconds=1`);
    const timer = setInterval(() => agent.send(agent.batch(jumped(HOUR))), 200);
    const profile = readPprof(gunzipSync(new Uint8Array(await (await answered).arrayBuffer())));
    clearInterval(timer);
    const startMillis = Number(profile.timeNanos / 1_000_000n);
    expect(Math.abs(startMillis - Date.now() - HOUR)).toBeLessThan(5000);
  });
});
