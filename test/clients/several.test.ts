/** Several clients at once, and clients that leave before they have their answer. */
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPprof } from '../collector/pprof-reader';
import { needGo } from './go';
import { openTargets, type Target, type Targets } from './targets';

/** Twice as many are more than an agent makes at once: those that were left must be over. */
const LEAVING = 10;
const SOON_MILLIS = 5000;
const LONG = ['profile', 'wall', 'block', 'heap', 'goroutine', 'threadcreate', 'asyncwait', 'trace'];

let targets: Targets;

beforeAll(async () => {
  targets = await openTargets();
});

afterAll(() => targets?.close());

async function running(): Promise<number> {
  const text = await (await fetch(`${targets.collector.url}/metrics`)).text();
  return Number(/^ringtail_captures_running (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

async function until(wanted: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + SOON_MILLIS;
  while (!(await wanted())) {
    if (Date.now() > deadline) throw new Error(`not within ${SOON_MILLIS} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Asks, and leaves when `left` is called. */
function askAndLeave(target: Target, path: string): { left: () => void; over: Promise<void> } {
  const authorization = `Bearer ${targets.collector.agentEnvironment.RINGTAIL_TOKEN}`;
  const asked = request(new URL(path, target.address), { headers: { authorization } }, (response) => {
    over(`${path} was answered: ${response.statusCode}`);
  });
  let over = (_why: string): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    over = (why) => reject(new Error(why));
    asked.on('close', () => resolve());
  });
  asked.on('error', () => {});
  asked.end();
  return { left: () => asked.destroy(), over: ended };
}

describe.each([
  [0, 'the collector'],
  [1, "the agent's own port"],
])('clients of target %i, %s', (index) => {
  let target: Target;
  beforeAll(() => {
    target = targets.all[index]!;
  });

  it('get what they asked for, the same and different profiles at once', async () => {
    const paths = [
      'profile?seconds=1',
      'profile?seconds=2',
      'profile?seconds=1',
      'wall?seconds=1',
      'block?seconds=1',
      'block',
      'heap?seconds=1',
      'heap',
      'goroutine?seconds=1',
      'goroutine?seconds=1',
      'threadcreate?seconds=1',
    ];
    const answers = await Promise.all(paths.map((path) => target.ask(path)));
    for (const [at, { status, body }] of answers.entries()) {
      expect([paths[at], status]).toEqual([paths[at], 200]);
      const { durationNanos } = readPprof(gunzipSync(body));
      expect(durationNanos / 1e9).toBeCloseTo(Number(/\d$/.exec(paths[at]!)?.[0] ?? 0), 0);
    }
  });

  it('that sample allocations wait for each other, and are told so where that would be long', async () => {
    const both = await Promise.all([target.ask('allocs?seconds=1'), target.ask('allocs?seconds=1')]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const long = askAndLeave(target, 'allocs?seconds=60');
    await new Promise((done) => setTimeout(done, 1500));
    const told = await target.ask('allocs?seconds=1');
    expect([told.status, told.body.toString()]).toEqual([
      503,
      expect.stringMatching(/^allocations are being sampled for another client: try again in [345]\d s/),
    ]);
    expect((await target.ask('heap')).status).toBe(200);
    long.left();
    await long.over;
    await until(async () => (await target.ask('allocs?seconds=1')).status === 200, 'the window is closed');
  });

  it.each(LONG)('that leave in the middle of %s end it, and leave nothing behind', async (name) => {
    for (let round = 0; round < 2; round++) {
      const clients = Array.from({ length: LEAVING }, () => askAndLeave(target, `${name}?seconds=60`));
      if (index === 0) await until(async () => (await running()) === LEAVING, 'all have been asked for');
      await new Promise((done) => setTimeout(done, 500));
      for (const { left } of clients) left();
      await Promise.all(clients.map(({ over }) => over));
      if (index === 0) await until(async () => (await running()) === 0, 'none is made any more');
    }
    await until(async () => (await target.ask('block')).status === 200, 'the agent has room again');
    const after = await target.ask('profile?seconds=1');
    expect([after.status, readPprof(gunzipSync(after.body)).durationNanos]).toEqual([200, 1e9]);
  });
});

describe.runIf(needGo('leaving in the middle'))('go tool pprof', () => {
  it('that is stopped by Ctrl-C in the middle of a capture ends it', async () => {
    const [{ proven }] = targets.all as [Target];
    const client = spawn('go', ['tool', 'pprof', '-top', '-seconds=60', `${proven}profile`], {
      env: { ...process.env, HOME: tmpdir(), PPROF_TMPDIR: tmpdir() },
      stdio: 'ignore',
      detached: true,
    });
    const gone = new Promise((done) => client.once('close', done));
    await until(async () => (await running()) === 1, 'it has asked');
    process.kill(-client.pid!, 'SIGINT');
    await gone;
    await until(async () => (await running()) === 0, 'none is made any more');
  });
});
