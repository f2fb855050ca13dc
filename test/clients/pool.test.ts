/** libuv's pool with twice as much work as it has threads: half of the work's time is spent in the queue. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';

const PROGRAM = join(__dirname, 'fixtures/pool.cjs');
let child: ChildProcess | null = null;

afterEach(async () => {
  const ended = new Promise((done) => child?.once('close', done));
  child?.kill('SIGKILL');
  await ended;
});

async function poolText(environment: Record<string, string>): Promise<string> {
  const started = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), RINGTAIL_PPROF: '0', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child = started;
  const base = await new Promise<string>((found) => {
    let text = '';
    started.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const [, address] = /profiles are on (http:\S+?)\/?\n/.exec(text) ?? [];
      if (address !== undefined) found(address);
    });
  });
  const answer = await fetch(`${base}/pool?seconds=2&debug=1`);
  expect(answer.status).toBe(200);
  return answer.text();
}

describe('pool', () => {
  it('tells how long its queue lets work wait, by probes alone', async () => {
    const text = await poolText({});
    const [, p50] = /wait in the queue by \d+ probes: p50 ([\d.]+) ms/.exec(text) ?? [];
    expect(Number(p50), text).toBeGreaterThan(1);
    expect(text).toContain('RINGTAIL_POOL_TRACE=1 allows');
  }, 20_000);

  it('tells operations by kind where the program allows it', async () => {
    const text = await poolText({ RINGTAIL_POOL_TRACE: '1' });
    expect(text).toMatch(/operations by kind are those of \d+ windows/);
    expect(text).toMatch(/\bcrypto\b/);
    expect(text).toMatch(/\bfs\.stat\b/);
  }, 20_000);
});
