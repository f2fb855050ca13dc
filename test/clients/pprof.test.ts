/**
 * The collector with the real client, `go tool pprof`. Where there is no Go the tests are skipped, loudly; under CI=true
 * that is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, startCollector } from '../../collector/collector';
import { SyntheticAgent } from '../collector/synthetic-agent';
import { REGISTER } from '../faults/program';
import { openCollector } from './running';

const TOKEN = 'a-token-of-the-tests-0123456789';
const HANGS = join(__dirname, '../faults/fixtures/hangs.js');
const HAS_GO = spawnSync('go', ['version']).status === 0;
const SOURCE = `function handler(request) {
  const parsed = parse(request);
  return burn(parsed);
}

function burn(parsed) {
  let sum = 0;
  for (const part of parsed) sum += part.length;
  return sum;
}

function parse(request) {
  return request.split(',');
}
`;

let folder: string;
let collector: Collector;
let agent: SyntheticAgent;
let base: string;
let saved: string;

if (!HAS_GO) {
  process.stderr.write('\n*** SKIPPED: go is not installed, so no profile is shown to go tool pprof ***\n\n');
}

it('go is there under CI', () => {
  if (process.env.CI === 'true') expect(HAS_GO).toBe(true);
});

describe.skipIf(!HAS_GO)('go tool pprof', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ringtail-pprof-'));
    writeFileSync(join(folder, 'app.js'), SOURCE);
    const url = pathToFileURL(join(folder, 'app.js')).href;
    collector = await startCollector({ port: 0, token: TOKEN, environment: {} });
    base = `http://127.0.0.1:${collector.address.port}`;
    agent = new SyntheticAgent(collector.address, TOKEN);
    await agent.connect();
    const handler = `handler@${url}:1:3`;
    agent.run([
      { stack: `${handler};burn@${url}:6:8`, state: 0, share: 0.5 },
      { stack: `handler@${url}:1:2;parse@${url}:12:13`, state: 0, share: 0.2 },
      { stack: `${handler};get [Symbol.iterator]@node:internal/x:5:6`, state: 0, share: 0.05 },
      { stack: `${handler};@${url}:7:7`, state: 0, share: 0.05 },
      { stack: `${handler};(anonymous)@${url}:12:13`, state: 0, share: 0.05 },
      { stack: '', state: 1, share: 0.05 },
      { stack: '', state: 2, share: 0.05 },
      { stack: '', state: 3, share: 0.05 },
    ]);
    const response = await fetch(`${base}/debug/pprof/profile?seconds=2`);
    saved = join(folder, 'saved.pb.gz');
    writeFileSync(saved, new Uint8Array(await response.arrayBuffer()));
  });

  afterAll(async () => {
    await agent?.close();
    await collector?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('-top of a live endpoint names the culprit first, by name and not idle', async () => {
    const { stdout, stderr } = await pprof('-top', `${base}/debug/pprof/profile?seconds=1`);
    const rows = stdout.split('\n').filter((line) => /^\s*[\d.]+m?s/.test(line));
    expect(rows[0]).toMatch(/ burn$/);
    expect(stdout).toContain('File: shop');
    expect(stdout).toContain('Type: cpu');
    expect(stdout).toMatch(/Duration: 1s, Total samples = 9\d\d/);
    expect(stdout).toContain('inlined leaves repaired: 0.0 % of JS ticks');
    expect(stdout).toMatch(/ get \[Symbol\.iterator\]$/m);
    expect(stdout).toMatch(/ \(anonymous\) app\.js:7$/m);
    expect(stdout).toMatch(/ \(garbage collector\)$/m);
    expect(stdout).toMatch(/ \(program\)$/m);
    expect(stdout).not.toContain('idle');
    expect(stderr).not.toMatch(/warn|symboliz|error/i);
  });

  it('-list shows the source with the hot line', async () => {
    const { stdout } = await pprof('-list=^burn$', saved);
    expect(stdout).toMatch(/([\d.]+m?s)\s+\1 \(flat, cum\)/);
    expect(stdout).toMatch(/^\s*([\d.]+m?s)\s+\1\s+8:\s+for \(const part of parsed\)/m);
  });

  it('-list and -peek find functions without a name, whoever calls them anonymous', async () => {
    const { stdout } = await pprof('-list=anonymous', saved);
    expect(stdout).toMatch(/= \(anonymous\) app\.js:7 in .*app\.js/);
    expect(stdout).toMatch(/^\s*([\d.]+m?s)\s+\1\s+7:\s+let sum = 0;/m);
    expect(stdout).toMatch(/= \(anonymous\) app\.js:12 in .*app\.js/);
    expect(stdout).toMatch(/^\s*([\d.]+m?s)\s+\1\s+13:\s+return request\.split/m);
    const one = await pprof('-list=\\(anonymous\\) app\\.js:12', saved);
    expect(one.stdout).toContain('app.js:12');
    expect(one.stdout).not.toContain('app.js:7');
    const peek = await pprof('-peek=anonymous', saved);
    expect(peek.stdout).toMatch(/\| \(anonymous\) app\.js:7$/m);
  });

  it('-peek shows callers and callees', async () => {
    const { stdout } = await pprof('-peek=^burn$', saved);
    expect(stdout).toMatch(/handler/);
  });

  it('-raw shows types, period and mapping with all flags', async () => {
    const { stdout } = await pprof('-raw', saved);
    expect(stdout).toContain('PeriodType: cpu nanoseconds');
    expect(stdout).toContain('Period: 10101000');
    expect(stdout).toContain('samples/count cpu/nanoseconds');
    expect(stdout).toMatch(/1: 0x0\/0x0\/0x0 shop\s+\[FN\]\[FL\]\[LN\]\[IN\]/);
  });

  it('-traces and -tags show stacks and labels', async () => {
    const traces = await pprof('-traces', saved);
    expect(traces.stdout).toMatch(/burn\n\s+handler/);
    const tags = await pprof('-tags', saved);
    expect(tags.stdout).toMatch(/service: Total/);
    expect(tags.stdout).toMatch(/instance: Total[\s\S]*shop:1/);
    expect(tags.stdout).toMatch(/thread: Total[\s\S]*main/);
    const focused = await pprof('-top', '-tagfocus=thread=main', saved);
    expect(focused.stdout).toMatch(/ burn$/m);
  });

  it('-diff_base of two profiles of the same program is nothing', async () => {
    const { stdout } = await pprof('-top', `-diff_base=${saved}`, saved);
    expect(stdout).toMatch(/Showing nodes accounting for 0, 0% of/);
  });

  it('merges two addresses', async () => {
    const address = `${base}/debug/pprof/profile?seconds=1`;
    const { stdout } = await pprof('-top', address, address);
    const [, total, unit] = /Total samples = ([\d.]+)(m?s)/.exec(stdout) ?? [];
    expect(Number(total) / (unit === 'ms' ? 1000 : 1)).toBeGreaterThan(1.7);
  });

  it('takes -seconds, a bare host and port, and the wall profile', async () => {
    const bare = await pprof('-top', '-seconds=1', `127.0.0.1:${collector.address.port}`);
    expect(bare.stdout).toMatch(/Duration: 1s/);
    const wall = await pprof('-top', '-seconds=1', `${base}/debug/pprof/wall`);
    expect(wall.stdout).toContain('Type: wall');
    expect(wall.stdout).toMatch(/ \(idle\)$/m);
  });

  it('shows the words of an error', async () => {
    const absent = await pprof('-top', `${base}/debug/pprof/nosuch`);
    expect(absent.code).not.toBe(0);
    expect(absent.stderr).toContain('404 Not Found - Unknown profile');
    const refused = await pprof('-top', `${base}/debug/pprof/heap`);
    expect(refused.stderr).toContain('404 Not Found - no heap?');
    const unknown = await pprof('-top', `${base}/debug/pprof/profile?service=nosuch&seconds=1`);
    expect(unknown.stderr).toContain('service nosuch is not connected');
  });

  it('-http serves its pages', async () => {
    const port = await freePort();
    const ui = spawn('go', ['tool', 'pprof', '-no_browser', `-http=127.0.0.1:${port}`, saved], {
      env: { ...process.env, PPROF_TMPDIR: folder },
      detached: true,
    });
    try {
      const pages = ['top', 'flamegraph', 'peek', 'source?f=burn'];
      if (spawnSync('dot', ['-V']).status === 0) pages.push('');
      for (const page of pages) {
        const response = await eventually(() => fetch(`http://127.0.0.1:${port}/ui/${page}`));
        expect([page, response.status]).toEqual([page, 200]);
        expect(await response.text()).toContain('burn');
      }
    } finally {
      process.kill(-ui.pid!, 'SIGKILL');
    }
  });
});

describe.skipIf(!HAS_GO)('go tool pprof in the middle of a wait of seconds in Atomics.wait', () => {
  it('shows the wait as wall time and not as CPU', async () => {
    const running = await openCollector();
    const child = spawn(process.execPath, ['-r', REGISTER, HANGS, 'wait'], {
      env: { ...process.env, ...running.agentEnvironment, RINGTAIL_SERVICE: 'waiter' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise<void>((hangs) => {
        child.stdout.on('data', (text) => String(text).includes('hang') && hangs());
      });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const [wall, cpu] = await Promise.all(
        ['wall', 'profile'].map((name) =>
          pprof('-top', '-cum', `${running.url}/debug/pprof/${name}?seconds=1`),
        ),
      );
      const [, waited = '0', unit] = /([\d.]+)(m?s)\s+[\d.]+%\s+hangInWait$/m.exec(wall!.stdout) ?? [];
      expect(Number(waited) / (unit === 'ms' ? 1000 : 1), wall!.stdout).toBeGreaterThan(0.8);
      const [, total = '0', totalUnit] = /Total samples = ([\d.]+)(m?s)?/.exec(cpu!.stdout) ?? [];
      expect(Number(total) / (totalUnit === 'ms' ? 1000 : 1), cpu!.stdout).toBeLessThan(0.1);
      expect(cpu!.stdout).not.toContain('stuck in native code for 1');
    } finally {
      child.kill('SIGKILL');
      await running.close();
    }
  });
});

function pprof(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['tool', 'pprof', ...args], {
      env: { ...process.env, PPROF_TMPDIR: tmpdir() },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function eventually<Result>(attempt: () => Promise<Result>, withinMillis = 15_000): Promise<Result> {
  const deadline = Date.now() + withinMillis;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
