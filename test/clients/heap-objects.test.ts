/** Object counts and bytes against allocators whose number and size are known. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePprof } from '../../collector/profile/decode-pprof';
import type { Profile } from '../../collector/profile/profile';
import { openCollector, type RunningCollector } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/objects.cjs');
const INTERVAL_BYTES = 262_080;
const IN_USE_OBJECTS = 2;
const IN_USE_SPACE = 3;
/** Standard deviations that a sampled figure may be off. */
const DEVIATIONS = 4;

describe('a heap profile of known objects', () => {
  let collector: RunningCollector;
  let program: ChildProcess;
  let profile: Profile;

  beforeAll(async () => {
    collector = await openCollector();
    program = spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
      env: {
        ...process.env,
        ...collector.agentEnvironment,
        RINGTAIL_SERVICE: 'objects',
        RINGTAIL_HEAP_SAMPLE_BYTES: String(INTERVAL_BYTES),
        // The interval must stay, whatever it costs.
        RINGTAIL_BUDGET_PERCENT: '100',
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(program, 'message');
    const response = await fetch(`${collector.url}/debug/pprof/heap?gc=1`);
    expect(response.status).toBe(200);
    profile = decodePprof(gunzipSync(Buffer.from(await response.arrayBuffer())));
  }, 30_000);

  afterAll(async () => {
    program?.kill('SIGKILL');
    await collector?.close();
  });

  it.each([
    ['allocate40', 800_000, 40],
    ['allocate48', 700_000, 48],
    ['allocate64', 500_000, 64],
    ['allocate848', 40_000, 848],
  ])('%s: %i objects of %i bytes, within the sampling error', (name, count, size) => {
    const { objects, bytes, sizes } = of(profile, name);
    const samples = bytes / INTERVAL_BYTES;
    const error = DEVIATIONS / Math.sqrt(samples);
    expect(sizes).toContain(size);
    expect(Math.abs(bytes / (count * size) - 1)).toBeLessThan(error);
    expect(Math.abs(objects / count - 1)).toBeLessThan(error);
  });

  it('has the bytes of strings, whose count is too high where a smaller size fits, too', () => {
    const { objects, bytes } = of(profile, 'allocateStrings');
    const error = DEVIATIONS / Math.sqrt(bytes / INTERVAL_BYTES);
    expect(Math.abs(bytes / (20_000 * 1024) - 1)).toBeLessThan(error);
    expect(objects).toBeGreaterThan(20_000 * (1 - error));
  });

  it('has no Buffers, and says how much is outside of the heap', () => {
    expect(of(profile, 'allocateBuffers').bytes).toBeLessThan(1_000_000);
    const outside = profile.head.comments.find((line) => line.includes('Buffers')) ?? '';
    expect(Number(/and ([\d.]+) MB of Buffers/.exec(outside)?.[1])).toBeGreaterThan(50);
  });
});

/** All that has `name` on its stack. */
function of(profile: Profile, name: string): { objects: number; bytes: number; sizes: number[] } {
  const found = { objects: 0, bytes: 0, sizes: [] as number[] };
  for (let index = 0; index < profile.sampleCount; index++) {
    const names = profile
      .locationsOf(profile.samples[index * 2]!)
      .map((location) => profile.functionOf(location).name);
    if (!names.includes(name)) continue;
    found.objects += profile.values[index * 4 + IN_USE_OBJECTS]!;
    found.bytes += profile.values[index * 4 + IN_USE_SPACE]!;
    for (const { value } of profile.numericLabels[profile.samples[index * 2 + 1]!]!) found.sizes.push(value);
  }
  return found;
}
