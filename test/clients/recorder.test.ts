/** The flight recorder and the trace, as people meet them: a stall, a hang, a crash, a signal, a request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, hasGo } from './go';
import { connected, openCollector } from './running';
import { drawnMicros, readTrace, type Trace, type TraceEvent, trackNames } from './trace-events';

const PROGRAM = join(__dirname, 'fixtures/recorder.cjs');
const SERVICE = 'recorded';

type Run = { child: ChildProcess; ended: Promise<number | null>; text: () => string };

let folder: string;
let running: Run | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorder-'));
});

afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.ended;
  running = null;
  rmSync(folder, { recursive: true, force: true });
});

function run(way: string, environment: Record<string, string>): Run {
  const child = spawn(process.execPath, ['--expose-gc', '-r', REGISTER, PROGRAM, way], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, RINGTAIL_SERVICE: SERVICE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const take = (more: string) => {
    text += more;
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const ended = new Promise<number | null>((done) => child.once('close', done));
  running = { child, ended, text: () => text };
  return running;
}

/** Where the agent of a run serves profiles by itself. */
async function ownAddress({ text }: Run): Promise<string> {
  for (;;) {
    const [, found] = /profiles are on (http:\S+?)\/?\n/.exec(text()) ?? [];
    if (found !== undefined) return found;
    await pause(20);
  }
}

