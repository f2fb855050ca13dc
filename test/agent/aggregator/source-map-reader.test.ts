/** What the agent reads of its program's source maps, and what it does not. */

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Base64Decoder, type Decoder, PercentDecoder } from '../../../agent/aggregator/source-maps/data-url';
import { NamedScripts } from '../../../agent/aggregator/source-maps/named-scripts';
import { SourceMapReader } from '../../../agent/aggregator/source-maps/source-map-reader';
import { WithoutContents } from '../../../agent/aggregator/source-maps/without-contents';
import { writeBundle } from '../../bundles';

const MAP = {
  version: 3,
  sources: ['a.ts'],
  sourcesContent: ['const a = "]},{";\n'],
  names: ['a'],
  mappings: 'AAAA',
};
const STRIPPED = { ...MAP, sourcesContent: null };

let folder: string;
let named: NamedScripts;
let reader: SourceMapReader;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringtail-maps-'));
  named = new NamedScripts();
  reader = new SourceMapReader(named, Date.now() + 60_000);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A script with that text, which a profile has named. */
function script(text: string, name = 'app.js'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  named.add(pathToFileURL(file).href);
  return file;
}

function mapFile(name = 'app.js.map', map: unknown = MAP): string {
  const file = join(folder, name);
  writeFileSync(file, typeof map === 'string' ? map : JSON.stringify(map));
  return file;
}

const base64 = (map: unknown) => Buffer.from(JSON.stringify(map)).toString('base64');
const read = async (file: string) => JSON.parse(Buffer.from(await reader.read(file)).toString());

