import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProfileContext } from '../../../agent/aggregator/profiles/context';
import { MainClock } from '../../../agent/aggregator/profiles/main-clock';
import { RunProfile } from '../../../agent/aggregator/run-profile';
import { decodePprof } from '../../../collector/profile/decode-pprof';

const PERIOD = 10e6;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-profile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A run of 300 ticks outside JavaScript while main's clock says so much; rests: of it while sampling rested. */
function run(cpuMicros: number, rests: { savedMicros: number; cpuMicros: number }) {
  let [cpu, unsampled] = [50_000, 0];
  const listeners = new Set<(window: object, periodNanos: number, lostTicks: number) => void>();
  const context = {
    identity: { service: 'a', instance: 'b' },
    environment: [],
    dictionary: { generation: 0, string: () => '' },
    sampling: { listeners, savedMicros: rests.savedMicros },
    heap: { budget: { made: { count: 0, pauseMicros: 0 } } },
    nowMicros: () => 10e6,
    mainCpuMicros: () => cpu,
    unsampledCpuMicros: () => unsampled,
    cost: () => ({
      ownMicros: 0,
      sinceMicros: 0,
      rotations: 0,
      rotationPauseMicros: 0,
      savedMicros: rests.savedMicros,
      memoryBytes: 0,
      sentBytes: 0,
      losses: new Map(),
    }),
  } as unknown as ProfileContext;
  const said: string[] = [];
  const path = join(folder, 'cpu.pb.gz');
  const profile = new RunProfile(context, { outFile: path, summary: true }, new MainClock(context), (text) =>
    said.push(text),
  );
  const ticks = 300;
  const window = {
    threadId: 0,
    startMicros: 0,
    endMicros: 3e6,
    atMicros: new Float64Array(ticks).map((_, at) => at * 1e4),
    stack: new Uint32Array(ticks),
    state: new Uint8Array(ticks).fill(2),
    label: null,
    jsTicks: 0,
    repairedTicks: 0,
    unnamedTicks: 0,
  };
  for (const listener of listeners) listener(window, PERIOD, 0);
  cpu += cpuMicros;
  unsampled = rests.cpuMicros;
  profile.end();
  const written = decodePprof(gunzipSync(readFileSync(path)));
  return { said: said.join('\n'), values: [...written.values], comments: written.head.comments.join('\n') };
}

describe('the profile of a run', () => {
  it('is held against the CPU clock, as a capture is', () => {
    const { said, values, comments } = run(1e6, { savedMicros: 0, cpuMicros: 0 });
    expect(values).toEqual([300, 1e9]);
    expect(comments).toContain('2.00 s of samples fell on the thread while it waited for a core');
    expect(said).toMatch(/^CPU 1\.00 s sampled in \d+\.\d\d s; the one function/);
  });

  it('says for how long sampling rested, and leaves out what was burnt then', () => {
    const { said, values } = run(3e6, { savedMicros: 4e6, cpuMicros: 1.5e6 });
    expect(values).toEqual([300, 1.5e9]);
    expect(said).toMatch(/^CPU 1\.50 s sampled in \d+\.\d\d s, not sampled for 4 s; the/);
  });

  it('stays as it was sampled where the clock agrees', () => {
    expect(run(3e6, { savedMicros: 0, cpuMicros: 0 }).values).toEqual([300, 3e9]);
  });
});
