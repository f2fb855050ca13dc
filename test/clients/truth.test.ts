/**
 * CPU truth: programs that split their CPU 60 : 30 : 10 over three functions and measure it themselves. What
 * `go tool pprof -top` reads from a live endpoint must agree within three points, at 3,000 busy samples or more: where
 * V8 does not inline the functions, and, by repaired leaves, where it does. TRUTH_SEEDS and TRUTH_SECONDS make the long
 * form (`npm run soak -- --only truth`): 10,000 busy samples.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { connected, openCollector, type RunningCollector } from './running';

const PROGRAM = join(__dirname, 'fixtures/split.js');
const SEEDS = (process.env.TRUTH_SEEDS ?? '1,2,3').split(',').map(Number);
const IS_LONG = process.env.TRUTH_SECONDS !== undefined;
const HZ = IS_LONG ? 997 : 799;
const SECONDS = Number(process.env.TRUTH_SECONDS ?? 12);
const SAMPLES_MIN = IS_LONG ? 10_000 : 3000;
const POINTS = IS_LONG ? 2 : 3;
const NAMES = ['sixty', 'thirty', 'ten'] as const;

type Split = Record<(typeof NAMES)[number], number>;

const percent = (split: Split): Split => {
  const sum = NAMES.reduce((total, name) => total + split[name], 0);
  return {
    sixty: (100 * split.sixty) / sum,
    thirty: (100 * split.thirty) / sum,
    ten: (100 * split.ten) / sum,
  };
};
const shown = (split: Split) => NAMES.map((name) => split[name].toFixed(1)).join(' / ');

/** Runs the program and profiles it while it runs. */
async function measure(collector: RunningCollector, kind: string, seed: number) {
  const service = `split-${kind}-${seed}`;
  const child = spawn(
    process.execPath,
    ['-r', REGISTER, PROGRAM, String(seed), String((SECONDS + 3) * 1000), kind],
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
  const { stdout } = await goPprof('-top', '-sample_index=samples', '-nodecount=40', url);
  await ended;
  const flat = (name: string) =>
    Number(new RegExp(`^\\s*(\\d+)\\s.*\\s${name}$`, 'm').exec(stdout)?.[1] ?? 0);
  const got: Split = { sixty: flat('sixty'), thirty: flat('thirty'), ten: flat('ten') };
  const samples = Number(/Total samples = (\d+)/.exec(stdout)?.[1] ?? 0);
  const repaired = /inlined leaves repaired: ([\d.]+) %/.exec(stdout)?.[1] ?? '';
  return {
    truth: percent(JSON.parse(printed) as Split),
    got: percent(got),
    // Reading the clock is work of the program's too, and dear where threads are many; on Node 24 its numbers are often
    // objects, and their garbage takes up to a tenth.
    inNames: NAMES.reduce((sum, name) => sum + got[name], flat('cpuUsage')),
    inCollector: flat('\\(garbage collector\\)'),
    samples,
    repaired,
    stdout,
  };
}

// Figures of a machine that others use as well: once more before a miss counts.
describe.runIf(needGo('CPU truth'))('the split of CPU that go tool pprof shows', { retry: 1 }, () => {
  let collector: RunningCollector;
  beforeAll(async () => {
    collector = await openCollector();
  });
  afterAll(() => collector.close());

  for (const kind of ['large', 'inlinable']) {
    it.each(SEEDS)(`of ${kind} functions is the true one, seed %i`, async (seed) => {
      const { truth, got, inNames, inCollector, samples, repaired, stdout } = await measure(
        collector,
        kind,
        seed,
      );
      console.log(
        `${process.version} ${kind} seed ${seed}: truth ${shown(truth)}, pprof ${shown(got)}, ${samples} samples, credited to inlining callers ${repaired} %`,
      );
      expect(samples).toBeGreaterThanOrEqual(SAMPLES_MIN);
      expect(inNames / (samples - inCollector), stdout).toBeGreaterThan(0.9);
      for (const name of NAMES)
        expect(Math.abs(got[name] - truth[name]), `${name}\n${stdout}`).toBeLessThan(POINTS);
    });
  }
});
