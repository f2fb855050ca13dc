/** The whole thing: collector, service, agent, tail and `go tool pprof`, as `npm start` runs it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startCollector } from '../../collector/collector';
import { type RunningCommand, runCommandLine, startCommand } from './command-process';

const run = promisify(execFile);

function portOf(text: string): number {
  return Number(/collector on http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
}

async function started(demo: RunningCommand): Promise<{ port: number; servicePid: number }> {
  let text = '';
  demo.child.stdout?.on('data', (chunk: string) => {
    text += chunk;
  });
  await demo.wrote('requests a second');
  return { port: portOf(text), servicePid: Number(/demo: service (\d+)/.exec(text)?.[1]) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ends(pid: number): Promise<boolean> {
  for (let i = 0; i < 50 && isAlive(pid); i++) await setTimeout(100);
  return !isAlive(pid);
}

describe('ringtail demo', () => {
  it('ends by itself with a summary: culprit, stalls with their stack, pauses, losses, cost', async () => {
    const { code, stdout, stderr } = await runCommandLine(['demo', '--seconds', '15', '--port', '0']);
    expect([code, stderr]).toEqual([0, '']);
    const port = portOf(stdout);
    expect(stdout).toContain(`go tool pprof "http://127.0.0.1:${port}/debug/pprof/profile?seconds=5"`);
    expect(stdout).toContain(`tail demo --url ws://127.0.0.1:${port}`);
    const summary = stdout.slice(stdout.indexOf('summary of'));
    const [, ran, told] =
      /^summary of (\d+) seconds; the agent told of ([\d.]+) of them\n/.exec(summary) ?? [];
    expect(ran).toBe('15');
    expect(Number(told)).toBeGreaterThanOrEqual(10);
    expect(Number(/requests +([\d,]+) seen/.exec(summary)?.[1]?.replace(',', ''))).toBeGreaterThan(500);
    expect(/hottest.*\n +[\d.]+ % +(\S+)/.exec(summary)?.[1]).toBe('slowReportTotals');
    expect(summary).toMatch(/stalls +\d+, the longest:\n[\s\S]*rebuildSearchIndex/);
    expect(summary).toMatch(/gc pauses +\d+: p50 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms/);
    expect(summary).toMatch(/lost +\S/);
    expect(summary).toMatch(/cost +service [\d.]+ % of a core, ringtail's threads [\d.]+ % of a core/);
  });

  it('names its culprit first in go tool pprof, and leaves no process behind at Ctrl-C', async (context) => {
    const demo = startCommand(['demo', '--port', '0']);
    const { port, servicePid } = await started(demo);
    try {
      await setTimeout(1000);
      const url = `http://127.0.0.1:${port}/debug/pprof/profile?seconds=5`;
      const { stdout } = await run('go', ['tool', 'pprof', '-top', url], {
        env: { ...process.env, PPROF_TMPDIR: tmpdir() },
      });
      expect(/flat%.*\n\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+(\S+)/.exec(stdout)?.[1]).toBe('slowReportTotals');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || process.env.CI === 'true') throw error;
      context.skip('go is not installed: go tool pprof was NOT tried');
    } finally {
      demo.child.kill('SIGINT');
      const { code, stdout } = await demo.ended;
      expect(code).toBe(130);
      expect(stdout).toContain('summary of');
      expect(isAlive(servicePid)).toBe(false);
    }
  });

  it('takes its service with it even when it is killed', async () => {
    const demo = startCommand(['demo', '--port', '0']);
    const { servicePid } = await started(demo);
    demo.child.kill('SIGKILL');
    await demo.ended;
    expect(await ends(servicePid)).toBe(true);
  });

  it('says when the port is taken: another one when none was asked for, an error when one was', async () => {
    const other = createServer().on('error', () => {});
    await new Promise<void>((resolve) => {
      other.once('error', () => resolve());
      other.listen(7411, '127.0.0.1', resolve);
    });
    try {
      const any = await runCommandLine(['demo', '--seconds', '4']);
      expect(any.stderr).toContain('demo: port 7411 is taken by another program, trying 7412');
      expect(portOf(any.stdout)).toBeGreaterThan(7411);
      const asked = await runCommandLine(['demo', '--seconds', '4', '--port', '7411']);
      expect(asked.code).toBe(1);
      expect(asked.stderr).toContain('port 7411 is taken by another program [ERR_CLI_PORT_BUSY]');
      expect(asked.stderr).toContain('ringtail demo --port 7412');
    } finally {
      other.close();
    }
  });

  it('says when it is a collector that has the port', async () => {
    for (const requireToken of [false, true]) {
      const environment = { RINGTAIL_TOKEN: 'a-token-of-the-tests-0123456789' };
      const collector = await startCollector({ port: 0, environment, requireToken });
      const { port } = collector.address;
      try {
        const { code, stderr } = await runCommandLine(['demo', '--seconds', '4', '--port', String(port)]);
        expect(code).toBe(1);
        expect(stderr).toContain(`port ${port} is taken by a ringtail collector [ERR_CLI_PORT_BUSY]`);
      } finally {
        await collector.close();
      }
    }
  });

  it('says so when the agent is not heard', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringtail-mute-'));
    const mute = join(folder, 'mute.js');
    writeFileSync(mute, "if (/demo-service/.test(process.argv[1])) process.env.RINGTAIL_ENABLED = '0';");
    try {
      const { code, stderr } = await runCommandLine(['demo', '--port', '0'], {
        NODE_OPTIONS: `--require ${mute}`,
      });
      expect(code).toBe(1);
      expect(stderr).toContain("heard nothing from the agent in the demo's service");
      expect(stderr).toContain('[ERR_CLI_DEMO_SILENT]');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
