import { beforeAll, describe, expect, it } from 'vitest';
import { plainLines, stackText } from '../../collector/cli/plain';
import { HANGING, notice, STALLED, second } from './tail-fixtures';

beforeAll(() => {
  process.env.TZ = 'UTC';
});

describe('plain lines of the tail', () => {
  it('gives one line for a second, and one for each of the hottest functions', () => {
    expect(plainLines(second())).toEqual([
      '12:00:00 shop/host-1  cpu 41.3 % (main 38.0 %, ringtail 0.6 %) | loop 42.0 % | delay p50 1.10 ms p99 12.3 ms max 356 ms | gc 12 in 8.10 ms max 1.90 ms | http 100.0/s p50 2.10 ms p99 30.0 ms | 1 error 2 aborted | heap 34.5 MiB rss 98.0 MiB | sampler on 99 Hz 41 ticks',
      '  hot 43.2 % self, 45.0 % total: slowReportTotals (shop/report.js:21)',
      '  hot 6.0 % self, 6.0 % total: JSON.parse',
    ]);
  });

  it('says what is not known instead of zero', () => {
    const [line] = plainLines(
      second({
        cpu: { processPercent: null, mainPercent: null, agentPercent: null },
        loop: { utilization: null, delayMillis: null },
        http: { requestsPerSecond: 0, p50Millis: null, p99Millis: null, errors: 0, aborted: 0 },
      }),
    );
    expect(line).toContain('cpu - (main -, ringtail -) | loop - | delay - |');
    expect(line).toContain('http 0.0/s p50 - p99 -');
  });

  it('tells the slowest request, and how an aborted one ended', () => {
    const line = second();
    const slowest = { method: 'PUT', route: '/a\x1b[2J', status: 0, aborted: true, millis: 1500 };
    const lines = plainLines({ ...line, http: { ...line.http, slowest } });
    expect(lines[1]).toMatch(/^ {2}slowest PUT \/a\S*\[2J aborted 1\.50 s$/);
    expect(lines[1]).not.toContain('\x1b');
  });

  it('tells below the slowest request what most of its time ran in, and nothing where that is not known', () => {
    const line = second();
    const of = (millis: number, busyMillis: number | null, stack: string[]) => {
      const slowest = { method: 'GET', route: '/', status: 200, aborted: false, millis, busyMillis, stack };
      return plainLines({ ...line, http: { ...line.http, slowest } }).slice(1, -2);
    };
    const stack = ['(root)', 'rendersReport (/srv/shop/app.js:12)'];
    expect(of(812.4, 640.2, stack)).toEqual([
      '  slowest GET / 200 812 ms',
      '    in rendersReport (shop/app.js:12), 640 of 812 ms',
    ]);
    expect(of(2500, 640, stack)[1]).toBe('    in rendersReport (shop/app.js:12), 640 ms of 2.50 s');
    expect(of(812, null, [])).toEqual(['  slowest GET / 200 812 ms']);
    expect(of(60, 60, ['parse\x1b[2J (/srv/\x9b31m.js:1)'])[1]).toMatch(
      /^ {4}in parse\S*\[2J \(srv\/\S*31m\.js:1\)/,
    );
  });

  it('tells a hang with its stack, leaf first, before everything else', () => {
    expect(plainLines(HANGING)[1]).toBe(
      '  HANG javascript for 1.50 s, still: spinForever (cart.js:40) < checkout (cart.js:12) < onRequest (server.js:5) < (root)',
    );
  });

  it('says of a stack from before the hang that it is one', () => {
    const hang = { ...HANGING.hang!, kind: 'native' as const, stackFrom: 'before' as const };
    expect(plainLines({ ...HANGING, hang })[1]).toMatch(
      /^ {2}HANG native for 1\.50 s, last seen before it: spinForever \(cart\.js:40\) </,
    );
    expect(plainLines({ ...HANGING, hang: { ...hang, stackFrom: 'hang' } })[1]).toContain(', still: spin');
  });

  it('says why a hang in native code has no stack yet', () => {
    const hang = { ...HANGING.hang!, kind: 'native' as const, stack: [], stackFrom: null };
    expect(plainLines({ ...HANGING, hang })[1]).toMatch(/HANG native for .*, no stack until it returns: /);
  });

  it('names a function without a name once by its place, and leaves out what was only on the way', () => {
    const at = { file: '/srv/shop/app.js', line: 315 };
    const nameless = { ...at, function: '(anonymous) app.js:315', selfPercent: 9, totalPercent: 9 };
    const caller = { ...at, function: 'listen', selfPercent: 0.04, totalPercent: 60 };
    expect(plainLines(second({ hot: [nameless, caller] })).slice(1)).toEqual([
      '  hot 9.0 % self, 9.0 % total: (anonymous) shop/app.js:315',
    ]);
    const stack = ['(anonymous) app.js:315 (app.js:320)', '(anonymous) app.js:7 (/srv/shop/app.js:7)'];
    expect(stackText(stack)).toBe('(anonymous) shop/app.js:7 < (anonymous) app.js:315 (app.js:320)');
  });

  it('tells stalls and losses', () => {
    const lines = plainLines(STALLED);
    expect(lines[1]).toBe(
      '  stall javascript 352 ms at 11:59:59: rebuildSearchIndex (index.js:20) < rebuildNow (service.js:90) < (root)',
    );
    expect(lines.at(-1)).toBe('  lost 17 ring-full');
  });

  it('tells what collection took and left, a long one, a brief stall and memory that stays', () => {
    const line = second();
    const lines = plainLines({
      ...line,
      loop: {
        ...line.loop,
        stallTiers: [
          { tier: '50ms', count: 2 },
          { tier: '200ms', count: 1 },
        ],
        briefStall: { forMillis: 82, stack: ['tick (/srv/shop/app.js:3)', 'burn (/srv/shop/app.js:9)'] },
      },
      gc: {
        ...line.gc,
        wallPercent: 0.8,
        longest: { millis: 48.2, name: 'major (forced)', stack: ['grow (/srv/shop/app.js:4)'] },
        minute: {
          wallPercent: 1,
          busyPercent: 2,
          maxMillis: 48.2,
          mutatorPercent: [
            { windowMillis: 10, percent: 0 },
            { windowMillis: 50, percent: 62 },
          ],
        },
      },
      memory: {
        ...line.memory,
        afterMajor: { usedBytes: 1, committedBytes: 2, externalBytes: 3, rssBytes: 4, hint: 'V8 keeps it' },
      },
    });
    expect(lines[0]).toContain(
      '| gc 12 in 8.10 ms max 1.90 ms (0.8 % of time, worst 10 ms left 0.0 % to the program) |',
    );
    expect(lines.slice(1, 4)).toEqual([
      '  brief stall of 82.0 ms, one of 3: burn (shop/app.js:9) < tick (shop/app.js:3)',
      '  collected major (forced) 48.2 ms: grow (shop/app.js:4)',
      '  kept V8 keeps it',
    ]);
  });

  it('gives one line for a notice', () => {
    expect(plainLines(notice())).toEqual(['12:00:00 shop/host-1  connected: node 20.20.2']);
    expect(plainLines(notice({ kind: 'silent', text: '' }))).toEqual(['12:00:00 shop/host-1  silent']);
  });

  it('shortens long stacks from the root', () => {
    const node = 'node:internal/streams/readable';
    expect(
      stackText([`read (${node}:788)`, `(anonymous) ${node}:9 (${node}:9)`, 'f (/srv/a/b/c.js:1)']),
    ).toBe(`f (b/c.js:1) < (anonymous) ${node}:9 < read (${node}:788)`);
    expect(stackText(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('g < f < e < d < c < …');
  });

  it('lets no control character through from any name', () => {
    const evil = '\x1b]0;pwned\x07\x9b31m\r\n\u202eevil';
    const slowest = { method: evil, route: evil, status: 200, aborted: false, millis: 60 };
    const lines = [
      ...plainLines(
        second({
          service: evil,
          instance: evil,
          http: { ...second().http, slowest: { ...slowest, stack: [evil], busyMillis: 50 } },
          hot: [{ function: evil, file: evil, line: 1, selfPercent: 1, totalPercent: 1 }],
          hang: { kind: 'native', sinceMillis: 0, forMillis: 1, stack: [evil] },
          stalls: [{ startMillis: 0, forMillis: 1, kind: 'native', stack: [evil] }],
          drops: [{ reason: evil, count: 1 }],
          sampler: {
            state: evil,
            rateHz: 1,
            windowMillis: 1,
            ticks: 1,
            repairedPercent: 0,
            unnamedPercent: 0,
          },
        }),
      ),
      ...plainLines(notice({ text: evil })),
    ];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
    for (const line of lines) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  });
});
