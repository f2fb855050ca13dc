/** Source maps as text: against another reader of them, in sections, broken and hostile. */
import { decodedMappings, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceMap } from '../../collector/profile/source-map/source-map';

const MAP_FILE = '/srv/app/dist/app.js.map';

type Parts = {
  sources?: unknown;
  names?: unknown;
  mappings?: unknown;
  sourceRoot?: unknown;
  version?: unknown;
};

function mapText(parts: Parts = {}): string {
  return JSON.stringify({ version: 3, sources: ['../src/a.ts'], names: [], mappings: '', ...parts });
}

const VLQ = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function vlq(value: number): string {
  let text = '';
  for (let rest = value < 0 ? -value * 2 + 1 : value * 2; ; rest >>>= 5) {
    text += VLQ[(rest & 31) | (rest > 31 ? 32 : 0)];
    if (rest <= 31) return text;
  }
}

type Numbers = readonly number[];

/** Segments of absolute numbers, lines of them, as a mappings text. */
function encoded(lines: readonly (readonly Numbers[])[]): string {
  const before = [0, 0, 0, 0, 0];
  return lines
    .map((segments) => {
      before[0] = 0;
      return segments
        .map((numbers) =>
          numbers
            .map((number, index) => {
              const text = vlq(number - before[index]!);
              before[index] = number;
              return text;
            })
            .join(''),
        )
        .join(',');
    })
    .join(';');
}

const segment = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(fc.nat(4000)) },
  { weight: 4, arbitrary: fc.tuple(fc.nat(4000), fc.nat(2), fc.nat(900), fc.nat(90)) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(4000), fc.nat(2), fc.nat(900), fc.nat(90), fc.nat(3)) },
);
const lines = fc.array(
  fc
    .array(segment, { maxLength: 400, size: 'max' })
    .map((segments) => segments.toSorted((one, other) => one[0] - other[0])),
  { maxLength: 12 },
);

