/** Source maps fetched from agents: when they are asked, what is shared, what is told of those that are missing. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent, Collected } from '../../collector/ingest/agents';
import { encodeFolded } from '../../collector/profile/folded';
import { Profile } from '../../collector/profile/profile';
import { SourceMap } from '../../collector/profile/source-map/source-map';
import { namedLocation } from '../../collector/profile/stack-nodes';
import { profileHead } from '../../collector/profile/tick-profile';
import { SourceMapCache } from '../../collector/query/source-map-cache';
import { SourceMaps } from '../../collector/query/source-maps';
import { functionsOf, MAPPED_FOLDER, type V8Function, writeBundle } from '../bundles';

const FILE = '/srv/app/dist/app.js';
const MAPPED = `burnDeclared (${join(MAPPED_FOLDER, 'main.ts')}) 1\n`;

let folder: string;
let mapText: string;
let burn: V8Function;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringtail-maps-'));
  const file = join(folder, 'app.js');
  await writeBundle(file, { minify: true });
  burn = functionsOf(file).burnDeclared!;
  const map = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
  map.sources = map.sources.map((source: string) => join(MAPPED_FOLDER, source.replace(/.*\//, '')));
  mapText = JSON.stringify(map);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Answers = { list?: unknown; map?: string; code?: number; afterMillis?: number };

/** An agent of the service `shop` that answers so, and what it was asked. */
function agentWith({ list, map = mapText, code = 0, afterMillis = 0 }: Answers = {}): {
  agent: Agent;
  asked: string[];
} {
  const asked: string[] = [];
  const entry = { mapFile: `${FILE}.map`, version: '1' };
  const collect = async (text: string): Promise<Collected> => {
    asked.push(text);
    await new Promise((resolve) => setTimeout(resolve, afterMillis));
    const scripts = new URLSearchParams(text.slice(text.indexOf('?') + 1)).getAll('script');
    const answer = text.startsWith('source-maps?') ? JSON.stringify(list ?? scripts.map(() => entry)) : map;
    const words = code === 0 ? 'application/json' : 'refused in words';
    return { reply: { requestId: 1, code, t0Micros: 0, text: words }, bytes: Buffer.from(answer) };
  };
  const instance = { service: 'shop', instance: `shop:${Math.random()}` };
  return { agent: { instance, link: { collect } } as unknown as Agent, asked };
}

function profileOf(...files: string[]): Profile {
  const profile = new Profile(profileHead('cpu', 'shop', 0));
  for (const file of files) {
    const place = { ...burn, systemName: burn.name, file, line: burn.startLine };
    profile.add(profile.node(0, namedLocation(profile, place)), 0, [1, 10]);
  }
  return profile;
}

const clock = () => performance.now();
const soon = () => clock() + 5000;
const comments = (profile: Profile) => profile.head.comments.join('\n');

