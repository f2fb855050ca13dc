/** What ran hot before sampling began: V8 hides it from its sampler until it is compiled again (README, Limits). */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector, watchTail } from './running';
import { ended, untilConnected } from './targets';
import { readTop } from './top';

const PROGRAM = join(__dirname, 'fixtures/culprits/hot-before.cjs');
/** Until 30 ticks are in. By itself V8 may compile it again after half a minute. */
const NAMED_WITHIN_MILLIS = 15_000;
/** What NODE_V8_COVERAGE leaves. */
type Report = { result: { functions: { functionName: string; ranges: { count: number }[] }[] }[] };

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

describe('a program that takes a coverage', () => {
  it('by itself has its counts as without us', async () => {
    const file = join(folder, 'session');
    const notes = await start('covered', [file], { RINGTAIL_RECOMPILE: 'start' });
    await new Promise((done) => program.once('close', done));
    const [calls, counted] = JSON.parse(readFileSync(file, 'utf8'));
    expect([calls > 10, counted], notes.join('\n')).toEqual([true, calls]);
    expect(notes).toContainEqual(expect.stringContaining('the program has loaded node:inspector'));
  });

  it('by NODE_V8_COVERAGE has its counts as without us', async () => {
    const file = join(folder, 'calls');
    const reports = join(folder, 'reports');
    await start('reported', [file], { RINGTAIL_RECOMPILE: 'start', NODE_V8_COVERAGE: reports });
    await new Promise((done) => program.once('close', done));
    const [calls] = JSON.parse(readFileSync(file, 'utf8'));
    const counted = readdirSync(reports).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(reports, name), 'utf8')) as Report;
      const functions = result.flatMap((script) => script.functions);
      const found = functions.find(({ functionName }) => functionName === 'isCounted');
      return found === undefined ? [] : [found.ranges[0]!.count];
    });
    expect([calls > 10, counted]).toEqual([true, [calls]]);
  });
});
