/** A program that runs out of heap leaves a profile that names who took it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodePprof } from '../../collector/profile/decode-pprof';
import { topFunctions } from '../../collector/profile/report/top';
import { runProgram } from '../faults/program';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/out-of-heap.cjs');
const IN_USE_SPACE = 3;
const ABORTED = /heap (limit|out of memory)/;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heap-limit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(environment: Record<string, string>) {
  return runProgram(['--max-old-space-size=150', '-r', REGISTER, PROGRAM], {
    env: { RINGTAIL_COLLECTOR: 'ws://127.0.0.1:9', TMPDIR: folder, HOME: folder, ...environment },
  });
}

// How much is allocated before the capture is made depends on what else the machine does.
describe('a heap that comes near its limit', { retry: 2 }, () => {
  it('is captured to a file before the program dies of it', async () => {
    // V8 gives up between 75 and 100 % of the limit, by how the heap happens to lie.
    const { stderr } = await run({ RINGTAIL_HEAP_LIMIT_PERCENT: '65' });
    expect(stderr).toMatch(ABORTED);
    const [own = ''] = readdirSync(folder).filter((name) => name.startsWith('ringtail-'));
    expect(statSync(join(folder, own)).mode & 0o777).toBe(0o700);
    const files = readdirSync(join(folder, own));
    expect(files).toEqual([expect.stringMatching(/^heap-limit-\d+-\d+\.pb\.gz$/)]);
    const path = join(folder, own, files[0]!);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const profile = decodePprof(gunzipSync(readFileSync(path)));
    const [first] = topFunctions(profile, IN_USE_SPACE);
    expect(first!.name).toBe('hoard');
    expect(first!.flat).toBeGreaterThan(70e6);
    expect(profile.head.comments.join('\n')).toMatch(
      /^profiler's own cost[\s\S]*^environment [0-9a-f]{8}: node /m,
    );
    expect(profile.head.comments[0]).toMatch(/^the heap was at [6-9]\d % of its limit of 157 MB/);
  }, 60_000);

  it('is left alone where nobody wants that', async () => {
    const { stderr } = await run({ RINGTAIL_HEAP_LIMIT_PERCENT: '0' });
    expect(stderr).toMatch(ABORTED);
    expect(readdirSync(folder).filter((name) => name.startsWith('ringtail-'))).toEqual([]);
  }, 60_000);
});
