/** Functions of real bundles, at the places where V8 has them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { originalFunction, originalPlace } from '../../collector/profile/source-map/original';
import { SourceMap } from '../../collector/profile/source-map/source-map';
import { functionsOf, MAPPED_FOLDER, type V8Function, writeBundle } from '../bundles';

const MAIN = join(MAPPED_FOLDER, 'main.ts');
const FURNACE = join(MAPPED_FOLDER, 'furnace.ts');
/** Name in the source, file, first line there. */
const TRUTH: [string, string, number][] = [
  ['burnDeclared', MAIN, lineOf(MAIN, 'function burnDeclared')],
  ['main', MAIN, lineOf(MAIN, 'async function main')],
  ['burnInProperty', MAIN, lineOf(MAIN, 'burnInProperty: (rounds')],
  ['spinUp', FURNACE, lineOf(FURNACE, 'function spinUp')],
  ['burnInArrow', FURNACE, lineOf(FURNACE, 'const burnInArrow')],
  ['burnInAsync', FURNACE, lineOf(FURNACE, 'const burnInAsync')],
  ['burnInMethod', FURNACE, lineOf(FURNACE, 'burnInMethod()')],
];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringtail-original-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lineOf(file: string, text: string): number {
  const at = readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  if (at < 0) throw new Error(`${file} has no ${text}`);
  return at + 1;
}

async function bundled(
  name: string,
  minify: boolean,
): Promise<{ map: SourceMap; at: Record<string, V8Function>; file: string }> {
  const file = join(folder, name);
  await writeBundle(file, { minify });
  return {
    map: new SourceMap(readFileSync(`${file}.map`, 'utf8'), `${file}.map`),
    at: functionsOf(file),
    file,
  };
}

describe('a function of a bundle of one line', () => {
  it('has the name, file and line of its source', async () => {
    const { map, at, file } = await bundled('one-line.js', true);
    expect(
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.includes('function')),
    ).toHaveLength(1);
    expect(at.burnDeclared!.name).not.toBe('burnDeclared');
    for (const [name, source, line] of TRUTH) {
      expect(originalFunction(map, at[name]!)).toEqual({ name, file: source, startLine: line });
    }
  });

  it('has all of its ticks on its first line', async () => {
    const { map, at } = await bundled('ticks.js', true);
    const original = originalFunction(map, at.spinUp!)!;
    expect(originalPlace(map, at.spinUp!, original, at.spinUp!.startLine, 0)?.line).toBe(original.startLine);
    expect(originalPlace(map, at.spinUp!, original, 0, 0)?.line).toBe(original.startLine);
  });

  it('keeps the name of V8 where the class was renamed, and gets the place of its constructor', async () => {
    const { map, at } = await bundled('constructor.js', true);
    const { name, file, startLine } = originalFunction(map, at.Furnace!)!;
    expect([name, file]).toEqual([at.Furnace!.name, FURNACE]);
    expect(startLine).toBe(lineOf(FURNACE, 'constructor('));
  });
});

describe('a script as a whole', () => {
  const whole = { name: '', startLine: 1, startColumn: 1 };
  const mapOf = (sources: string[]) =>
    new SourceMap(JSON.stringify({ version: 3, sources, names: [], mappings: 'AAAA' }), '/srv/app.js.map');

  it('is its source, where it has one only', () => {
    const original = originalFunction(mapOf(['app.ts']), whole);
    expect(original).toEqual({ name: '(anonymous) app.ts:1', file: '/srv/app.ts', startLine: 1 });
  });

  it('stays what it is, where it is a bundle of several', () => {
    expect(originalFunction(mapOf(['app.ts', 'other.ts']), whole)).toBeNull();
  });
});

describe('a call in a bundle of one line', () => {
  it('whose column is known is on its line in the source', async () => {
    const { map, at, file } = await bundled('calls.js', true);
    const original = originalFunction(map, at.spinUp!)!;
    const text = readFileSync(file, 'utf8').split('\n')[at.spinUp!.startLine - 1]!;
    const column = text.indexOf('Math.sin(') + 1;
    const place = originalPlace(map, at.spinUp!, original, at.spinUp!.startLine, column)!;
    expect(readFileSync(FURNACE, 'utf8').split('\n')[place.line - 1]).toContain('Math.sin(');
  });
});

describe('a function of a bundle of many lines', () => {
  it('has the name, file and line of its source', async () => {
    const { map, at } = await bundled('lines.js', false);
    for (const [name, source, line] of TRUTH) {
      expect(originalFunction(map, at[name]!)).toEqual({ name, file: source, startLine: line });
    }
  });

  it('has its ticks on the lines of its source', async () => {
    const { map, at, file } = await bundled('lines-ticks.js', false);
    const generated = at.spinUp!;
    const original = originalFunction(map, generated)!;
    const tick = (text: string) => originalPlace(map, generated, original, lineOf(file, text), 0)?.line;
    // The bundler puts the body of this loop into the line of its head.
    expect(tick('Math.sin(')).toBe(original.startLine + 2);
    expect(originalPlace(map, generated, original, generated.startLine + 3, 0)?.line).toBe(
      original.startLine + 5,
    );
  });

  it('has no line for a tick in a line of another source', async () => {
    const { map, at, file } = await bundled('lines-other.js', false);
    const original = originalFunction(map, at.spinUp!)!;
    expect(originalPlace(map, at.spinUp!, original, lineOf(file, 'function burnDeclared'), 0)).toBeNull();
  });
});
