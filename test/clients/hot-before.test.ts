/** What ran hot before sampling began: V8 hides it from its sampler until it is compiled again (README, Limits). */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector, watchTail } from './running';
import { ended, untilConnected } from './targets';
import { readTop } from './top';

const PROGRAM = join(__dirname, 'fixtures/culprits/hot-before.cjs');
/** Until 30 ticks are in; a busy machine takes its time. */
const NAMED_WITHIN_MILLIS = 30_000;
const COMPILED_AGAIN = 'V8 was made to compile hot code again';

let collector: RunningCollector;
let folder: string;
let program: ChildProcess;
beforeAll(async () => {
  collector = await openCollector();
  folder = mkdtempSync(join(tmpdir(), 'hot-before-'));
});
afterEach(() => ended(program));
afterAll(async () => {
  await collector.close();
  rmSync(folder, { recursive: true });
});

/** Under the preload; gives the notes that come from it. */
async function start(service: string, words: string[], environment: Record<string, string>) {
  const notes: string[] = [];
  const tail = await watchTail(collector, service, (line) => {
    if (line.type === 'notice' && line.kind === 'note') notes.push(line.text);
  });
  program = spawn(process.execPath, ['-r', REGISTER, PROGRAM, ...words], {
    env: {
      PATH: process.env.PATH ?? '',
      ...collector.agentEnvironment,
      RINGTAIL_SERVICE: service,
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  program.once('close', () => tail.close());
  return notes;
}

describe.runIf(needGo('what was hot before'))('a callback that is hot from the first line on', () => {
  it('is named all the same, before long', async () => {
    await start('hot-before', [], {});
    await untilConnected(collector, 'hot-before');
    const address = `${collector.url}/debug/pprof/profile?seconds=2&service=hot-before`;
    const read = async () =>
      readTop((await goPprof('-top', '-nodefraction=0', address)).stdout).rows[0]?.name;
    await expect.poll(read, { timeout: NAMED_WITHIN_MILLIS }).toBe('burnsFromTheStart');
    // And so it stays.
    expect(await read()).toBe('burnsFromTheStart');
  }, 90_000);
});

describe('a program that takes a coverage by itself', () => {
  it.each(['auto', 'start'])('has its counts as without us (RINGTAIL_RECOMPILE=%s)', async (mode) => {
    const file = join(folder, mode);
    const notes = await start(`covered-${mode}`, [file], { RINGTAIL_RECOMPILE: mode });
    await new Promise((done) => program.once('close', done));
    const [failure, calls, counted] = JSON.parse(readFileSync(file, 'utf8'));
    expect([failure, counted]).toEqual(['null', calls]);
    expect(calls).toBeGreaterThan(10);
    // In the first tenths of a second it has none yet, and nothing is spoilt.
    expect(notes.filter((text) => text.includes(COMPILED_AGAIN)).length).toBeLessThanOrEqual(1);
  });
});