async function until<T>(look: () => T | null | undefined, millis = 15_000): Promise<T> {
  for (const end = performance.now() + millis; ; await pause(50)) {
    const found = look();
    if (found !== null && found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${millis} ms: ${look}\n${running?.text()}`);
  }
}

function pause(millis: number): Promise<void> {
  return new Promise((done) => setTimeout(done, millis));
}

const dumpsOf = (reason: string) =>
  readdirSync(folder).filter(
    (name) => name.startsWith('ringtail-record-') && name.endsWith(`-${reason}.json.gz`),
  );
const dumpOf = (reason: string): Trace => {
  const [name] = dumpsOf(reason);
  expect(statSync(join(folder, name!)).mode & 0o777).toBe(0o600);
  return readTrace(gunzipSync(readFileSync(join(folder, name!))).toString('utf8'));
};
const stallsOf = ({ traceEvents }: Trace) =>
  traceEvents.filter(({ ph, args }) => ph === 'X' && Array.isArray(args?.stack));

/** What every capture says, beside hints where the machine gives reasons for some. */
const ABOUT = expect.arrayContaining([
  expect.stringMatching(/^profiler's own cost since the start: [\d.]+ % of a core/),
  expect.stringMatching(/^environment [0-9a-f]{8}: node /),
]);

describe('the flight recorder', () => {
  it('leaves a file at a stall, which names the function and has what came before', async () => {
    run('stall', { RINGTAIL_RECORD_DIR: folder });
    await until(() => dumpsOf('stall')[0]);
    const trace = dumpOf('stall');
    expect(trace.otherData).toMatchObject({ reason: 'stall', service: SERVICE });
    expect(trace.otherData.about).toEqual(ABOUT);
    expect(drawnMicros(trace, 'blocksTheLoop')).toBeGreaterThan(1e6);
    const [stall] = stallsOf(trace).filter(({ dur }) => dur! > 1e6);
    expect(JSON.stringify(stall!.args)).toContain('blocksTheLoop');
    const requests = trace.traceEvents.filter(
      ({ ph, name }) => ph === 'b' && name.startsWith('GET /orders/'),
    );
    expect(requests.length).toBeGreaterThan(10);
    expect(trace.traceEvents.some(({ ph, name }) => ph === 'b' && name === 'db.query table=orders')).toBe(
      true,
    );
    expect(trackNames(trace)).toEqual(expect.arrayContaining(['main thread', 'stalls', 'requests', 'spans']));
  }, 30_000);

  it('leaves a file at a collection far beyond what is usual, with the collection in it', async () => {
    run('gc', { RINGTAIL_RECORD_DIR: folder, RINGTAIL_RECORD_STALL_MILLIS: '60000' });
    await until(() => dumpsOf('gc')[0]);
    const collections = dumpOf('gc').traceEvents.filter(
      ({ ph, name }) => ph === 'X' && /^(minor|major)$/.test(name),
    );
    const pauses = collections.map(({ dur = 0 }) => dur).sort((left, right) => left - right);
    expect(pauses.length).toBeGreaterThan(20);
    expect(pauses.at(-1)).toBeGreaterThan(5000);
    expect(pauses.at(-1)).toBeGreaterThan(3 * pauses[Math.floor(pauses.length / 2)]!);
  }, 30_000);

  it('leaves the last second before a crash', async () => {
    const { ended, text } = run('crash', { RINGTAIL_RECORD_DIR: folder });
    expect(await ended).toBe(1);
    expect(text()).toContain('this is how it ends');
    const trace = dumpOf('exit');
    expect(drawnMicros(trace, 'lastThingsBeforeTheCrash')).toBeGreaterThan(200e3);
    const last = Math.max(...trace.traceEvents.map(({ ts = 0, dur = 0 }) => ts + dur));
    const micros = Number(trace.otherData.startMicros) + Number(trace.otherData.seconds) * 1e6;
    expect(micros - last).toBeLessThan(200e3);
  }, 30_000);

  it('says at the start where its folder cannot be one', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { text } = run('serve', { RINGTAIL_RECORD_DIR: join(file, 'dumps') });
    await until(() => text().includes('RINGTAIL_RECORD_DIR: ') || null);
    expect(text()).toContain(
      `ringtail: RINGTAIL_RECORD_DIR: dumps will not get into ${join(file, 'dumps')}: ${file} is no folder\n`,
    );
  }, 30_000);

  it('answers while the main thread hangs, and dumps a hang that does not end', async () => {
    const program = run('hang', { RINGTAIL_RECORD_DIR: folder, RINGTAIL_PPROF: '127.0.0.1:0' });
    const base = await ownAddress(program);
    await until(() => (program.text().includes('hanging') ? true : null));
    await pause(1500);
    const from = performance.now();
    const answer = await fetch(`${base}/recorder`);
    expect(performance.now() - from).toBeLessThan(2000);
    expect(answer.headers.get('content-type')).toBe('application/json');
    const trace = readTrace(await answer.text());
    expect(drawnMicros(trace, 'blocksTheLoop')).toBeGreaterThan(500e3);
    const hang = stallsOf(trace).find(({ name }) => name.startsWith('still hangs'));
    expect(JSON.stringify(hang)).toContain('blocksTheLoop');
    await until(() => dumpsOf('hang')[0]);
    expect(stallsOf(dumpOf('hang')).some(({ name }) => name.startsWith('still hangs'))).toBe(true);
  }, 30_000);

  it('listens for a signal where that is asked for, and keeps the last dump in memory without a folder', async () => {
    const program = run('serve', { RINGTAIL_RECORD_SIGNAL: 'SIGUSR2', RINGTAIL_PPROF: '0' });
    const base = await ownAddress(program);
    await until(() => (program.text().includes('up') ? true : null));
    expect((await fetch(`${base}/recorder?last=1`)).status).toBe(404);
    await pause(500);
    program.child.kill('SIGUSR2');
    let answer = await fetch(`${base}/recorder?last=1`);
    for (let tries = 0; answer.status !== 200 && tries < 50; tries++) {
      await pause(100);
      answer = await fetch(`${base}/recorder?last=1`);
    }
    const trace = readTrace(await answer.text());
    expect(trace.otherData.reason).toBe('signal');
    expect(drawnMicros(trace, 'handlesRequests')).toBeGreaterThan(0);
  }, 30_000);

  it('keeps so many files of its own and touches no others', async () => {
    const old = ['2001-01-01', '2002-01-01', '2003-01-01'].map(
      (day) => `ringtail-record-${day}T00-00-00.000Z-1-stall.json.gz`,
    );
    for (const name of [...old, 'notes.json.gz']) writeFileSync(join(folder, name), 'x');
    const { ended } = run('crash', { RINGTAIL_RECORD_DIR: folder, RINGTAIL_RECORD_FILES: '2' });
    await ended;
    const left = readdirSync(folder).filter((name) => name.endsWith('.json.gz'));
    expect(left.sort()).toEqual(['notes.json.gz', old[2], dumpsOf('exit')[0]].sort());
  }, 30_000);

  it('where its folder cannot be written costs one line', async () => {
    writeFileSync(join(folder, 'taken'), '');
    const { ended, text } = run('crash', { RINGTAIL_RECORD_DIR: join(folder, 'taken') });
    expect(await ended).toBe(1);
    expect(text().match(/the flight recorder cannot be dumped: /g)).toHaveLength(1);
  }, 30_000);
});

describe('trace', () => {
  it('has the time that was asked for, by the collector, too; what cannot read it is told so', async () => {
    const collector = await openCollector();
    try {
      run('serve', collector.agentEnvironment);
      // What ran before the first tick no stack can tell, and the first requests began there.
      await connected(collector, SERVICE);
      const url = `${collector.url}/debug/pprof/trace?seconds=1.5`;
      const answer = await fetch(url);
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="trace.json"');
      const trace = readTrace(await answer.text());
      expect(trace.otherData).toMatchObject({
        reason: 'trace',
        seconds: 1.5,
        service: SERVICE,
        about: ABOUT,
      });
      const times = trace.traceEvents.flatMap(({ ph, tid, ts, dur = 0 }) =>
        ph === 'X' && tid === 1 ? [ts!, ts! + dur] : [],
      );
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(1.6e6);
      const requests = trace.traceEvents.filter(({ ph, name }) => ph === 'b' && name.startsWith('GET '));
      // Of some 60.
      expect(requests.length).toBeGreaterThan(5);
      const endOf = ({ id, name }: TraceEvent) =>
        trace.traceEvents.find((event) => event.ph === 'e' && event.id === id && event.name === name)!.ts!;
      // One that ended later has ticks up to the end of the trace only.
      const end = Number(trace.otherData.startMicros) + 1.5e6;
      const slow = requests.filter((request) => request.name === 'GET /slow/:id' && endOf(request) <= end);
      const quick = requests.filter(
        ({ name, args }) => name === 'GET /orders/:id' && args!.stack === undefined,
      );
      expect(quick[0]!.args).toEqual({ status: 200 });
      expect(slow.length).toBeGreaterThan(0);
      for (const { args } of slow)
        expect(JSON.stringify(args!.stack)).toMatch(/handlesRequests.*answersSlowly/);
      // Of 100 ms; ticks stay out while a thread waits for a core.
      expect(Math.max(...slow.map(({ args }) => Number(args!['in that stack (ms)'])))).toBeGreaterThan(30);
      // Of some 700 ms, which get longer where the machine runs others.
      const handled = requests.reduce((sum, request) => sum + endOf(request) - request.ts!, 0);
      expect(drawnMicros(trace, 'handlesRequests')).toBeGreaterThan(20e3);
      expect(drawnMicros(trace, 'handlesRequests')).toBeLessThan(1.6 * handled);
      const plain = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
      expect(plain.headers.get('content-encoding')).toBeNull();
      readTrace(await plain.text());
      if (!hasGo) return;
      const refused = await goPprof('-top', url).catch((error: Error & { stderr?: string }) => error);
      expect(`${'stderr' in refused ? refused.stderr : ''}`).toMatch(/400.*ui\.perfetto\.dev/s);
    } finally {
      await collector.close();
    }
  }, 40_000);
});
