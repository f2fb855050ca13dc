/**
 * Every answer below /debug/pprof/ as Go's net/http/pprof gives it: status, headers, file names, words of refusals,
 * sample types and their order. The same table for the collector and for the agent's own port.
 */
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PPROF_PROFILES } from '../../collector/profile/pprof-request';
import { readPprof } from '../collector/pprof-reader';
import { type Answer, openTargets, type Target, type Targets } from './targets';

const BINARY = 'application/octet-stream';
const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const NO_SECONDS = 'invalid value for "seconds" - must be a positive integer\n';
const NO_DELTA = '"seconds" parameter is not supported for this profile type\n';
const NOT_BOTH = 'seconds and debug params are incompatible\n';
const CONTENTION = { types: ['contentions/count', 'delay/nanoseconds'], period: 'contentions/count' };
const SPACES = ['alloc_objects/count', 'alloc_space/bytes', 'inuse_objects/count', 'inuse_space/bytes'];
const HEAP = { types: SPACES, period: 'space/bytes' };

/** What Go's profiles have; wall and asyncwait are ours. default: the type that clients show, '' for the last. */
const SHAPES: Readonly<Record<string, { types: string[]; period: string; default?: string }>> = {
  profile: { types: ['samples/count', 'cpu/nanoseconds'], period: 'cpu/nanoseconds' },
  wall: { types: ['samples/count', 'wall/nanoseconds'], period: 'wall/nanoseconds' },
  heap: HEAP,
  allocs: { ...HEAP, default: 'alloc_space' },
  goroutine: { types: ['goroutine/count'], period: 'goroutine/count' },
  threadcreate: { types: ['threadcreate/count'], period: 'threadcreate/count' },
  block: CONTENTION,
  mutex: CONTENTION,
  asyncwait: CONTENTION,
};
const DELTAS = ['heap', 'allocs', 'block', 'mutex', 'goroutine', 'threadcreate'];

const refused = (path: string, status: number, body: string) => ({ path, status, body });
const REFUSALS = [
  refused('nosuch', 404, 'Unknown profile\n'),
  refused('toString', 404, 'Unknown profile\n'),
  refused('heap/', 404, 'Unknown profile\n'),
  ...DELTAS.flatMap((name) => [
    refused(`${name}?seconds=0`, 400, NO_SECONDS),
    refused(`${name}?seconds=-1`, 400, NO_SECONDS),
    refused(`${name}?seconds=abc`, 400, NO_SECONDS),
    refused(`${name}?seconds=1.5`, 400, NO_SECONDS),
    refused(`${name}?seconds=99999999999999999999`, 400, NO_SECONDS),
    refused(`${name}?seconds=1&debug=1`, 400, NOT_BOTH),
    refused(`${name}?seconds=1&debug=-1`, 400, NOT_BOTH),
  ]),
  refused('heapsnapshot?seconds=1', 400, NO_DELTA),
  refused('block?seconds=601', 400, 'profile duration exceeds 600 seconds, got 601\n'),
];

/** What the program asked for, or what the agent made of it by doubling because the program allocates so much. */
const INTERVALS = Array.from({ length: 9 }, (_, doublings) => 65_520 * 2 ** doublings).join('|');

