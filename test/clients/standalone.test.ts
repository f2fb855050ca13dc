/** Without a collector: /debug/pprof/ from the agent's own thread, a profile of the run in a file, a summary at exit. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { goPprof, hasGo, needGo } from './go';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/standalone.cjs');

let folder: string;
let program: Run | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'standalone-'));
});

afterEach(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended;
  program = null;
  rmSync(folder, { recursive: true, force: true });
});

type Run = { child: ChildProcess; ended: Promise<number | null>; stdout: () => string; stderr: () => string };

function run(way: string, environment: Record<string, string>): Run {
  const child = spawn(process.execPath, ['-r', REGISTER, PROGRAM, way], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, RINGTAIL_SERVICE: 'alone', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  program = { child, ended, stdout: () => stdout, stderr: () => stderr };
  return program;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((done) => server.close(done));
  return port;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((found, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => found((server.address() as { port: number }).port));
  });
}

async function untilAnswers(url: string): Promise<Response> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url);
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

describe('RINGTAIL_PPROF', () => {
  it('answers on the loopback, by the rules of Go', async () => {
    const port = await freePort();
    run('burn', { RINGTAIL_PPROF: String(port) });
    const base = `http://127.0.0.1:${port}/debug/pprof`;
    const index = await untilAnswers(`${base}/`);
    expect(await index.text()).toContain('<a href="profile?seconds=5">');
    expect(await (await fetch(`${base}/cmdline`)).text()).toBe('alone');
    expect(await (await fetch(`${base}/symbol`)).text()).toBe('num_symbols: 1\n');
    const unknown = await fetch(`${base}/nosuch`);
    expect([unknown.status, await unknown.text()]).toEqual([404, 'Unknown profile\n']);
    expect(unknown.headers.get('x-go-pprof')).toBe('1');
    const wrong = await fetch(`${base}/block?seconds=0`);
    expect([wrong.status, await wrong.text()]).toEqual([
      400,
      'invalid value for "seconds" - must be a positive integer\n',
    ]);
    const posted = await fetch(`${base}/profile`, { method: 'POST' });
    expect(posted.status).toBe(405);
    const foreign = await fetch(`${base}/`, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(foreign.status).toBe(403);
  });

  it.skipIf(!needGo('RINGTAIL_PPROF'))(
    'names the function while the main thread hangs',
    async () => {
      const port = await freePort();
      const { stdout } = run('hang', { RINGTAIL_PPROF: `127.0.0.1:${port}` });
      await untilAnswers(`http://127.0.0.1:${port}/debug/pprof/`);
      while (!stdout().includes('hanging')) await new Promise((done) => setTimeout(done, 20));
      const { stdout: top } = await goPprof(
        '-top',
        '-cum',
        `http://127.0.0.1:${port}/debug/pprof/profile?seconds=1`,
      );
      expect(stdout()).not.toContain('over');
      expect(top).toMatch(/hangsForLong/);
    },
    30_000,
  );

  it('takes the next port where the one asked for is taken, and says so', async () => {
    const server = createServer();
    const port = await listen(server, 0);
    const { stderr } = run('burn', { RINGTAIL_PPROF: String(port) });
    try {
      while (!stderr().includes('\n')) await new Promise((done) => setTimeout(done, 20));
      const [, found = ''] =
        /port \d+ is taken: profiles are on http:\/\/127\.0\.0\.1:(\d+)\/debug\/pprof\/\n$/.exec(stderr()) ??
        [];
      expect(Number(found)).toBeGreaterThan(port);
      expect((await fetch(`http://127.0.0.1:${found}/debug/pprof/`)).status).toBe(200);
    } finally {
      server.close();
    }
  });
});

describe('RINGTAIL_OUT', () => {
  it.skipIf(!hasGo)(
    'holds the run, and RINGTAIL_SUMMARY tells it',
    async () => {
      const { ended, stderr } = run('short', {
        RINGTAIL_OUT: join(folder, 'cpu-%p.pb.gz'),
        RINGTAIL_SUMMARY: '1',
      });
      expect(await ended).toBe(7);
      const files = readdirSync(folder).filter((name) => name.startsWith('cpu-'));
      expect(files).toHaveLength(1);
      const { stdout } = await goPprof('-top', join(folder, files[0]!));
      expect(stdout).toMatch(/burnsMost/i);
      expect(stderr()).toMatch(
        /^ringtail: CPU [\d.]+ s sampled in [\d.]+ s; .*:\n.*function\n.*%\s+(callsWhatB|b)urnsMost\b/,
      );
    },
    30_000,
  );

  it.skipIf(!hasGo)(
    'is there, too, of a program that is killed in its first seconds',
    async () => {
      const { child, ended } = run('burn', { RINGTAIL_OUT: join(folder, 'cpu.pb.gz') });
      await new Promise((done) => setTimeout(done, 5000));
      child.kill('SIGTERM');
      await ended;
      const { stdout } = await goPprof('-top', join(folder, 'cpu.pb.gz'));
      expect(stdout).toMatch(/burnsMost/);
    },
    30_000,
  );

  it.skipIf(!hasGo)(
    'is written at the signal that asks for it, with what came up to then',
    async () => {
      const path = join(folder, 'cpu.pb.gz');
      const { child, stderr } = run('burn', { RINGTAIL_OUT: path, RINGTAIL_RECORD_SIGNAL: 'SIGUSR2' });
      await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toContain('cpu.pb.gz');
      await new Promise((done) => setTimeout(done, 500));
      const before = statSync(path).mtimeMs;
      child.kill('SIGUSR2');
      await expect.poll(stderr, { timeout: 5000 }).toContain(`ringtail: the profile so far is in ${path}\n`);
      expect(statSync(path).mtimeMs).toBeGreaterThan(before);
      const { stdout } = await goPprof('-top', path);
      expect(stdout).toMatch(/burnsMost/);
      expect(child.exitCode ?? child.signalCode).toBe(null);
    },
    30_000,
  );

  it('does not write over a file that is there, and says where it went', async () => {
    const path = join(folder, 'cpu.pb.gz');
    writeFileSync(path, 'mine');
    const { ended, stderr, child } = run('short', { RINGTAIL_OUT: path });
    expect(await ended).toBe(7);
    expect(stderr()).toContain(`the profile goes to ${join(folder, `cpu.${child.pid}.pb.gz`)}\n`);
    expect(readdirSync(folder)).toContain(`cpu.${child.pid}.pb.gz`);
  });

  it('that cannot be written costs a line and nothing else', async () => {
    const { ended, stderr } = run('short', { RINGTAIL_OUT: join(folder, 'no/such/folder/cpu.pb.gz') });
    expect(await ended).toBe(7);
    expect(stderr()).toMatch(/^ringtail: the profile cannot be written: ENOENT.*\n$/);
  });
});
