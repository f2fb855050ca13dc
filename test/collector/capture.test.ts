import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Collector, startCollector } from '../../collector/collector';
import { readPprof } from './pprof-reader';
import { nowMicros, PERIOD_MICROS, SyntheticAgent } from './synthetic-agent';

const TOKEN = 'a-token-of-the-tests-0123456789';
const SHARES = [
  { stack: 'main@file:///srv/app.js:1:2;handler@file:///srv/app.js:10:12', state: 0, share: 0.6 },
  { stack: 'main@file:///srv/app.js:1:2;parse@file:///srv/app.js:20:25', state: 0, share: 0.2 },
  { stack: '', state: 1, share: 0.1 },
  { stack: '', state: 3, share: 0.1 },
];

let collector: Collector;
let base: string;
const agents: SyntheticAgent[] = [];

beforeEach(async () => {
  collector = await startCollector({ port: 0, token: TOKEN, environment: {} });
  base = `http://127.0.0.1:${collector.address.port}`;
});

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
  await collector.close();
});

async function connected(service = 'shop', instance?: string): Promise<SyntheticAgent> {
  const agent = new SyntheticAgent(collector.address, TOKEN, service, instance);
  agents.push(agent);
  await agent.connect();
  return agent;
}

async function take(path: string): Promise<ReturnType<typeof readPprof>> {
  const response = await fetch(base + path);
  const body = new Uint8Array(await response.arrayBuffer());
  expect(response.status, Buffer.from(body).toString()).toBe(200);
  return readPprof(gunzipSync(body));
}

