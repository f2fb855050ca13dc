/** Stalls by stack, as `go tool pprof` reads them from a running program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goPprof, needGo } from './go';
import { connected, openCollector, type RunningCollector } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/stalls.cjs');
const THIRDS = join(__dirname, 'fixtures/thirds.cjs');

describe.skipIf(!needGo('block profiles'))('the block profile of a program', () => {
  let collector: RunningCollector;
  let program: ChildProcess;

  beforeAll(async () => {
    collector = await openCollector();
    program = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: { ...process.env, ...collector.agentEnvironment, RINGTAIL_SERVICE: 'stalls' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await connected(collector, 'stalls', 5000);
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

describe.skipIf(!needGo('CPU apart from waiting'))(
  'a program that waits two thirds of its time',
  { retry: 1 },
  () => {
    let collector: RunningCollector;
    let program: ChildProcess;

    beforeAll(async () => {
      collector = await openCollector();
      program = spawn(process.execPath, ['-r', REGISTER, THIRDS], {
        env: {
          ...process.env,
          ...collector.agentEnvironment,
          RINGTAIL_SERVICE: 'thirds',
          RINGTAIL_CPU_HZ: '499',
          RINGTAIL_BUDGET_PERCENT: '100',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await connected(collector, 'thirds', 1500);
    }, 30_000);

    afterAll(async () => {
      program?.kill('SIGKILL');
      await collector?.close();
    });

    it('burns a third on CPU, by profile and by clock, and waits in its own functions', async () => {
      const url = `${collector.url}/debug/pprof`;
      const { stdout } = await goPprof('-top', '-cum', '-nodefraction=0', `${url}/profile?seconds=8`);
      const total = Number(/Total samples = ([\d.]+)(m?)s/.exec(stdout)?.[1] ?? 0);
      const totalMillis = /Total samples = [\d.]+ms/.test(stdout) ? total : total * 1000;
      const share = (name: string) => (100 * milliseconds(stdout, name)) / 8000;
      const clockShare = (100 * Number(/thread CPU clock ([\d.]+) s/.exec(stdout)?.[1] ?? 0)) / 8;
      console.log(
        `${process.version} thirds: CPU ${(totalMillis / 80).toFixed(1)} % of wall, clock ${clockShare.toFixed(1)} %, burns ${share('burns').toFixed(1)}, waitsForLock ${share('waitsForLock').toFixed(1)}, runsCommand ${share('runsCommand').toFixed(1)}`,
      );
      expect(Math.abs(totalMillis / 80 - clockShare), stdout).toBeLessThan(3);
      expect(share('waitsForLock'), stdout).toBeLessThan(3);
      const { stdout: block } = await goPprof('-top', '-cum', `${url}/block?seconds=5`);
      expect(milliseconds(block, 'waitsForLock'), block).toBeGreaterThan(600);
      expect(milliseconds(block, 'runsCommand'), block).toBeGreaterThan(600);
      expect(milliseconds(block, 'burns'), block).toBe(0);
      const { stdout: mutex } = await goPprof('-top', '-cum', `${url}/mutex?seconds=3`);
      expect(milliseconds(mutex, 'waitsForLock'), mutex).toBeGreaterThan(350);
      expect(milliseconds(mutex, 'runsCommand'), mutex).toBe(0);
    }, 60_000);
  },
);

/** The cumulative value of a function in `-top`. */
function milliseconds(top: string, name: string): number {
  const line = top.split('\n').find((text) => text.includes(name)) ?? '';
  const cum = /([\d.]+)(ms|s)\s+[\d.]+%\s+\S+$/.exec(line.replace(/\s+\(inline\)$/, ''));
  if (cum === null) return 0;
  return Number(cum[1]) * (cum[2] === 's' ? 1000 : 1);
}
