/** The heap of a program whose leak and churn are known, as `go tool pprof` reads it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/heap.cjs');
const FORCES_COLLECTION = Number(process.versions.node.split('.')[0]) < 26;
/** Bytes of an object of the class Leaked: three words of header, four fields; and its place in the array. */
const LEAKED_BYTES = 56;
const PLACE_BYTES = 8;

type Told = { leaked: number; cached: number };

describe.skipIf(!needGo('heap profiles'))('the heap of a program', () => {
  let collector: RunningCollector;
  let program: ChildProcess;
  let folder: string;
  /** With the token, so that captures are not rationed. */
  let proven: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'heap-'));
    collector = await openCollector();
    program = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: {
        ...process.env,
        ...collector.agentEnvironment,
        RINGTAIL_SERVICE: 'heap',
        RINGTAIL_HEAP_SAMPLE_BYTES: '65520',
        // It allocates too much for so small an interval, which must stay all the same.
        RINGTAIL_BUDGET_PERCENT: '100',
        TMPDIR: folder,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const token = collector.agentEnvironment.RINGTAIL_TOKEN;
    proven = `${collector.url.replace('//', `//reader:${token}@`)}/debug/pprof`;
    await after(5000);
  }, 30_000);

  afterAll(async () => {
    program?.kill('SIGKILL');
    await collector?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('names what leaks first, with its bytes and objects', async () => {
    const before = await told(program);
    const { stdout } = await goPprof('-top', `${proven}/heap?gc=1`);
    const after = await told(program);
    expect(stdout).toMatch(/Type: inuse_space/);
    expect(functionsOf(stdout)[0]).toMatch(/^(leak|cache)$/);
    const megabytes = flatOf(stdout, 'leak');
    // What the array grew by and then outgrew is up to twice its places; sampling errs by 1/√n of some 150 samples.
    expect(megabytes).toBeGreaterThan(0.7 * megabytesOf(before.leaked));
    expect(megabytes).toBeLessThan(1.4 * megabytesOf(after.leaked));
  }, 60_000);

  it('counts objects within its sampling error', async () => {
    const before = await told(program);
    const { stdout } = await goPprof('-top', '-unit=count', '-inuse_objects', `${proven}/heap?gc=1`);
    const after = await told(program);
    expect(stdout).toMatch(/Type: inuse_objects/);
    expect(flatOf(stdout, 'leak')).toBeGreaterThan(0.7 * before.leaked);
    expect(flatOf(stdout, 'leak')).toBeLessThan(1.3 * after.leaked);
    expect(flatOf(stdout, 'cache')).toBeGreaterThan(0.7 * after.cached);
    expect(flatOf(stdout, 'cache')).toBeLessThan(1.3 * after.cached);
  }, 60_000);

  it('has all four types, and the size of objects as a label', async () => {
    for (const type of ['alloc_space', 'alloc_objects', 'inuse_space', 'inuse_objects']) {
      const { stdout } = await goPprof('-top', `-${type}`, `${proven}/heap`);
      expect(stdout).toContain(`Type: ${type}`);
      expect(functionsOf(stdout).slice(0, 3)).toContain('leak');
    }
    const { stdout } = await goPprof('-tags', `${proven}/heap`);
    expect(stdout).toMatch(/ bytes: Total/);
    expect(stdout).toMatch(new RegExp(`\\b${LEAKED_BYTES}B`));
  }, 60_000);

  it('shows what grew between two captures, and in the next seconds', async () => {
    const first = join(folder, 'first.pb.gz');
    const response = await fetch(`${collector.url}/debug/pprof/heap?gc=1`, { headers: authorization() });
    writeFileSync(first, Buffer.from(await response.arrayBuffer()));
    await after(3000);
    const { stdout: growth } = await goPprof('-top', '-diff_base', first, `${proven}/heap?gc=1`);
    expect(functionsOf(growth)[0]).toBe('leak');
    expect(flatOf(growth, 'leak')).toBeGreaterThan(1);
    const { stdout: delta } = await goPprof('-top', `${proven}/heap?gc=1&seconds=3`);
    expect(functionsOf(delta)[0]).toBe('leak');
  }, 60_000);

  it('tells suspects with their evidence: the leak, never the full cache', async () => {
    const text = await textOf('heap?debug=2&gc=1');
    expect(text).toMatch(/\n1\. leak \(.*heap\.cjs:\d+\): \+[\d.]+ MB an hour \(\d+ of \d+ steps up/);
    expect(text).not.toMatch(/\d\. cache/);
    expect(await textOf('heap?debug=1')).toMatch(
      /^heap profile: \d+: \d+ \[\d+: \d+\] @ heap\/65520\n[\s\S]*#\tleak\t.*heap\.cjs:\d+/,
    );
  }, 30_000);

  it('gives the last capture with its age to who comes too soon without the token', async () => {
    const text = await (await fetch(`${collector.url}/debug/pprof/heap?debug=1`)).text();
    if (FORCES_COLLECTION && /paused the main thread for \d\d/.test(text)) {
      expect(text).toMatch(/not a new capture: this one was made \d+ s ago \(asked\)/);
    }
    expect(text).toMatch(/paused the main thread for [\d.]+ ms/);
  }, 30_000);

  it('never waits for a main thread that is stuck in native code', async () => {
    await textOf('heap?debug=1');
    const released = told(program, 'block');
    await after(1000);
    const from = performance.now();
    const old = await textOf('heap?debug=1');
    const delta = await fetch(`${collector.url}/debug/pprof/heap?seconds=1`, { headers: authorization() });
    expect(performance.now() - from).toBeLessThan(2500);
    expect(old).toMatch(/not a new capture: this one was made \d+ s ago \(asked\)/);
    expect(delta.status).toBe(503);
    expect(await delta.text()).toMatch(/stuck in native code since 20\d\d-.*Z \(\d\.\d s\)/);
    await released;
  }, 30_000);

  it('counts what was collected in allocs: the churner first', async () => {
    const { stdout } = await goPprof('-top', `${proven}/allocs?seconds=2`);
    expect(stdout).toMatch(/Type: alloc_space/);
    expect(functionsOf(stdout)[0]).toBe('churn');
    expect(stdout).toMatch(/churn: churn \(.*\) allocates \d+ MB a second and keeps/);
    const { stdout: live } = await goPprof('-top', '-inuse_space', `${proven}/heap?gc=1`);
    expect(live).toMatch(/what was allocated before is not in it/);
  }, 60_000);

  it('writes a snapshot to a file of its own, for who has the token only', async () => {
    const refused = await fetch(`${collector.url}/debug/pprof/heapsnapshot`);
    expect(refused.status).toBe(403);
    const [path = ''] = (await textOf('heapsnapshot')).split('\n');
    expect(path.startsWith(folder)).toBe(true);
    const { snapshot, nodes, strings } = JSON.parse(readFileSync(path, 'utf8'));
    expect(nodes.length).toBe(snapshot.node_count * snapshot.meta.node_fields.length);
    expect(strings).toContain('Leaked');
  }, 120_000);

  function authorization() {
    return { authorization: `Bearer ${collector.agentEnvironment.RINGTAIL_TOKEN}` };
  }

  async function textOf(path: string): Promise<string> {
    return (await fetch(`${collector.url}/debug/pprof/${path}`, { headers: authorization() })).text();
  }
});

function told(program: ChildProcess, what = 'tell'): Promise<Told> {
  return new Promise((done) => {
    program.once('message', (message) => done(message as Told));
    program.send(what);
  });
}

function megabytesOf(objects: number): number {
  return (objects * (LEAKED_BYTES + PLACE_BYTES)) / 2 ** 20;
}

/** The functions of `-top`, in its order. */
function functionsOf(top: string): string[] {
  return top
    .split('\n')
    .slice(top.split('\n').findIndex((line) => line.includes('flat%')) + 1)
    .map((line) =>
      line
        .trim()
        .split(/\s+/)
        .slice(5)
        .join(' ')
        .replace(/ \(inline\)$/, ''),
    )
    .filter((name) => name !== '');
}

/** The flat value of a function in `-top`: MB, or a count. */
function flatOf(top: string, name: string): number {
  const line = top.split('\n').find((text) => text.trim().split(/\s+/)[5] === name) ?? '';
  const [, number = '0', unit = ''] = /^\s*([\d.]+)([a-zA-Z]*)/.exec(line) ?? [];
  return Number(number) * ({ kB: 1 / 1024, GB: 1024 }[unit] ?? 1);
}

function after(millis: number): Promise<void> {
  return new Promise((done) => setTimeout(done, millis));
}
