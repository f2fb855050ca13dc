/**
 * Labels that follow await, and routes as labels: programs whose functions' names tell whose work they are, so that the
 * labels of samples can be held against the truth by `go tool pprof -tags`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_FOLDER, REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { connected, openCollector, type RunningCollector } from './running';

const PROGRAM = join(__dirname, 'fixtures/labelled.cjs');
/** Share of samples with a label that is not theirs, percent: where a switch and a tick fall together, chance decides. */
const WRONG_MAX = 10;
/** Share of samples without any. */
const NONE_MAX = 15;

describe.runIf(needGo('labels'))('labels of samples', { retry: 1 }, () => {
  let collector: RunningCollector;
  let folder: string;
  beforeAll(async () => {
    collector = await openCollector();
    folder = mkdtempSync(join(tmpdir(), 'labels-'));
  });
  afterAll(async () => {
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['tenants', 'tenant', 'red', 'blue'],
    ['routes', 'http.route', '/red', '/blue'],
  ])(
    'of %s are those of the work',
    async (way, label, red, blue) => {
      const service = `labelled-${way}`;
      const child = spawn(process.execPath, ['-r', REGISTER, PROGRAM, way, join(BUILD_FOLDER, 'index.js')], {
        env: {
          ...process.env,
          ...collector.agentEnvironment,
          RINGTAIL_SERVICE: service,
          RINGTAIL_ROUTE_LABELS: '1',
          RINGTAIL_CPU_HZ: '499',
          RINGTAIL_BUDGET_PERCENT: '100',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = new Promise((done) => child.once('close', done));
      const file = join(folder, `${way}.pb.gz`);
      try {
        await connected(collector, service);
        const url = `${collector.url}/debug/pprof/profile?seconds=5&service=${service}`;
        await goPprof('-proto', '-output', file, url);
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
      let [all, right, wrong] = [0, 0, 0];
      for (const [name, own, other] of [
        ['burnForRed', red, blue],
        ['burnForBlue', blue, red],
      ] as const) {
        const { stdout } = await goPprof('-tags', `-focus=${name}`, '-sample_index=samples', file);
        const lines = sectionOf(stdout, label);
        all += Number(/thread: Total ([\d.]+)/.exec(stdout)?.[1] ?? 0);
        right += ticksOf(lines, own);
        wrong += ticksOf(lines, other);
      }
      const percent = (part: number) => (100 * part) / Math.max(1, all);
      console.log(
        `${process.version} ${way}: ${all} samples, ${percent(wrong).toFixed(1)} % under a wrong label, ${percent(all - right - wrong).toFixed(1)} % under none`,
      );
      expect(all).toBeGreaterThan(100);
      expect(percent(wrong)).toBeLessThan(WRONG_MAX);
      expect(percent(all - right - wrong)).toBeLessThan(NONE_MAX);
    },
    60_000,
  );
});

function sectionOf(tags: string, label: string): string[] {
  const lines = tags.split('\n');
  const start = lines.findIndex((line) => line.trim().startsWith(`${label}: Total`));
  if (start < 0) return [];
  const end = lines.findIndex((line, index) => index > start && line.trim() === '');
  return lines.slice(start + 1, end);
}

function ticksOf(lines: readonly string[], value: string): number {
  const line = lines.find((text) => text.trim().endsWith(`: ${value}`));
  return Number(/^\s*([\d.]+)/.exec(line ?? '')?.[1] ?? 0);
}
