/**
 * What people do with `go tool pprof`, against a running program, at the collector and at the agent's own port alike.
 * What every answer looks like in HTTP is in answers.test.ts; TypeScript in -list is in source-maps.test.ts.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goPprof, needGo } from './go';
import { ended, openTargets, startProgram, type Target, type Targets, untilConnected } from './targets';
import { readTop, rowOf } from './top';

const UI_WITHIN_MILLIS = 20_000;

let targets: Targets;
let folder: string;

describe.runIf(needGo('the conformance list'))('go tool pprof', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    targets = await openTargets();
    await new Promise((done) => setTimeout(done, 2500));
  });

  afterAll(async () => {
    await targets?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each([
    [0, 'the collector'],
    [1, "the agent's own port"],
  ])('at target %i, %s', (index, name) => {
    let target: Target;
    let saved: string;

    beforeAll(async () => {
      target = targets.all[index]!;
      expect(target.name).toBe(name);
      saved = await save('profile?seconds=2', `cpu-${index}`);
    });

    async function save(path: string, as: string): Promise<string> {
      const { status, body } = await target.ask(path);
      expect(status, body.toString()).toBe(200);
      const file = join(folder, `${as}.pb.gz`);
      writeFileSync(file, body);
      return file;
    }

    const top = async (...words: string[]) =>
      readTop((await goPprof('-top', '-nodefraction=0', ...words)).stdout);

    it('-top of a live address: the culprit first, without a warning', async () => {
      const { stdout, stderr } = await goPprof('-top', '-seconds=2', `${target.proven}profile`);
      const read = readTop(stdout);
      expect(read.type).toBe('cpu');
      expect(read.durationSeconds).toBe(2);
      expect(read.rows[0]!.name).toBe('burn');
      expect(rowOf(read, 'burn').cum / read.total).toBeGreaterThan(0.5);
      expect(stdout).not.toContain('(idle)');
      expect(stderr).not.toMatch(/warn|symboliz|error/i);
    });

    it.each([
      ['block', 'delay', /^(burn|waitsForLock)$/],
      ['mutex', 'delay', /^waitsForLock$/],
      ['goroutine', 'goroutine', /^/],
      ['threadcreate', 'threadcreate', /^/],
      ['heap', 'inuse_space', /^/],
      ['allocs', 'alloc_space', /^/],
      ['wall', 'wall', /^/],
    ])('-top -seconds=1 of %s', async (profile, type, first) => {
      const read = await top('-seconds=1', `${target.proven}${profile}`);
      expect(read.type).toBe(type);
      expect(read.durationSeconds).toBeCloseTo(1, 0);
      if (read.rows.length > 0) expect(read.rows[0]!.name).toMatch(first);
    });

    it.each([
      ['heap', 'inuse_space', 'keepsObjects'],
      ['heap', 'inuse_objects', 'keepsObjects'],
      ['heap', 'alloc_space', 'keepsObjects'],
      ['heap', 'alloc_objects', 'keepsObjects'],
      ['block', 'contentions', 'waitsForLock'],
      ['block', 'total_delay', 'waitsForLock'],
      ['block', 'mean_delay', 'waitsForLock'],
      ['mutex', 'contentions', 'waitsForLock'],
      ['mutex', 'total_delay', 'waitsForLock'],
      ['mutex', 'mean_delay', 'waitsForLock'],
    ])('%s -%s chooses by the name of the type', async (profile, type, culprit) => {
      const read = await top(`-${type}`, '-cum', `${target.proven}${profile}`);
      expect(read.type).toBe(type.replace(/^total_/, ''));
      expect(rowOf(read, culprit).cum).toBeGreaterThan(0);
      // A wait of the program is one of 60 ms, told to a sampling period.
      if (type === 'mean_delay') {
        expect(rowOf(read, culprit).cum).toBeGreaterThan(30e6);
        expect(rowOf(read, culprit).cum).toBeLessThan(120e6);
      }
    });

    it('-list shows the source with its hot line', async () => {
      const { stdout } = await goPprof('-list=^burn$', saved);
      expect(stdout).toMatch(/burn in .*fixtures\/everything\.cjs/);
      expect(stdout).toMatch(/[\d.]+m?s\s+\d+:\s+while \(performance\.now\(\) < end\) for/);
    });

    it('-peek shows callers, -traces stacks leaf first, -raw what is in it', async () => {
      expect((await goPprof('-peek=^burn$', saved)).stdout).toMatch(/\| +burnsCpu\n[\s\S]*\| burn$/m);
      expect((await goPprof('-traces', saved)).stdout).toMatch(/ burn\n\s+burnsCpu\n/);
      const { stdout } = await goPprof('-raw', saved);
      expect(stdout).toMatch(/^PeriodType: cpu nanoseconds\nPeriod: \d+\n/m);
      expect(stdout).toContain('samples/count cpu/nanoseconds\n');
      expect(stdout).toMatch(/everything\s+\[FN\]\[FL\]\[LN\]\[IN\]$/m);
    });

    it('-tags tells labels; they focus, ignore, and become root or leaf', async () => {
      const { stdout } = await goPprof('-tags', saved);
      expect(stdout).toMatch(/ thread: Total[\s\S]* main\n/);
      const all = (await top(saved)).total;
      expect(rowOf(await top('-tagfocus=thread=main', saved), 'burn').cum).toBeGreaterThan(all / 3);
      expect((await top('-tagignore=thread=main', saved)).rows.map((row) => row.name)).not.toContain('burn');
      const rooted = await top('-cum', '-tagroot=service', saved);
      // What has all of it stands in any order.
      const root = rooted.rows.find(({ name }) => /everything/.test(name));
      expect(root?.cum).toBe(rooted.rows[0]!.cum);
      const leaved = await top('-tagleaf=thread', saved);
      expect(leaved.rows[0]!.name).toMatch(/main/);
    });

    it('-diff_base and -base of a profile with itself leave nothing', async () => {
      for (const flag of ['diff_base', 'base']) {
        const { stdout } = await goPprof('-top', `-${flag}=${saved}`, saved);
        expect(stdout).toMatch(/Showing nodes accounting for 0, /);
      }
    });

    it('-normalize compares shares: what is twice as long is no more', async () => {
      const short = await save('profile?seconds=1', `short-${index}`);
      const sumOf = (rows: { flat: number }[]) => rows.reduce((sum, { flat }) => sum + flat, 0);
      const plain = await top('-nodecount=1000', `-diff_base=${short}`, saved);
      const normalized = await top('-nodecount=1000', '-normalize', `-diff_base=${short}`, saved);
      const { total } = await top(short);
      expect(sumOf(plain.rows)).toBeGreaterThan(0.3 * total);
      expect(Math.abs(sumOf(normalized.rows))).toBeLessThan(0.02 * total);
    });

    it('-base of two heaps is what grew between them', async () => {
      const before = await save('heap?gc=1', `heap-${index}`);
      await new Promise((done) => setTimeout(done, 1000));
      const grown = await top(`-base=${before}`, `${target.proven}heap?gc=1`);
      expect(rowOf(grown, 'keepsObjects').flat).toBeGreaterThan(0);
    });

    it('merges two addresses', async () => {
      const one = `${target.proven}profile?seconds=1`;
      const both = await top(one, one);
      expect(both.durationSeconds).toBe(2);
      expect(both.total).toBeGreaterThan(0);
      expect((await top(saved, saved)).total).toBeCloseTo(2 * (await top(saved)).total, -8);
      const kinds = await top(`${target.proven}block`, `${target.proven}mutex`);
      expect(kinds.type).toBe('delay');
    });

    it('takes bodies that are gzipped, raw, and gzipped on the way', async () => {
      const gzipped = readFileSync(saved);
      const server = createServer(({ url }, response) => {
        if (url === '/encoded') response.setHeader('Content-Encoding', 'gzip');
        response.end(url === '/raw' ? gunzipSync(gzipped) : gzipped);
      }).listen(0, '127.0.0.1');
      try {
        await new Promise((listens) => server.once('listening', listens));
        const wanted = await top(saved);
        for (const form of ['gzipped', 'raw', 'encoded']) {
          const { port } = server.address() as AddressInfo;
          expect(await top(`http://127.0.0.1:${port}/${form}`)).toEqual(wanted);
        }
      } finally {
        server.close();
      }
    });

    it('shows the words of a refusal', async () => {
      const said = async (path: string) =>
        goPprof('-top', `${target.proven}${path}`).then(
          () => '',
          ({ stderr }: { stderr: string }) => stderr,
        );
      expect(await said('nosuch')).toContain('server response: 404 Not Found - Unknown profile');
      expect(await said('block?seconds=1&debug=1')).toContain(
        '400 Bad Request - seconds and debug params are incompatible',
      );
      expect(await said('trace?seconds=1')).toMatch(/server response: 4\d\d .* - .*trace/);
    });

    it('-http serves its pages', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((listens) => server.once('listening', listens));
      const { port } = server.address() as AddressInfo;
      await new Promise((closed) => server.close(closed));
      const ui = spawn('go', ['tool', 'pprof', '-no_browser', `-http=127.0.0.1:${port}`, saved], {
        env: { ...process.env, PPROF_TMPDIR: folder, HOME: folder },
        stdio: 'ignore',
        detached: true,
      });
      try {
        for (const page of ['', 'ui/', 'ui/flamegraph', 'ui/top', 'ui/peek?f=burn', 'ui/source?f=burn']) {
          const response = await eventually(() => fetch(`http://127.0.0.1:${port}/${page}`));
          expect([page, response.status]).toEqual([page, 200]);
          expect(await response.text()).toContain('burn');
        }
      } finally {
        process.kill(-ui.pid!, 'SIGKILL');
      }
    });
  });

  it('merges two services, which must be told apart', async () => {
    const second = startProgram(targets.collector, 'second');
    try {
      await untilConnected(targets.collector, 'second');
      const [{ proven }] = targets.all as [Target];
      await expect(goPprof('-top', `${proven}profile?seconds=1`)).rejects.toMatchObject({
        stderr: expect.stringMatching(/400 Bad Request - more than one service[\s\S]*service=second/),
      });
      const { stdout } = await goPprof(
        '-tags',
        `${proven}profile?seconds=2&service=everything`,
        `${proven}profile?seconds=2&service=second`,
      );
      expect(stdout).toMatch(/service: Total[\s\S]*(everything[\s\S]*second|second[\s\S]*everything)/);
    } finally {
      await ended(second);
    }
  });
});

async function eventually(attempt: () => Promise<Response>): Promise<Response> {
  const deadline = Date.now() + UI_WITHIN_MILLIS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
