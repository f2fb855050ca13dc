/** Cluster workers and child processes of one service: one profile of all, told apart by labels; of one where asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector } from './running';
import { ended } from './targets';
import { readTop, rowOf } from './top';

const PROGRAM = join(__dirname, 'fixtures/cluster.cjs');
const PROCESSES = 4;
const CONNECT_MILLIS = 20_000;

let collector: RunningCollector;
let program: ChildProcess;

describe.runIf(needGo('processes of a service'))('the processes of a service', () => {
  beforeAll(async () => {
    collector = await openCollector();
    program = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: {
        PATH: process.env.PATH ?? '',
        ...collector.agentEnvironment,
        RINGTAIL_SERVICE: 'shop',
        RINGTAIL_LABELS: 'team=web,version=1.2.3',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await allConnected();
  }, CONNECT_MILLIS + 5000);

  afterAll(async () => {
    await ended(program);
    await collector?.close();
  });

  async function instances(): Promise<string[]> {
    const text = await (await fetch(`${collector.url}/metrics`)).text();
    return [...text.matchAll(/^ringtail_instance_info\{.*$/gm)].map(([line]) => line);
  }

  async function allConnected(): Promise<void> {
    const deadline = Date.now() + CONNECT_MILLIS;
    while ((await instances()).length < PROCESSES) {
      if (Date.now() > deadline) throw new Error(`only ${(await instances()).join('\n')}`);
      await new Promise((done) => setTimeout(done, 100));
    }
    await new Promise((done) => setTimeout(done, 1000));
  }

  async function tagsOf(path: string) {
    const { stdout } = await goPprof('-tags', `${collector.url}/debug/pprof/${path}`);
    return (label: string) =>
      (new RegExp(` ${label}: Total.*\\n((?:.*: .*\\n)*)`).exec(stdout)?.[1] ?? '')
        .split('\n')
        .flatMap((line) => /: (\S+)$/.exec(line)?.[1] ?? []);
  }

  it.each(['profile?seconds=2', 'wall?seconds=1', 'goroutine'])(
    'are in one %s, each under its own label and all under those of the service',
    async (path) => {
      const values = await tagsOf(path);
      expect(new Set(values('instance')).size).toBe(PROCESSES);
      expect([values('service'), values('team'), values('version')]).toEqual([['shop'], ['web'], ['1.2.3']]);
    },
    30_000,
  );

  it('add up, and are found by their labels', async () => {
    const url = `${collector.url}/debug/pprof/profile?seconds=2`;
    const top = readTop((await goPprof('-top', '-tagfocus=version=1.2.3', '-nodefraction=0', url)).stdout);
    expect(rowOf(top, 'worksInPrimary').cum).toBeGreaterThan(0);
    expect(rowOf(top, 'worksInWorker').cum).toBeGreaterThan(1.3 * rowOf(top, 'worksInChild').cum);
  }, 30_000);

  it('are known to Prometheus with their labels', async () => {
    for (const line of await instances()) {
      expect(line).toMatch(/[{,]team="web"[,}]/);
      expect(line).toContain(`node_version="${process.version}"`);
    }
  });
});