describe('a CPU capture', () => {
  it("holds the shares of the program's stacks, and nothing idle", async () => {
    const agent = await connected();
    agent.run(SHARES);
    const profile = await take('/debug/pprof/profile?seconds=2');
    expect(profile.sampleTypes).toEqual(['samples/count', 'cpu/nanoseconds']);
    expect(profile.periodType).toBe('cpu/nanoseconds');
    expect(profile.period).toBe(PERIOD_MICROS * 1000);
    expect(profile.durationNanos).toBe(2e9);
    const counts = profile.folded(0);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(170);
    expect(total).toBeLessThan(186);
    expect(counts.get('main;handler')! / total).toBeCloseTo(0.6 / 0.9, 1);
    expect(counts.get('main;parse')! / total).toBeCloseTo(0.2 / 0.9, 1);
    expect(counts.get('(garbage collector)')! / total).toBeCloseTo(0.1 / 0.9, 1);
    expect([...counts.keys()].some((stack) => stack.includes('idle'))).toBe(false);
    expect(profile.files).toContain('/srv/app.js');
    expect(profile.labels).toEqual(new Set(['service=shop', 'instance=shop:1', 'thread=main', 'zone=a']));
    expect(profile.comments.join('\n')).toMatch(/interval 10\.101 ms, \d+ of \d+ ticks \(100\.0 %\)/);
    expect(profile.comments.join('\n')).toContain('inlined leaves repaired: 0.0 % of JS ticks');
    expect(profile.comments.join('\n')).toMatch(/profiler's own cost: \d+\.\d % of a core/);
  });

  it('asks the agent for the time it takes, and two at once both answer', async () => {
    const agent = await connected();
    agent.run(SHARES);
    const [one, two] = await Promise.all([
      take('/debug/pprof/profile?seconds=1'),
      take('/debug/pprof/wall?seconds=2'),
    ]);
    const asked = agent.controls.filter(([, , command]) => command !== 'collect');
    expect(asked.map((control) => control.slice(2, 4))).toEqual([
      ['capture', 1],
      ['capture', 2],
    ]);
    expect(one!.folded(0).get('main;handler')).toBeGreaterThan(50);
    expect(two!.folded(0).get('main;handler')).toBeGreaterThan(100);
  });

  it('joins the instances of a service and labels each', async () => {
    const one = await connected('shop', 'shop:1');
    const two = await connected('shop', 'shop:2');
    one.run(SHARES);
    two.run([{ stack: 'main;other', state: 0, share: 1 }]);
    const profile = await take('/debug/pprof/profile?seconds=1');
    expect(profile.labels).toContain('instance=shop:1');
    expect(profile.labels).toContain('instance=shop:2');
    expect(profile.folded(0).get('main;other')).toBeGreaterThan(90);
    const alone = await take('/debug/pprof/profile?seconds=1&instance=shop:2');
    expect(alone.folded(0).has('main;handler')).toBe(false);
  });

  it('answers at most 1.5 s late when the main thread is stuck in native code, and shows it', async () => {
    const agent = await connected();
    const sinceMicros = nowMicros();
    const timer = setInterval(() => {
      const status = agent.status({ hang: 2, hangSinceMicros: sinceMicros, mainCpuMicros: 200_000 });
      const stack = agent.stack('main;handler@file:///srv/app.js:10:12');
      const durationMicros = nowMicros() - sinceMicros;
      agent.send(agent.batch({ status, events: [[5, 0, sinceMicros, durationMicros, 2, 0, stack]] }));
    }, 200);
    const began = Date.now();
    const profile = await take('/debug/pprof/profile?seconds=1');
    clearInterval(timer);
    expect(Date.now() - began).toBeLessThan(2900);
    const cpuNanos = profile.folded(1).get('(stuck in native code)')!;
    expect(cpuNanos).toBeGreaterThan(0.9e9);
    expect(cpuNanos).toBeLessThanOrEqual(1e9);
    expect(profile.comments.join('\n')).toContain('stuck in native code for 1.00 s');
    expect(profile.comments.join('\n')).toContain(
      'last JavaScript seen before that: main > handler (/srv/app.js:12)',
    );
  });

  it('answers with an estimate when the agent does not reply', async () => {
    const agent = await connected();
    agent.replies = false;
    agent.run(SHARES);
    const profile = await take('/debug/pprof/profile?seconds=1');
    expect(profile.folded(0).get('main;handler')).toBeGreaterThan(40);
    expect(profile.comments.join('\n')).toContain('its time is estimated');
  });

  it('ends at once when the agent says goodbye', async () => {
    const agent = await connected();
    agent.run(SHARES);
    setTimeout(() => agent.close(), 600);
    const began = Date.now();
    const profile = await take('/debug/pprof/profile?seconds=20');
    expect(Date.now() - began).toBeLessThan(5000);
    expect(profile.folded(0).get('main;handler')).toBeGreaterThan(10);
    expect(profile.comments.join('\n')).toContain('not covered by any window');
  });

  it('ends when the client goes, and the collector goes on', async () => {
    const agent = await connected();
    agent.run(SHARES);
    const left = new AbortController();
    const asked = fetch(`${base}/debug/pprof/profile?seconds=60`, { signal: left.signal }).catch(
      (error) => error,
    );
    await agentAsked(agent);
    left.abort();
    expect(((await asked) as Error).name).toBe('AbortError');
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });
});

describe('CPU that the thread clock knows of and no sample shows', () => {
  const WAITING = [
    { stack: 'main;handler', state: 0, share: 0.3 },
    { stack: '', state: 3, share: 0.7 },
  ];
  const seconds = (comments: readonly string[]) =>
    /sampled CPU ([\d.]+) s, thread CPU clock ([\d.]+) s/.exec(comments.join('\n'))?.slice(1).map(Number);

  it('is native code in the event loop; the samples stay what they are', async () => {
    const agent = await connected();
    agent.run(WAITING, 100, 0.4);
    const profile = await take('/debug/pprof/profile?seconds=2');
    const [sampled = 0, clocked = 0] = seconds(profile.comments) ?? [];
    expect(sampled).toBeCloseTo(0.6, 1);
    expect(clocked).toBeCloseTo(1.4, 1);
    expect(profile.folded(1).get('(native code in the event loop)')! / 1e9).toBeCloseTo(clocked - sampled, 1);
    expect(profile.folded(1).get('main;handler')! / 1e9).toBeCloseTo(sampled, 2);
  });

  it('is not made up where the clock agrees, nor in a wall profile', async () => {
    const agent = await connected();
    agent.run(WAITING, 100);
    const profile = await take('/debug/pprof/profile?seconds=1');
    expect([...profile.folded(0).keys()]).toEqual(['main;handler']);
    expect(seconds(profile.comments)![1]).toBeCloseTo(0.3, 1);
    agent.stopRunning();
    agent.run(WAITING, 100, 0.4);
    const wall = await take('/debug/pprof/wall?seconds=1');
    expect([...wall.folded(0).keys()].sort()).toEqual(['(idle)', 'main;handler']);
  });

  it('is not made up for time in which the agent did not sample for its budget, which is told', async () => {
    const agent = await connected();
    agent.run(WAITING, 100);
    const status = () => agent.status({ sampler: 'saving', mainCpuMicros: 95_000 });
    let saving: NodeJS.Timeout | undefined;
    setTimeout(() => {
      agent.stopRunning();
      saving = setInterval(() => agent.send(agent.batch({ status: status() })), 100);
    }, 1000);
    const profile = await take('/debug/pprof/profile?seconds=2');
    clearInterval(saving);
    const [sampled = 0, clocked = 0] = seconds(profile.comments) ?? [];
    expect(clocked).toBeGreaterThan(sampled + 0.7);
    expect(profile.comments.join('\n')).toMatch(
      /not sampled for [01]\.\d+ s to stay inside the agent's CPU budget/,
    );
    expect([...profile.folded(0).keys()]).toEqual(['main;handler']);
  });

  it('is told of the time that was sampled, also where sampling rested for the other', async () => {
    const agent = await connected();
    agent.run(WAITING, 100, 0.4);
    const status = () => agent.status({ sampler: 'saving', mainCpuMicros: 95_000 });
    let saving: NodeJS.Timeout | undefined;
    setTimeout(() => {
      agent.stopRunning();
      saving = setInterval(() => agent.send(agent.batch({ status: status() })), 100);
    }, 1500);
    const profile = await take('/debug/pprof/profile?seconds=2');
    clearInterval(saving);
    expect(profile.comments.join('\n')).toMatch(/not sampled for 0\.\d+ s/);
    // 0.4 s a second for a second and a half; of the half that was not sampled, nothing.
    const native = profile.folded(1).get('(native code in the event loop)')! / 1e9;
    expect(native).toBeGreaterThan(0.4);
    expect(native).toBeLessThan(0.8);
  });

  it('is not told where the statuses do not cover the time', async () => {
    const agent = await connected();
    const cutWithout = setInterval(() => {
      const end = nowMicros();
      const ticks = [{ atMicros: end - 1000, stack: 'main', state: 0 }];
      agent.send(agent.batch({ windows: [agent.window(ticks, end - 100_000, end)] }));
    }, 100);
    const profile = await take('/debug/pprof/profile?seconds=1');
    clearInterval(cutWithout);
    expect([...profile.folded(0).keys()]).toEqual(['main']);
    expect(profile.comments.join('\n')).toContain('thread CPU clock not known for all of the time');
  });
});

describe('a wall capture', () => {
  it('of a thread that waits in Atomics.wait holds the wait, a CPU capture does not', async () => {
    const agent = await connected();
    const sinceMicros = nowMicros();
    let windowStart = sinceMicros;
    const wait = 'main@file:///srv/app.js:1:2;hangInWait@file:///srv/app.js:30:31';
    const timer = setInterval(() => {
      const end = nowMicros();
      const ticks = Array.from({ length: Math.floor((end - windowStart) / PERIOD_MICROS) }, (_, index) => ({
        atMicros: windowStart + (index + 1) * PERIOD_MICROS,
        stack: wait,
        state: 4,
      }));
      const windows = [agent.window(ticks, windowStart, end)];
      windowStart = end;
      const status = agent.status({ hang: 3, hangSinceMicros: sinceMicros, mainCpuMicros: 0 });
      const hang: [number, number, number, number, number, number, number] = [
        5,
        0,
        sinceMicros,
        end - sinceMicros,
        3,
        0,
        agent.stack(wait),
      ];
      agent.send(agent.batch({ windows, status, events: [hang], endMicros: end }));
    }, 250);
    const [wall, cpu] = await Promise.all([
      take('/debug/pprof/wall?seconds=1'),
      take('/debug/pprof/profile?seconds=1'),
    ]);
    clearInterval(timer);
    expect(wall!.folded(1).get('main;hangInWait')! / 1e9).toBeGreaterThan(0.9);
    expect([...cpu!.folded(1)]).toEqual([]);
  });

  it('counts idle time too', async () => {
    const agent = await connected();
    agent.run(SHARES);
    const profile = await take('/debug/pprof/wall?seconds=1');
    expect(profile.sampleTypes).toEqual(['samples/count', 'wall/nanoseconds']);
    expect(profile.folded(0).get('(idle)')).toBeGreaterThan(5);
    expect(profile.folded(1).get('main;handler')).toBeGreaterThan(0.5e9);
  });

  it('knows time asleep with the sampler off as idle', async () => {
    const agent = await connected();
    const timer = setInterval(
      () => agent.send(agent.batch({ status: agent.status({ sampler: 'idle' }) })),
      200,
    );
    const profile = await take('/debug/pprof/wall?seconds=1');
    clearInterval(timer);
    expect(profile.folded(1).get('(idle)')).toBeGreaterThan(0.9e9);
  });
});

describe('choosing what to capture', () => {
  it('is refused where more than one service is connected and none is named', async () => {
    await connected('shop');
    await connected('billing');
    const response = await fetch(`${base}/debug/pprof/profile?seconds=1`);
    expect(response.status).toBe(400);
    expect(response.headers.get('x-go-pprof')).toBe('1');
    expect(response.headers.get('content-disposition')).toBeNull();
    const text = await response.text();
    expect(text).toContain('add ?service=');
    expect(text).toContain('service=billing');
    expect(text).toContain('service=shop');
  });

  it('says what is connected when the name is not', async () => {
    await connected('shop');
    const response = await fetch(`${base}/debug/pprof/profile?service=nosuch`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('service nosuch is not connected');
  });

  it('says that no agent is connected', async () => {
    const response = await fetch(`${base}/debug/pprof/profile`);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('ringtail/agent/register');
  });
});

async function agentAsked(agent: SyntheticAgent): Promise<void> {
  while (agent.controls.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
