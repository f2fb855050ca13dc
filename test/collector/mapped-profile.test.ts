/** Profiles of generated code by the names, files and lines of their sources. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFolded } from '../../collector/profile/folded';
import { Profile } from '../../collector/profile/profile';
import { type MapOfFile, mappedProfile } from '../../collector/profile/source-map/mapped-profile';
import { SourceMap } from '../../collector/profile/source-map/source-map';
import { namedLocation } from '../../collector/profile/stack-nodes';
import { profileHead } from '../../collector/profile/tick-profile';
import { functionsOf, MAPPED_FOLDER, type V8Function, writeBundle } from '../bundles';

const MAIN = join(MAPPED_FOLDER, 'main.ts');

let folder: string;
let bundle: string;
let at: Record<string, V8Function>;
let map: SourceMap;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringtail-mapped-'));
  bundle = join(folder, 'app.js');
  await writeBundle(bundle, { minify: true });
  at = functionsOf(bundle);
  map = new SourceMap(readFileSync(`${bundle}.map`, 'utf8'), `${bundle}.map`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mapOf: MapOfFile = (file) => (file === bundle ? map : null);

/** Stacks of functions of the bundle; a function that it does not have is one of Node's. */
function profileOf(...stacks: string[]): Profile {
  const profile = new Profile(profileHead('cpu', 'shop', 0));
  for (const stack of stacks) {
    let node = 0;
    for (const source of stack.split(';')) {
      const { name = source, startLine = 7, startColumn = 8 } = at[source] ?? {};
      const file = at[source] === undefined ? 'node:internal/timers' : bundle;
      const place = { name, systemName: name, file, startLine, startColumn, line: startLine };
      node = profile.node(node, namedLocation(profile, place));
    }
    profile.add(node, 0, [1, 10]);
  }
  return profile;
}

const functionsIn = (profile: Profile) =>
  Array.from({ length: profile.locations.length / 2 - 1 }, (_, index) => profile.functionOf(index + 1));

describe('a mapped profile', () => {
  it('has the functions of the source, under them the generated names, and the same totals', () => {
    const { profile, counts } = mappedProfile(
      profileOf('listOnTimeout;main;burnDeclared', 'main;spinUp'),
      mapOf,
    );
    expect(encodeFolded(profile, 0)).toBe(
      `listOnTimeout (node:internal/timers);main (${MAIN});burnDeclared (${MAIN}) 1\n` +
        `main (${MAIN});spinUp (${join(MAPPED_FOLDER, 'furnace.ts')}) 1\n`,
    );
    const burn = functionsIn(profile).find(({ name }) => name === 'burnDeclared')!;
    expect(burn.systemName).toBe(at.burnDeclared!.name);
    expect(readFileSync(MAIN, 'utf8').split('\n')[burn.startLine - 1]).toContain('function burnDeclared');
    expect(counts).toEqual({ mapped: 3, unmapped: new Map() });
  });

  it('names functions without a name by their place in the source, and keeps the place in the bundle', () => {
    const given = new Profile(profileHead('cpu', 'shop', 0));
    const place = {
      ...at.burnDeclared!,
      name: '(anonymous) app.js:1',
      systemName: '',
      file: bundle,
      line: 1,
    };
    given.add(given.node(0, namedLocation(given, place)), 0, [1, 1]);
    const [only] = functionsIn(mappedProfile(given, mapOf).profile);
    expect(only).toMatchObject({
      name: `(anonymous) main.ts:${only!.startLine}`,
      systemName: '(anonymous) app.js:1',
    });
  });

  it('tells apart functions of one name in one line', () => {
    const given = new Profile(profileHead('cpu', 'shop', 0));
    for (const { startColumn } of [at.burnDeclared!, at.spinUp!]) {
      const place = { name: 'e', systemName: 'e', file: bundle, startLine: 1, startColumn, line: 1 };
      given.add(given.node(0, namedLocation(given, place)), 0, [1, 1]);
    }
    const names = functionsIn(mappedProfile(given, mapOf).profile).map(({ name }) => name);
    expect(names.sort()).toEqual(['burnDeclared', 'spinUp']);
  });

  it('is the profile itself where nothing has a map, and says why where one is missing', () => {
    const given = profileOf('main;burnDeclared');
    expect(mappedProfile(given, () => null)).toEqual({
      profile: given,
      counts: { mapped: 0, unmapped: new Map() },
    });
    const missing = mappedProfile(given, () => 'the map is not there');
    expect(missing.profile).toBe(given);
    expect(missing.counts.unmapped).toEqual(new Map([['the map is not there', 2]]));
  });

  it('leaves a function that its map does not know as it is, and counts it', () => {
    const given = profileOf('main');
    const place = {
      name: 'helper',
      systemName: 'helper',
      file: bundle,
      startLine: 99,
      startColumn: 1,
      line: 99,
    };
    given.add(given.node(0, namedLocation(given, place)), 0, [1, 1]);
    const { profile, counts } = mappedProfile(given, mapOf);
    expect(encodeFolded(profile, 0)).toContain(`helper (${bundle}) 1`);
    expect(counts).toEqual({ mapped: 1, unmapped: new Map([['not in the map', 1]]) });
  });

  it('has functions of which only a call is known: by its column, or by a line with little in it', async () => {
    const lines = join(folder, 'lines.js');
    await writeBundle(lines, {});
    const linesMap = new SourceMap(readFileSync(`${lines}.map`, 'utf8'), `${lines}.map`);
    const placeOf = (file: string, text: string) => {
      const before = readFileSync(file, 'utf8').split(text)[0]!.split('\n');
      return { file, line: before.length, column: before.at(-1)!.length + 1 };
    };
    const mappedCall = (call: { file: string; line: number; column: number }) => {
      const given = new Profile(profileHead('cpu', 'shop', 0));
      const functionId = given.function('spin', 'spin', call.file, 0);
      given.add(given.node(0, given.location(functionId, call.line, { column: call.column })), 0, [1, 1]);
      const { profile } = mappedProfile(given, (file) => (file === lines ? linesMap : map));
      const { name, file } = profile.functionOf(1);
      return [name, file, profile.locations[3], profile.columns[1]];
    };
    const furnace = join(MAPPED_FOLDER, 'furnace.ts');
    const truth = placeOf(furnace, 'Math.sin(round)');
    const oneLine = placeOf(bundle, 'Math.sin(');
    expect(mappedCall(oneLine)).toEqual(['spin', furnace, truth.line, truth.column]);
    expect(mappedCall({ ...oneLine, column: 0 })).toEqual(['spin', bundle, oneLine.line, 0]);
    expect(mappedCall({ ...placeOf(lines, 'return sum'), column: 0 })).toEqual([
      'spin',
      furnace,
      truth.line + 2,
      0,
    ]);
  });
});