describe('a script', () => {
  it('names its map in a comment at its end', async () => {
    const place = mapFile();
    for (const comment of [
      '//# sourceMappingURL=app.js.map',
      '//@ sourceMappingURL=./app.js.map\n\n',
      '/*# sourceMappingURL=app.js.map */',
      '//# sourceMappingURL=other.js.map\n//# sourceMappingURL=app.js.map?v=3',
      `//# sourceMappingURL=${pathToFileURL(place)}`,
    ]) {
      const file = script(`run();\n${comment}`);
      expect(reader.find(file)).toMatchObject({ mapFile: place });
      expect(await read(file)).toEqual(STRIPPED);
    }
  });

  it('may have its map in another folder', async () => {
    mkdirSync(join(folder, 'maps'));
    const place = mapFile('maps/app js.map');
    expect(reader.find(script('//# sourceMappingURL=maps/app%20js.map'))).toMatchObject({
      mapFile: place,
    });
  });

  it('may hold its map itself', async () => {
    for (const url of [
      `data:application/json;base64,${base64(MAP)}`,
      `data:application/json;charset=utf-8;base64,${base64(MAP)}\n`,
      `data:application/json;base64,${base64(MAP).replaceAll('=', '')}`,
      `data:application/json,${encodeURIComponent(JSON.stringify(MAP))}`,
    ]) {
      const file = script(`run();\n//# sourceMappingURL=${url}`);
      expect(reader.find(file)).toMatchObject({ mapFile: file });
      expect(await read(file)).toEqual(STRIPPED);
    }
  });

  it('may hold a map of any length, with or without a line end', async () => {
    for (const chars of [3000, 65_530, 65_536, 400_001, 1_000_002]) {
      const map = { ...MAP, sourcesContent: ['x'], names: ['y'.repeat(chars)] };
      const file = script(
        `run();\n//# sourceMappingURL=data:application/json;base64,${base64(map)}${chars % 2 ? '\n' : ''}`,
      );
      expect((await read(file)).names[0]).toHaveLength(chars);
    }
  });

  it('may hold a map wherever its comment begins', async () => {
    const text = (chars: number) =>
      JSON.stringify({ ...MAP, sourcesContent: null, names: ['y'.repeat(chars)] });
    const comment = '//# sourceMappingURL=data:application/json;base64,';
    let closest = Number.POSITIVE_INFINITY;
    // Three characters more are four bytes more, and line ends are one each: every distance from the end.
    for (let more = 0; more < 150; more += 3) {
      const url = `${comment}${Buffer.from(text(48_990 + more)).toString('base64')}`;
      for (const end of ['', '\n', '\n\n', '\n\n\n'])
        expect(await read(script(`run();\n${url}${end}`))).toEqual(JSON.parse(text(48_990 + more)));
      const nearest = Math.abs(url.length - 65_536);
      closest = Math.min(closest, nearest);
    }
    expect(closest).toBeLessThan(40);
  });

  it('of a real bundler is understood, both ways', async () => {
    for (const map of [true, 'inline'] as const) {
      const file = join(folder, `${map}.js`);
      await writeBundle(file, { map });
      named.add(file);
      const { sources, sourcesContent, mappings } = await read(file);
      expect(sources.map((source: string) => source.replace(/.*\//, ''))).toEqual(['furnace.ts', 'main.ts']);
      expect([sourcesContent, typeof mappings]).toEqual([null, 'string']);
    }
  });

  it('without a comment has no map', async () => {
    mapFile();
    expect(reader.find(script('run();'))).toBeNull();
    expect(reader.find(script(''))).toBeNull();
    expect(reader.find(script(`const text = '${'a'.repeat(5000)}`))).toBeNull();
    expect(reader.find(script('a'.repeat(200_000)))).toBeNull();
  });

  it('has another version when it or its map is another', async () => {
    const file = script('//# sourceMappingURL=app.js.map');
    mapFile();
    const before = reader.find(file);
    expect(reader.find(file)).toEqual(before);
    mapFile('app.js.map', { ...MAP, names: ['a', 'b'] });
    expect(reader.find(file)!.version).not.toBe(before!.version);
  });
});

describe('the reader refuses', () => {
  const refused = (file: string) => {
    try {
      return reader.find(file);
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('a script that no profile has named', async () => {
    mapFile();
    writeFileSync(join(folder, 'other.js'), '//# sourceMappingURL=app.js.map');
    expect(refused(join(folder, 'other.js'))).toBe('no profile has named the script');
  });

  it('a script that has changed since the program began', async () => {
    mapFile();
    const file = script('//# sourceMappingURL=app.js.map');
    utimesSync(file, new Date(), new Date(Date.now() + 3_600_000));
    expect(refused(file)).toBe('the script has changed since the program began');
  });

  it('a map that is not there, not on this machine, or no file', async () => {
    expect(refused(script('//# sourceMappingURL=app.js.map'))).toBe('cannot be read (ENOENT)');
    expect(refused(script('//# sourceMappingURL=https://example.org/a.map'))).toBe(
      'it is not on this machine',
    );
    expect(refused(script('//# sourceMappingURL=file://host/a.map'))).toBe('it is not on this machine');
    expect(refused(script('//# sourceMappingURL=http://['))).toBe('its address is none');
    mkdirSync(join(folder, 'folder.map'));
    expect(refused(script('//# sourceMappingURL=folder.map'))).toBe('it is no file');
  });

  it.skipIf(process.platform === 'win32')('a pipe, without waiting for its other end', async () => {
    expect(spawnSync('mkfifo', [join(folder, 'pipe.map')]).status).toBe(0);
    expect(refused(script('//# sourceMappingURL=pipe.map'))).toBe('it is no file');
  });

  it('a file that is no map, so that no other file is given away', async () => {
    mapFile('secret', 'user:secret\n');
    symlinkSync(join(folder, 'secret'), join(folder, 'app.js.map'));
    const file = script('//# sourceMappingURL=app.js.map');
    await expect(reader.read(file)).rejects.toThrow('it is no JSON');
    await expect(reader.read(script('//# sourceMappingURL=data:text/plain,secret'))).rejects.toThrow(
      'it is no JSON',
    );
    await expect(reader.read(script('run();'))).rejects.toThrow('the script names none');
  });

  it('a map of more than 32 MiB', async () => {
    mapFile('app.js.map', `{"names":["${'x'.repeat(33 * 1024 * 1024)}"]}`);
    await expect(reader.read(script('//# sourceMappingURL=app.js.map'))).rejects.toThrow(
      'larger than 33554432 bytes',
    );
  });
});

describe('a map without its contents', () => {
  const stripped = (text: string, chars: number) => {
    const stripper = new WithoutContents();
    const bytes = Buffer.from(text);
    const kept: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chars)
      kept.push(...stripper.push(bytes.subarray(at, at + chars)));
    return Buffer.concat(kept).toString();
  };

  it('keeps everything else, wherever it is cut', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: fc.constantFrom('"', '\\', ']', '}', ',', ':', ' ', 'é', 'sourcesContent') }),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('sourcesContent', 'sources', '"sourcesContent"', 'x'), tie('value')),
      ),
    })).value;
    const without = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(without);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, key === 'sourcesContent' ? null : without(inner)]),
      );
    };
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 20 }), fc.boolean(), (value, chars, spaced) => {
        const text = JSON.stringify(value, null, spaced ? 2 : undefined);
        expect(JSON.parse(stripped(text, chars))).toEqual(without(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('is a small part of a bundle that carries its sources', async () => {
    const file = join(folder, 'app.js');
    await writeBundle(file, {});
    const whole = readFileSync(`${file}.map`, 'utf8');
    expect(stripped(whole, 4096).length).toBeLessThan(whole.length * 0.75);
  });
});

describe('a data: URL', () => {
  const decoded = (decoder: Decoder, text: string, chars: number) => {
    const parts: Uint8Array[] = [];
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += chars) parts.push(decoder.push(bytes.subarray(at, at + chars)));
    return Buffer.concat(parts).toString();
  };

  it('is decoded wherever it is cut, up to its end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 9 }), (text, chars) => {
        const base64 = Buffer.from(text).toString('base64');
        expect(decoded(new Base64Decoder(), `${base64}\n`, chars)).toBe(text);
        expect(decoded(new Base64Decoder(), `${base64.replaceAll('=', '')}\n`, chars)).toBe(text);
        expect(decoded(new PercentDecoder(), `${encodeURIComponent(text)}\n`, chars)).toBe(text);
      }),
    );
  });
});