/** How debug=1 and 2 begin, as in Go where Go has them. */
const TEXTS: Readonly<Record<string, RegExp>> = {
  'heap?debug=1': new RegExp(`^heap profile: \\d+: \\d+ \\[\\d+: \\d+\\] @ heap/(${INTERVALS})\n`),
  'heap?debug=2': /^heap in use /,
  'allocs?debug=1': /^heap profile: \d+: \d+ \[\d+: \d+\] @ heap\/\d+\n/,
  'block?debug=1': /^--- contention:\ncycles\/second=1000000000\n\d+ \d+ @/,
  'mutex?debug=1': /^--- mutex:\ncycles\/second=1000000000\nsampling period=1\n\d+ \d+ @/,
  'goroutine?debug=1': /^goroutine profile: total \d+\n\d+ @/,
  'goroutine?debug=2': /^[\s\S]*^goroutine \d+ \[/m,
  'goroutine?debug=-1': /^goroutine profile: total \d+\n/,
  'threadcreate?debug=1': /^threadcreate profile: total \d+\n\d+ @/,
  cmdline: /^everything$/,
  symbol: /^num_symbols: 1\n$/,
};

let targets: Targets;
/** By target: profiles that say nothing, or nothing that could be, about how long. */
let thirties: Promise<Answer>[][];

beforeAll(async () => {
  targets = await openTargets();
  thirties = targets.all.map(({ ask }) =>
    ['profile', 'profile?seconds=0', 'profile?seconds=1.5'].map((path) => ask(path)),
  );
});

afterAll(() => targets?.close());

describe.each([0, 1])('answers of target %i', (index) => {
  let target: Target;
  beforeAll(() => {
    target = targets.all[index]!;
  });

  it.each(REFUSALS)('$path is refused with $status', async ({ path, status, body }) => {
    const answer = await target.ask(path);
    expect([answer.status, answer.body.toString()]).toEqual([status, body]);
    expect(answer.headers).toMatchObject({
      'content-type': TEXT,
      'x-content-type-options': 'nosniff',
      'x-go-pprof': '1',
    });
    expect(answer.headers).not.toHaveProperty('content-disposition');
  });

  it.each(Object.keys(SHAPES))(
    '%s has the types of Go, in its order, and its own file name',
    async (name) => {
      const timed = PPROF_PROFILES[name]?.timed !== undefined;
      const answer = await target.ask(timed ? `${name}?seconds=1` : name);
      expect([answer.status, String(answer.headers['content-type'])], answer.body.toString()).toEqual([
        200,
        BINARY,
      ]);
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-disposition': `attachment; filename="${name}"`,
        'content-length': String(answer.body.length),
      });
      expect(answer.headers).not.toHaveProperty('content-encoding');
      expect(answer.headers).not.toHaveProperty('x-go-pprof');
      const shape = SHAPES[name]!;
      const profile = readPprof(gunzipSync(answer.body));
      expect(profile).toMatchObject({
        sampleTypes: shape.types,
        periodType: shape.period,
        defaultSampleType: shape.default ?? '',
      });
      expect(profile.samples.length).toBeGreaterThan(0);
      expect(profile.period).toBeGreaterThan(0);
      expect(Number(profile.timeNanos) / 1e9).toBeCloseTo(Date.now() / 1000, -2);
    },
  );

  it.each(DELTAS)('%s with seconds is a difference, under its own name', async (name) => {
    const answer = await target.ask(`${name}?seconds=1`);
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': BINARY,
      'content-disposition': `attachment; filename="${name}-delta"`,
    });
    const profile = readPprof(gunzipSync(answer.body));
    expect(profile).toMatchObject({ sampleTypes: SHAPES[name]!.types, periodType: SHAPES[name]!.period });
    expect(profile.durationNanos / 1e9).toBeCloseTo(1, 0);
  });

  it.each(Object.entries(TEXTS))('%s is text', async (path, begins) => {
    const answer = await target.ask(path);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, TEXT]);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers).not.toHaveProperty('content-disposition');
    expect(answer.body.toString()).toMatch(begins);
    if (!/^(cmdline|symbol)$/.test(path)) {
      expect(answer.body.toString()).toMatch(/^# profiler's own cost since the start: [\d.]+ % of a core/m);
      expect(answer.body.toString()).toMatch(/^# environment [0-9a-f]{8}: node /m);
    }
  });

  it.each([
    'profile',
    'wall',
    'heap',
    'heap?seconds=5',
    'block?debug=1',
    'heapsnapshot',
    'cmdline',
    'symbol',
    '',
  ])('HEAD of %j has the headers of GET, at once and without a body', async (path) => {
    const beganMillis = performance.now();
    const { status, headers, body } = await target.ask(path, { method: 'HEAD' });
    expect(performance.now() - beganMillis).toBeLessThan(900);
    expect([status, body.length]).toEqual([200, 0]);
    const isFile = /^(profile|wall|heap|heap\?seconds=5)$/.test(path);
    expect(headers['content-type']).toBe(isFile ? BINARY : path === '' ? HTML : TEXT);
    expect(headers['x-content-type-options']).toBe('nosniff');
    const name = path === 'heap?seconds=5' ? 'heap-delta' : path;
    expect(headers['content-disposition']).toBe(isFile ? `attachment; filename="${name}"` : undefined);
  });

  it('takes symbols by GET and POST, and nothing else by POST', async () => {
    for (const method of ['GET', 'POST']) {
      const symbols = await target.ask('symbol', { method });
      expect([symbols.status, symbols.body.toString()]).toEqual([200, 'num_symbols: 1\n']);
    }
    const posted = await target.ask('profile?seconds=1', { method: 'POST' });
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('has an index of what there is, also without its last slash', async () => {
    const index = await target.ask('');
    expect([index.status, index.headers['content-type']]).toEqual([200, HTML]);
    for (const name of Object.keys(PPROF_PROFILES))
      expect(index.body.toString()).toMatch(new RegExp(`<a href="${name}\\?`));
    const bare = await target.ask('../pprof');
    expect([bare.status, bare.headers.location]).toEqual([301, '/debug/pprof/']);
  });

  it('takes 30 seconds where none are said that could be', async () => {
    for (const answer of await Promise.all(thirties[index]!)) {
      expect(answer.headers['content-disposition']).toBe('attachment; filename="profile"');
      expect(readPprof(gunzipSync(answer.body)).durationNanos).toBe(30e9);
    }
  });
});
