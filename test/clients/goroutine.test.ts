/** Live asynchronous resources, as `go tool pprof` and people read them from a running program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/leaks.cjs');
const LEAKED = 100;

describe.skipIf(!needGo('goroutine profiles'))('the goroutine profile of a program', () => {
  let collector: RunningCollector;
  let program: ChildProcess;
  let url = '';
  let errors = '';

  /** So many requests, one after the other. */
  const ask = async (path: string, times = 1) => {
    for (let time = 0; time < times; time++) await (await fetch(`${url}${path}`)).text();
  };
  const goroutine = (query: string) => fetch(`${collector.url}/debug/pprof/goroutine?${query}`);

  beforeAll(async () => {
    collector = await openCollector();
    program = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: {
        ...process.env,
        ...collector.agentEnvironment,
        RINGTAIL_SERVICE: 'leaks',
        RINGTAIL_ASYNC: 'on',
        // Exact counts: every resource is followed, whatever this machine is busy with.
        RINGTAIL_BUDGET_PERCENT: '100',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    program.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const port = await new Promise<string>((found) =>
      program.stdout!.once('data', (text) => found(`${text}`)),
    );
    url = `http://127.0.0.1:${port.trim()}`;
    await ask('/interval', LEAKED);
    while ((await goroutine('debug=1')).status !== 200) await new Promise((done) => setTimeout(done, 200));
  }, 60_000);

  afterAll(async () => {
    program?.kill('SIGKILL');
    await collector?.close();
  });

  it('has the function that leaks first, with the exact count', async () => {
    const { stdout } = await goPprof('-top', `${collector.url}/debug/pprof/goroutine`);
    expect(stdout).toMatch(/Type: goroutine/);
    const [first] = stdout.split('flat%   sum%        cum   cum%\n')[1]!.split('\n');
    expect(first).toMatch(new RegExp(`^\\s*${LEAKED} .* leakInterval$`));
  }, 30_000);

  it('tells type and state as labels', async () => {
    const { stdout } = await goPprof('-tags', `${collector.url}/debug/pprof/goroutine`);
    expect(stdout).toMatch(/state: Total[\s\S]*ticking/);
    expect(stdout).toMatch(/type: Total[\s\S]*Interval/);
    expect(stdout).toMatch(/TCPSERVERWRAP/);
  }, 30_000);

  it('is text with debug=1, stack by stack', async () => {
    const answer = await goroutine('debug=1');
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const text = await answer.text();
    expect(text).toMatch(
      /^goroutine profile: total \d+\n100 @ .*state="ticking".*type="Interval"\n#\tleakInterval\t.*leaks\.cjs:9\n/,
    );
  }, 30_000);

  it('lists every resource with debug=2, as Go lists goroutines', async () => {
    const text = await (await goroutine('debug=2')).text();
    const items = [
      ...text.matchAll(
        /^goroutine \d+ \[Interval, ticking 60000 ms, \d+ seconds\]:\nsetInterval\(\.\.\.\)\n\tnode:timers:\d+\nleakInterval\(\.\.\.\)\n\t.*leaks\.cjs:9\n/gm,
      ),
    ];
    expect(items).toHaveLength(LEAKED);
    expect(text).toMatch(/^goroutine \d+ \[TCPSERVERWRAP, listening, \d+ seconds\]:$/m);
  }, 30_000);

  it('tells of emitters whose listeners become more, and leaves their warning to be printed', async () => {
    await ask('/listen', 12);
    const text = await (await goroutine('debug=2')).text();
    expect(text).toMatch(/^# suspicious: listeners become more .*11 changed listeners added to \[Shop\]/m);
    expect(errors).toMatch(/MaxListenersExceededWarning: .*11 changed listeners added/);
  }, 30_000);

  it('tells what came within seconds, promises too', async () => {
    const taken = goPprof('-top', '-seconds=4', `${collector.url}/debug/pprof/goroutine`);
    await new Promise((done) => setTimeout(done, 1000));
    await ask('/promise', 25);
    await ask('/interval', 7);
    const { stdout } = await taken;
    // The promise that is waited for, and that of the function itself.
    expect(flatOf(stdout, 'awaitForever')).toBeGreaterThanOrEqual(2 * 25);
    expect(flatOf(stdout, 'leakInterval')).toBe(7);
  }, 30_000);

  it('tells how long work waited for its first callback', async () => {
    const taken = goPprof('-top', `${collector.url}/debug/pprof/asyncwait?seconds=3`);
    await new Promise((done) => setTimeout(done, 1000));
    await ask('/', 20);
    const { stdout } = await taken;
    expect(stdout).toMatch(/Type: delay/);
    const [, waited = '0', unit] =
      /([\d.]+)(ms|s)\s+[\d.]+%\s+[\d.]+%\s+\S+\s+[\d.]+%\s+waitABit$/m.exec(stdout) ?? [];
    const millis = Number(waited) * (unit === 's' ? 1000 : 1);
    expect(millis).toBeGreaterThanOrEqual(20 * 40 * 0.99);
    expect(millis).toBeLessThan(20 * 40 * 3);
  }, 30_000);

  it('answers while the program is stuck in native code', async () => {
    const hang = ask('/hang');
    await new Promise((done) => setTimeout(done, 500));
    const startedAt = performance.now();
    const text = await (await goroutine('debug=2')).text();
    expect(performance.now() - startedAt).toBeLessThan(2500);
    expect(text).toMatch(/^goroutine \d+ \[Interval, ticking 60000 ms/m);
    await hang;
  }, 30_000);
});

/** The flat value of a function in `-top`. */
function flatOf(top: string, name: string): number {
  const line = top.split('\n').find((text) => text.trimEnd().endsWith(` ${name}`)) ?? '';
  return Number.parseInt(line, 10) || 0;
}
