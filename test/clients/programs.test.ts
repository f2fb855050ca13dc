/**
 * CPU truth over kinds of programs: 2 to 12 functions, recursion, async, native calls, much garbage. What
 * `go tool pprof -top -cum` reads of each function must agree with what it measured itself. TRUTH_SEEDS and
 * TRUTH_SECONDS make the long form (`npm run soak -- --only truth`): 10,000 busy samples and three seeds.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { connected, openCollector, type RunningCollector } from './running';

const PROGRAM = join(__dirname, 'fixtures/programs.cjs');
const KINDS = ['plain', 'recursion', 'async', 'native', 'gc'];
const SEEDS = (process.env.TRUTH_SEEDS ?? '1').split(',').map(Number);
const SECONDS = Number(process.env.TRUTH_SECONDS ?? 6);
const HZ = 997;
const POINTS = 2;
/** Standard errors of the sampling that the short form may be off beyond its points. */
const SIGMAS = SECONDS >= 12 ? 0 : 2;

async function measure(collector: RunningCollector, kind: string, seed: number) {
  const service = `truth-${kind}-${seed}`;
  const child = spawn(
    process.execPath,
    ['-r', REGISTER, PROGRAM, kind, String(seed), String((SECONDS + 3) * 1000)],
    {
      env: {
        ...process.env,
        ...collector.agentEnvironment,
        RINGTAIL_SERVICE: service,
        RINGTAIL_CPU_HZ: String(HZ),
        RINGTAIL_BUDGET_PERCENT: '100',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await connected(collector, service);
  const url = `${collector.url}/debug/pprof/profile?seconds=${SECONDS}&service=${service}`;
  const { stdout } = await goPprof(
    '-top',
    '-cum',
    '-sample_index=samples',
    '-nodefraction=0',
    '-nodecount=200',
    url,
  );
  await ended;
  const truth = JSON.parse(printed) as Record<string, number>;
  const names = Object.keys(truth);
  const ticks = names.map((name) => cumulative(stdout, name));
  const samples = Number(/Total samples = (\d+)/.exec(stdout)?.[1] ?? 0);
  return { truth: percent(Object.values(truth)), got: percent(ticks), names, samples, stdout };
}

function cumulative(top: string, name: string): number {
  const [, ticks = '0'] =
    new RegExp(`^\\s*\\d+\\s+\\S+\\s+\\S+\\s+(\\d+)\\s+\\S+\\s+${name}$`, 'm').exec(top) ?? [];
  return Number(ticks);
}

function percent(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => (100 * value) / sum);
}

// Figures of a machine that others use as well: once more before a miss counts.
describe.runIf(needGo('CPU truth of programs'))('CPU by function', { retry: 1 }, () => {
  let collector: RunningCollector;
  beforeAll(async () => {
    collector = await openCollector();
  });
  afterAll(() => collector.close());

  it.each(KINDS.flatMap((kind) => SEEDS.map((seed) => [kind, seed] as const)))(
    'of a %s program is the true one, seed %i',
    async (kind, seed) => {
      const { truth, got, names, samples, stdout } = await measure(collector, kind, seed);
      const off = names.map((_, index) => Math.abs(got[index]! - truth[index]!));
      console.log(
        `${process.version} ${kind} seed ${seed}: ${names.length} functions, ${samples} samples, at most ${Math.max(...off).toFixed(2)} points off (${truth.map((share) => share.toFixed(1)).join(' ')})`,
      );
      if (SECONDS >= 12) expect(samples).toBeGreaterThanOrEqual(10_000);
      for (const [index, name] of names.entries()) {
        const share = truth[index]! / 100;
        const sigma = 100 * Math.sqrt((share * (1 - share)) / Math.max(1, samples));
        expect(off[index], `${name}\n${stdout}`).toBeLessThan(POINTS + SIGMAS * sigma);
      }
    },
    60_000,
  );
});
