/** Worker threads in profiles: their functions, told apart by thread, where sampling them is safe or asked for. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerSampling } from '../../agent/aggregator/worker-sampling';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { connected, openCollector, type RunningCollector } from './running';

const PROGRAM = join(__dirname, 'fixtures/workers.cjs');

it('of Node.js 20 are sampled only where it is asked for', () => {
  expect(WorkerSampling.isWanted('auto', 'v20.20.2')).toBe(false);
  expect(WorkerSampling.isWanted('auto', 'v22.23.0')).toBe(true);
  expect(WorkerSampling.isWanted('on', 'v20.20.2')).toBe(true);
  expect(WorkerSampling.isWanted('off', 'v26.1.0')).toBe(false);
});

describe.runIf(needGo('worker threads'))('a program with busy workers', { retry: 1 }, () => {
  let collector: RunningCollector;
  beforeAll(async () => {
    collector = await openCollector();
  });
  afterAll(() => collector.close());

  const profile = async (service: string, environment: Record<string, string>, ...words: string[]) => {
    const child = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: { ...process.env, ...collector.agentEnvironment, ...environment, RINGTAIL_SERVICE: service },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise((done) => child.once('close', done));
    try {
      await connected(collector, service, 1500);
      const url = `${collector.url}/debug/pprof/profile?seconds=4&service=${service}`;
      return (await goPprof(...words, '-sample_index=samples', url)).stdout;
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  };

  it('shows each of them under its own thread', async () => {
    const tags = await profile('sampled', { RINGTAIL_WORKERS: '1' }, '-tags');
    const ticks = (thread: string) =>
      Number(new RegExp(`^\\s*([\\d.]+) .*: ${thread}$`, 'm').exec(tags)?.[1] ?? 0);
    console.log(
      `${process.version}: ${ticks('main')} ticks of main, ${ticks('worker-2')} and ${ticks('worker-3')} of two workers`,
    );
    for (const thread of ['main', 'worker-2', 'worker-3'])
      expect(ticks(thread), `${thread}\n${tags}`).toBeGreaterThan(20);
  }, 30_000);

  it('names their functions', async () => {
    const top = await profile(
      'named',
      { RINGTAIL_WORKERS: '1' },
      '-top',
      '-cum',
      '-tagfocus=thread=worker-.*',
    );
    expect(top).toMatch(/\bburnInWorker\b/);
    expect(top).not.toMatch(/\bburnInMain\b/);
  }, 30_000);

  it('shows none of them where it is switched off', async () => {
    const tags = await profile('off', { RINGTAIL_WORKERS: '0' }, '-tags');
    expect(tags).toMatch(/: main$/m);
    expect(tags).not.toMatch(/worker-/);
  }, 30_000);
});
