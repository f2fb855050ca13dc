/** Stalls by stack, as `go tool pprof` reads them from a running program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/stalls.cjs');

describe.skipIf(!needGo('block profiles'))('the block profile of a program', () => {
  let collector: RunningCollector;
  let program: ChildProcess;

  beforeAll(async () => {
    collector = await openCollector();
    program = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: { ...process.env, ...collector.agentEnvironment, RINGTAIL_SERVICE: 'stalls' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await new Promise((done) => setTimeout(done, 6000));
  }, 30_000);

  afterAll(async () => {
    program?.kill('SIGKILL');
    await collector?.close();
  });

  it('names the function that stalled first, with count and delay', async () => {
    const { stdout } = await goPprof('-top', '-cum', `${collector.url}/debug/pprof/block`);
    expect(stdout).toMatch(/Type: delay/);
    expect(stdout).toMatch(/stallForLong/);
    const long = milliseconds(stdout, 'stallForLong');
    const short = milliseconds(stdout, 'stallForShort');
    expect(long).toBeGreaterThan(short);
    const { stdout: counts } = await goPprof('-top', '-contentions', `${collector.url}/debug/pprof/block`);
    expect(counts).toMatch(/Type: contentions/);
  }, 30_000);

  it('shows only what is new with seconds, and text with debug=1', async () => {
    const { stdout } = await goPprof('-top', '-cum', '-seconds=3', `${collector.url}/debug/pprof/block`);
    const total = /Total samples = ([\d.]+)s/.exec(stdout);
    expect(stdout).toMatch(/stallForLong/);
    if (total !== null) expect(Number(total[1])).toBeLessThan(4);
    const text = await fetch(`${collector.url}/debug/pprof/block?debug=1`);
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await text.text()).toMatch(
      /^--- contention:\ncycles\/second=1000000000\n[\s\S]*stallForLong\t.*stalls\.cjs:\d+/,
    );
  }, 30_000);
});

/** The cumulative value of a function in `-top`. */
function milliseconds(top: string, name: string): number {
  const line = top.split('\n').find((text) => text.includes(name)) ?? '';
  const cum = /([\d.]+)(ms|s)\s+[\d.]+%\s+\S+$/.exec(line.replace(/\s+\(inline\)$/, ''));
  if (cum === null) return 0;
  return Number(cum[1]) * (cum[2] === 's' ? 1000 : 1);
}
