/** Our reports beside those of `go tool pprof` on the same files: the same functions with the same values. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePprof } from '../../collector/profile/pprof';
import { Profile } from '../../collector/profile/profile';
import { decodeProfileFile } from '../../collector/profile/profile-file';
import { compareProfiles } from '../../collector/profile/report/difference';
import { filterProfile } from '../../collector/profile/report/filter';
import { listFunctions } from '../../collector/profile/report/listing';
import { topFunctions } from '../../collector/profile/report/top';
import { goPprof, needGo } from './go';

const NANOS = ['-unit=nanoseconds', '-nodefraction=0', '-nodecount=100000'];
const SOURCE_LINES = 60;

let folder: string;
let before: string;
let after: string;

/** Same seed, same profile: stacks of thirty functions in three files, calls inlined and recursive. */
function syntheticProfile(seed: number, samples: number, file: (index: number) => string): Profile {
  const types = [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ];
  const profile = new Profile({
    sampleTypes: types,
    periodType: types[1]!,
    period: 10_101_000,
    startMillis: 1_790_000_000_000,
    durationNanos: 30e9,
    program: 'shop',
    comments: [],
  });
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let sample = 0; sample < samples; sample++) {
    let node = profile.node(0, profile.location(profile.function('main', 'main', file(0), 1), 3));
    for (let depth = 1 + below(7); depth > 0; depth--) {
      const index = below(30);
      const start = 1 + (index % 10) * 5;
      const called = profile.function(`work${index}`, `work${index}`, file(index % 3), start);
      const inlined = index % 4 === 0;
      node = profile.node(node, profile.location(called, start + 1 + below(3), { inlined }));
    }
    const ticks = 1 + below(20);
    profile.add(node, 0, [ticks, ticks * 10_101_000]);
  }
  return profile;
}

const read = (path: string) => decodeProfileFile(readFileSync(path)).profile;

/** Name, flat, cum of each row of -top; zeros left out. */
function goRows(stdout: string): [string, number, number][] {
  const row =
    /^\s*(-?[\d.]+)(?:ns)?\s+\S+%\s+\S+%\s+(-?[\d.]+)(?:ns)?\s+\S+%\s+(.*?)(?: \((?:partial-)?inline\))?$/gm;
  return [...stdout.matchAll(row)]
    .map(([, flat, cum, name]): [string, number, number] => [name!, Number(flat), Number(cum)])
    .filter(([, flat, cum]) => flat !== 0 || cum !== 0)
    .sort(byName);
}

function byName([left]: [string, ...unknown[]], [right]: [string, ...unknown[]]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

const ourRows = (profile: Profile) =>
  topFunctions(profile, 1)
    .map(({ name, flat, cumulative }): [string, number, number] => [name, flat, cumulative])
    .filter(([, flat, cum]) => flat !== 0 || cum !== 0)
    .sort(byName);

describe.skipIf(!needGo('reports'))('beside go tool pprof', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reports-'));
    const files = ['a.js', 'b.js', 'c.js'].map((name) => join(folder, name));
    const text = Array.from({ length: SOURCE_LINES }, (_, index) => `// line ${index + 1}`).join('\n');
    for (const file of files) writeFileSync(file, text);
    before = join(folder, 'before.pb.gz');
    after = join(folder, 'after.pb.gz');
    writeFileSync(before, gzipSync(encodePprof(syntheticProfile(1, 400, (index) => files[index]!))));
    writeFileSync(after, gzipSync(encodePprof(syntheticProfile(2, 900, (index) => files[index]!))));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('top has the same functions with the same flat and cum', async () => {
    const { stdout } = await goPprof('-top', ...NANOS, before);
    const rows = goRows(stdout);
    expect(rows.length).toBeGreaterThan(25);
    expect(ourRows(read(before))).toEqual(rows);
  });

  it('top of what -focus and -ignore leave', async () => {
    const { stdout } = await goPprof('-top', ...NANOS, '-focus=work1[0-4]', '-ignore=c\\.js', before);
    const filtered = filterProfile(read(before), { focus: /work1[0-4]/, ignore: /c\.js/ });
    const rows = goRows(stdout);
    expect(rows.length).toBeGreaterThan(5);
    expect(ourRows(filtered)).toEqual(rows);
  });

  it('top of the samples, the other type', async () => {
    const { stdout } = await goPprof(
      '-top',
      '-sample_index=samples',
      '-nodefraction=0',
      '-nodecount=100000',
      before,
    );
    const ours = topFunctions(read(before), 0).map(({ name, flat, cumulative }): [string, number, number] => [
      name,
      flat,
      cumulative,
    ]);
    expect(ours.sort(byName)).toEqual(goRows(stdout));
  });

  it('list has the same flat and cum on the same lines', async () => {
    const { stdout } = await goPprof('-list=^work', ...NANOS, before);
    let found = 0;
    const listings = listFunctions(read(before), 1, /^work/);
    for (const part of stdout.split('ROUTINE ======================== ').slice(1)) {
      const [, name, file] = /^(\S+) in (\S+)$/m.exec(part)!;
      const lines = [...part.matchAll(/^\s*(\.|[\d.]+(?:ns)?)\s+(\.|[\d.]+(?:ns)?)\s+(\d+):/gm)]
        .map(([, flat, cum, line]) => ({ line: Number(line), flat: nanos(flat!), cumulative: nanos(cum!) }))
        .filter(({ flat, cumulative }) => flat !== 0 || cumulative !== 0);
      const ours = listings.find((listing) => listing.name === name && listing.file === file);
      expect([name, ours?.lines]).toEqual([name, lines]);
      found += lines.length;
    }
    expect(found).toBeGreaterThan(60);
    expect(listings).toHaveLength(stdout.split('ROUTINE').length - 1);
  });

  it.each([false, true])('diff has the same changes, normalized: %s', async (normalize) => {
    const words = normalize ? ['-normalize'] : [];
    const { stdout } = await goPprof('-top', ...NANOS, ...words, `-diff_base=${before}`, after);
    const [one, two] = [read(before), read(after)];
    const { functions } = compareProfiles({ profile: one, type: 1 }, { profile: two, type: 1 }, normalize);
    const ours = new Map(functions.map(({ name, flat, cumulative }) => [name, [flat, cumulative] as const]));
    // It rounds each sample that it scales, we do not round.
    const slack = normalize ? two.sampleCount / 2 : 0;
    const rows = goRows(stdout);
    expect(rows.length).toBeGreaterThan(25);
    for (const [name, flat, cum] of rows) {
      const [ourFlat, ourCum] = ours.get(name) ?? [0, 0];
      expect(Math.abs(ourFlat - flat), name).toBeLessThanOrEqual(slack);
      expect(Math.abs(ourCum - cum), name).toBeLessThanOrEqual(slack);
    }
    if (!normalize) expect(ours.size).toBe(rows.length);
  });

  it('it reads what we wrote of a profile it made itself', async () => {
    const again = join(folder, 'again.pb.gz');
    await goPprof('-proto', `-output=${again}`, before);
    const { stdout } = await goPprof('-top', ...NANOS, again);
    expect(ourRows(read(again))).toEqual(goRows(stdout));
    const ours = join(folder, 'ours.pb.gz');
    writeFileSync(ours, gzipSync(encodePprof(read(again))));
    expect((await goPprof('-top', ...NANOS, ours)).stdout).toBe(stdout);
    expect((await goPprof('-traces', before)).stdout).toContain('(inline)');
  });
});

function nanos(text: string): number {
  return text === '.' ? 0 : Number(text.replace('ns', ''));
}