describe('a source map', () => {
  it('tells of every place what another reader does', () => {
    const sources = ['../src/a.ts', 'file:///srv/b.ts', '/lib/c.ts'];
    const names = ['one', 'two', 'three', 'four'];
    fc.assert(
      fc.property(lines, fc.array(fc.tuple(fc.nat(13), fc.nat(4100)), { minLength: 40 }), (given, places) => {
        const text = mapText({ sources, names, mappings: encoded(given) });
        const map = new SourceMap(text, MAP_FILE);
        const other = new TraceMap(text, MAP_FILE);
        for (const [line, column] of places) {
          const wanted = originalPositionFor(other, { line: line + 1, column });
          const got = map.at(line + 1, column + 1);
          const file = wanted.source?.replace('file://', '') ?? null;
          expect(got === null ? [null, null] : [got.file, got.line]).toEqual([file, wanted.line]);
        }
        const decoded = decodedMappings(other).map((segments) => segments.map(([column]) => column + 1));
        for (const [index, columns] of decoded.entries()) {
          const found = map.marksIn(index + 1, 1, 5000).map(({ column }) => column);
          expect(found).toEqual(columns);
        }
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  it('finds a place among two hundred thousand segments of one line', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => [index * 3, 0, index, 0] as const);
    const map = new SourceMap(mapText({ mappings: encoded([many]) }), MAP_FILE);
    for (const column of [1, 2, 3, 4, 299_998, 599_996, 599_998, 700_000]) {
      expect(map.at(1, column)!.line).toBe(Math.min(199_999, Math.floor((column - 1) / 3)) + 1);
    }
    expect(map.at(2, 1)).toBeNull();
  });

  it('finds the last place, wherever the text ends', () => {
    for (let length = 1; length < 700; length++) {
      const many = Array.from({ length }, (_, index) => [index, 0, index, 0] as const);
      expect(new SourceMap(mapText({ mappings: encoded([many]) }), MAP_FILE).at(1, 2000)?.line).toBe(length);
    }
  });

  it('finds places behind many lines without any', () => {
    const map = new SourceMap(mapText({ mappings: `${';'.repeat(5000)}AAAA;AACA` }), MAP_FILE);
    expect([map.at(1, 1), map.at(4999, 1)]).toEqual([null, null]);
    expect([map.at(5001, 9)!.line, map.at(5002, 9)!.line]).toEqual([1, 2]);
  });

  it('takes no more memory than a little above its text without the sources', () => {
    const mappings = `AAAA${',OAAC'.repeat(2_000_000)}`;
    const text = mapText({ mappings, sourcesContent: ['x'.repeat(10e6)] } as Parts);
    expect(text.length).toBeGreaterThan(20e6);
    const map = new SourceMap(text, MAP_FILE);
    expect(map.byteSize).toBeLessThan(mappings.length * 1.1);
    expect(map.at(1, 7 * 1_999_999 + 1)!.line).toBe(1);
  });
});

describe('the sources of a map', () => {
  const fileOf = (source: string, sourceRoot?: string, mapFile = MAP_FILE) =>
    new SourceMap(mapText({ sources: [source], mappings: 'AAAA', sourceRoot }), mapFile).at(1, 1)?.file;

  it('lie where the map and its root say', () => {
    expect(fileOf('../src/a.ts')).toBe('/srv/app/src/a.ts');
    expect(fileOf('a.ts', '../src/')).toBe('/srv/app/src/a.ts');
    expect(fileOf('a.ts', '/abs')).toBe('/abs/a.ts');
    expect(fileOf('/abs/a.ts', '../src')).toBe('/abs/a.ts');
    expect(fileOf('file:///abs/with%20space.ts')).toBe('/abs/with space.ts');
    expect(fileOf('a.ts', 'file:///abs/')).toBe('/abs/a.ts');
    expect(fileOf('..\\src\\a.ts', '', 'C:\\app\\dist\\app.js.map')).toBe('C:\\app\\src\\a.ts');
  });

  it('of bundlers with a scheme of their own are relative to the project', () => {
    expect(fileOf('webpack://shop/./src/a.ts')).toBe('src/a.ts');
    expect(fileOf('webpack:///./src/a.ts?7f3a')).toBe('src/a.ts');
    expect(fileOf('turbopack:///[project]/src/a.ts')).toBe('src/a.ts');
    expect(fileOf('./src/a.ts', 'webpack://shop/')).toBe('src/a.ts');
  });

  it('elsewhere keep their address; those without a name are none', () => {
    expect(fileOf('https://example.org/a.ts')).toBe('https://example.org/a.ts');
    expect(fileOf('')).toBeUndefined();
  });
});

describe('a map in sections', () => {
  const inner = (source: string, mappings: string) => ({
    version: 3,
    sources: [source],
    names: [],
    mappings,
  });
  const sectioned = (sections: unknown) => JSON.stringify({ version: 3, sections });

  it('asks the section of the place, counted from its offset', () => {
    const text = sectioned([
      { offset: { line: 0, column: 0 }, map: inner('a.ts', 'AAAA;AACA') },
      { offset: { line: 2, column: 10 }, map: inner('b.ts', 'AAAA,IACA;AAEA') },
      {
        offset: { line: 9, column: 0 },
        map: { version: 3, sections: [{ offset: { line: 1, column: 2 }, map: inner('c.ts', 'AAAA') }] },
      },
    ]);
    const map = new SourceMap(text, '/srv/x.map');
    const shown = (line: number, column: number) => {
      const place = map.at(line, column);
      return place === null ? null : `${place.file}:${place.line}`;
    };
    expect(shown(2, 50)).toBe('/srv/a.ts:2');
    expect(shown(3, 5)).toBeNull();
    expect(shown(3, 11)).toBe('/srv/b.ts:1');
    expect(shown(3, 15)).toBe('/srv/b.ts:2');
    expect(shown(4, 1)).toBe('/srv/b.ts:4');
    expect(shown(11, 2)).toBeNull();
    expect(shown(11, 3)).toBe('/srv/c.ts:1');
    expect(map.ofLine(3, '/srv/b.ts')).toMatchObject({ file: '/srv/b.ts', line: 1 });
    expect(map.marksIn(3, 1, 99).map(({ column }) => column)).toEqual([11, 15]);
  });

  it('is refused where it makes no sense', () => {
    const refused = (sections: unknown) => () => new SourceMap(sectioned(sections), '/srv/x.map');
    const one = (line: unknown, column: unknown) => ({ offset: { line, column }, map: inner('a.ts', '') });
    expect(refused('x')).toThrow('no list');
    expect(refused([7])).toThrow('no object');
    expect(refused([one(3, 0), one(2, 0)])).toThrow('out of order');
    expect(refused([one(-1, 0)])).toThrow('no place');
    expect(refused([one(1e300, 0)])).toThrow('no place');
    expect(refused(Array.from({ length: 20_001 }, (_, line) => one(line, 0)))).toThrow('more than 20000');
    let deep: unknown = [one(0, 0)];
    for (let depth = 0; depth < 9; depth++)
      deep = [{ offset: { line: 0, column: 0 }, map: { version: 3, sections: deep } }];
    expect(refused(deep)).toThrow('too deep');
  });

  it('that begins beyond any file costs nothing', () => {
    const far = [{ offset: { line: 2 ** 30, column: 2 ** 30 }, map: inner('a.ts', 'AAAA') }];
    expect(new SourceMap(sectioned(far), '/srv/x.map').at(1, 1)).toBeNull();
  });
});

describe('a broken map is refused in words', () => {
  it.each([
    ['no JSON', 'nothing', 'it is no JSON'],
    ['a list', '[]', 'it is no object'],
    ['another version', mapText({ version: 2 }), 'not of version 3'],
    ['no mappings', mapText({ mappings: 7 }), 'no text'],
    ['no sources', mapText({ sources: 7 }), 'no list'],
    ['names that are no list', mapText({ names: 'x' }), 'no list'],
    ['no base64', mapText({ mappings: 'AA!A' }), 'no base64 VLQ'],
    ['a number without an end', mapText({ mappings: 'AAAg' }), 'no base64 VLQ'],
    ['an endless number', mapText({ mappings: 'g'.repeat(1000) }), 'no base64 VLQ'],
    ['empty segments', mapText({ mappings: 'AAAA,,AAAA' }), 'no base64 VLQ'],
    ['two numbers', mapText({ mappings: 'AA' }), 'no base64 VLQ'],
    ['six numbers', mapText({ mappings: 'AAAAAA', names: ['a'] }), 'more than five'],
    ['a place before the first', mapText({ mappings: 'AADA' }), 'cannot be'],
    ['a source that is not there', mapText({ mappings: 'ACAA' }), 'does not have'],
    ['a name that is not there', mapText({ mappings: 'AAAAC' }), 'does not have'],
    ['columns that go back', mapText({ mappings: 'EAAA,DAAA' }), 'out of order'],
  ])('%s', (_what, text, reason) => {
    expect(() => new SourceMap(text, MAP_FILE)).toThrow(reason);
    expect(() => new SourceMap(text, MAP_FILE)).toThrow(expect.objectContaining({ code: 'ERR_SOURCE_MAP' }));
  });

  it('whatever its mappings say', () => {
    const digits = fc.string({ unit: fc.constantFrom(...VLQ.slice(0, 40), ',', ';'), maxLength: 300 });
    fc.assert(
      fc.property(digits, fc.nat(20), fc.nat(2000), (mappings, line, column) => {
        let map: SourceMap;
        try {
          map = new SourceMap(mapText({ mappings, names: ['a', 'b'] }), MAP_FILE);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_SOURCE_MAP' });
          return;
        }
        map.at(line + 1, column + 1);
        map.ofLine(line + 1, 'a.ts');
        map.marksIn(line + 1, 1, column + 1);
      }),
      { numRuns: 500 },
    );
  });

  it('not the line that guards it, nor a byte order mark', () => {
    expect(new SourceMap(`)]}'\n${mapText({ mappings: 'AAAA' })}`, MAP_FILE).at(1, 1)?.line).toBe(1);
    expect(new SourceMap(`\uFEFF${mapText({ mappings: 'AAAA' })}`, MAP_FILE).at(1, 1)?.line).toBe(1);
  });
});