describe('source maps of agents', () => {
  it('name functions by their sources, and the agent is asked once', async () => {
    const maps = new SourceMaps(clock);
    const { agent, asked } = agentWith();
    for (let time = 0; time < 3; time++) {
      const mapped = await maps.mapped(agent, profileOf(FILE), soon());
      expect(encodeFolded(mapped, 0)).toBe(MAPPED);
      expect(comments(mapped)).toMatch(/^shop shop:[\d.]+: source maps: 1 functions named by their sources$/);
    }
    const script = encodeURIComponent(FILE);
    expect(asked).toEqual([`source-maps?script=${script}`, `source-map?script=${script}`]);
  });

  it('are shared by the agents of a service, also when both are asked at once', async () => {
    const maps = new SourceMaps(clock);
    const [one, two, three] = [agentWith({ afterMillis: 20 }), agentWith({ afterMillis: 20 }), agentWith()];
    await Promise.all([one, two].map(({ agent }) => maps.mapped(agent, profileOf(FILE), soon())));
    await maps.mapped(three.agent, profileOf(FILE), soon());
    const fetched = [one, two, three]
      .flatMap(({ asked }) => asked)
      .filter((text) => text.startsWith('source-map?'));
    expect(fetched).toHaveLength(1);
  });

  it('of another version are others', async () => {
    const maps = new SourceMaps(clock);
    const one = agentWith();
    const two = agentWith({ list: [{ mapFile: `${FILE}.map`, version: '2' }] });
    for (const { agent } of [one, two]) await maps.mapped(agent, profileOf(FILE), soon());
    expect(two.asked).toHaveLength(2);
  });

  it('are not asked for where no function has a file', async () => {
    const { agent, asked } = agentWith();
    const profile = profileOf('node:internal/timers', 'evalmachine.<anonymous>');
    expect(await new SourceMaps(clock).mapped(agent, profile, soon())).toBe(profile);
    expect(asked).toEqual([]);
  });

  it('are asked for in requests that an agent takes', async () => {
    const { agent, asked } = agentWith({ list: [] });
    const files = Array.from(
      { length: 700 },
      (_, index) => `/srv/app/node_modules/package-${index}/index.js`,
    );
    const profile = profileOf(...files, `/srv/${'x'.repeat(9000)}`);
    await new SourceMaps(clock).mapped(agent, profile, soon());
    expect(Math.max(...asked.map((text) => text.length))).toBeLessThan(8000);
    const scripts = asked.flatMap((text) =>
      new URLSearchParams(text.slice('source-maps?'.length)).getAll('script'),
    );
    expect(scripts).toEqual(files);
  });

  it('that come too late are there the next time', async () => {
    const maps = new SourceMaps(clock);
    const { agent } = agentWith({ afterMillis: 100 });
    const late = await maps.mapped(agent, profileOf(FILE), clock() + 20);
    expect(encodeFolded(late, 0)).toBe(`${burn.name} (${FILE}) 1\n`);
    expect(comments(late)).toContain(
      '0 functions named by their sources, 1 left as they are: 1 not there in time',
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(encodeFolded(await maps.mapped(agent, profileOf(FILE), soon()), 0)).toBe(MAPPED);
  });

  it('that cannot be had are told with the reason, and cost nothing else', async () => {
    const cases: [Answers, string][] = [
      [{ list: ['cannot be read (ENOENT)'] }, '1 cannot be read (ENOENT)'],
      [{ map: '{"version":3' }, '1 it is no JSON'],
      [
        { map: '{"version":3,"sources":[],"mappings":"AAAA"}' },
        '1 it names a source or a name that it does not have',
      ],
      [{ map: '{"version":3,"sources":["a.ts"],"mappings":""}' }, '1 not in the map'],
      [{ list: ['x'.repeat(500)] }, `1 ${'x'.repeat(120)}`],
    ];
    for (const [answers, reason] of cases) {
      const mapped = await new SourceMaps(clock).mapped(agentWith(answers).agent, profileOf(FILE), soon());
      expect(comments(mapped)).toMatch(/0 functions named by their sources, 1 left as they are: /);
      expect(comments(mapped).endsWith(reason), comments(mapped)).toBe(true);
      expect(encodeFolded(mapped, 0)).toBe(`${burn.name} (${FILE}) 1\n`);
    }
  });

  it('of an agent that knows of none, has none, or makes no sense are none', async () => {
    for (const answers of [{ code: 404 }, { list: [null] }, { list: 7 }, { list: [{ mapFile: 7 }] }]) {
      const mapped = await new SourceMaps(clock).mapped(agentWith(answers).agent, profileOf(FILE), soon());
      expect(comments(mapped)).toBe('');
    }
  });

  it('of an agent that has no time are asked for again', async () => {
    const maps = new SourceMaps(clock);
    const { agent, asked } = agentWith({ code: 503 });
    for (let time = 0; time < 2; time++) await maps.mapped(agent, profileOf(FILE), soon());
    expect(asked).toHaveLength(2);
  });
});

describe('the cache of source maps', () => {
  const mapOf = (chars: number) =>
    new SourceMap(
      JSON.stringify({ version: 3, sources: ['a'], names: ['x'], mappings: ';'.repeat(chars) }),
      '/a.map',
    );

  it('forgets what was asked for least lately when there is no room', () => {
    const cache = new SourceMapCache(() => 0, 50_000);
    for (const key of ['a', 'b', 'c']) cache.put(key, mapOf(15_000));
    expect(cache.get('a')).not.toBeNull();
    cache.put('d', mapOf(15_000));
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key) !== null)).toEqual([true, false, true, true]);
    expect(cache.byteSize).toBeLessThan(50_000);
    cache.put('e', mapOf(60_000));
    expect(cache.byteSize).toBeLessThan(50_000);
  });

  it('forgets what nobody has asked for in half an hour', () => {
    let now = 0;
    const cache = new SourceMapCache(() => now);
    cache.put('a', mapOf(1));
    cache.put('b', 'it is no JSON');
    now = 20 * 60_000;
    expect(cache.get('b')).toBe('it is no JSON');
    now = 35 * 60_000;
    cache.put('c', mapOf(1));
    expect([cache.get('a'), cache.get('b')]).toEqual([null, 'it is no JSON']);
  });
});
