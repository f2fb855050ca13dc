import { beforeAll, describe, expect, it } from 'vitest';
import { Board } from '../../collector/cli/board';
import { renderView, type ViewFrame } from '../../collector/cli/view';
import { widthColumns } from '../../collector/profile/printable';
import type { TailLine } from '../../collector/tail/schema';
import { HANGING, NOON_MILLIS, notice, STALLED, second } from './tail-fixtures';

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this looks for
const ESCAPES = /\x1b\[[0-9;]*m/g;

beforeAll(() => {
  process.env.TZ = 'UTC';
});

function render(lines: TailLine[], changes: Partial<ViewFrame> = {}): string[] {
  const board = new Board();
  for (const line of lines) board.add(line);
  const frame = {
    columns: 80,
    rows: 24,
    color: false,
    nowMillis: NOON_MILLIS,
    source: '127.0.0.1:7411',
    trouble: '',
  };
  return renderView(board, { ...frame, footer: [], ...changes });
}

function text(rows: string[]): string {
  return rows.map((row) => row.trimEnd()).join('\n');
}

describe('the live view', () => {
  it('shows one instance on 80 columns', () => {
    expect(text(render([STALLED])).trimEnd()).toBe(`\
 ringtail  12:00:00  1 instance  127.0.0.1:7411  q quits
 shop / host-1
 cpu      41.3 %  main 38.0 %  ringtail 0.6 %  ▄
 delay    p50 1.10 ms  p99 12.3 ms  max 356 ms  loop 42.0 % used
 http     100.0/s  p50 2.10 ms  p99 30.0 ms  1 error  2 aborted
 gc       12 in 8.10 ms  longest 1.90 ms
 memory   heap 34.5 MiB of 2.05 GiB  rss 98.0 MiB
 sampler  on  99 Hz  41 ticks  windows 1.00 s  leaves repaired 3.0 %, unnamed 0…
 hottest   43.2 %  45.0 %  slowReportTotals (shop/report.js:21)
            6.0 %   6.0 %  JSON.parse
 stalls   11:59:59  352 ms  rebuildSearchIndex (index.js:20) < rebuildNow (serv…
 lost     17 ring-full`);
  });

  it('shows the slowest request and the slowest routes', () => {
    const line = second();
    const rows = render([
      {
        ...line,
        http: {
          ...line.http,
          slowest: {
            ...{ method: 'GET', route: '/users/:id', status: 200, aborted: false, millis: 81.2 },
            ...{ stack: ['handler (/srv/shop/app.js:3)', 'parse (/srv/shop/parse.js:9)'], busyMillis: 70.7 },
          },
          routes: [
            { method: 'GET', route: '/users/:id', requestsPerSecond: 12, errors: 0, p99Millis: 30 },
            { method: 'POST', route: null, requestsPerSecond: 0.5, errors: 2, p99Millis: 4 },
          ],
        },
      },
    ]);
    const at = rows.findIndex((row) => row.startsWith(' slowest'));
    expect(text(rows.slice(at, at + 4))).toBe(`\
 slowest  GET /users/:id 200 81.2 ms
          in parse (shop/parse.js:9), 70.7 of 81.2 ms
 routes   p99 30.0 ms    12.0/s  GET /users/:id
          p99 4.00 ms     0.5/s  POST (no route)  2 errors`);
  });

  it('shows a hang in red with its stack, above the figures', () => {
    const rows = render([HANGING], { color: true });
    expect(rows[2]).toBe('\x1b[1;31m HANG     in JavaScript for 1.50 s, since 11:59:58\x1b[0m');
    expect(rows[3]).toBe('\x1b[1;31m          spinForever (cart.js:40)\x1b[0m');
    expect(rows[4]).toBe('\x1b[1;31m          called by checkout (cart.js:12)\x1b[0m');
  });

  it('says why a hang in native code has no stack yet', () => {
    const hang = { ...HANGING.hang!, kind: 'native' as const, stack: [], stackFrom: null };
    const rows = render([{ ...HANGING, hang }]);
    expect(rows.find((row) => row.includes('no stack until it returns'))).toBeDefined();
  });

  it('says of a stack from before the hang that it is one', () => {
    const hang = { ...HANGING.hang!, kind: 'native' as const, stackFrom: 'before' as const };
    const rows = render([{ ...HANGING, hang }]);
    expect(rows[3]!.trim()).toBe('last seen before it: spinForever (cart.js:40)');
    expect(rows[4]!.trim()).toBe('called by checkout (cart.js:12)');
  });

  it('writes no escape sequence without colour', () => {
    expect(render([HANGING]).join('')).not.toContain('\x1b');
  });

  it('fills exactly the window and never overflows it, at any size from 40 × 12', () => {
    const lines = ['a', 'b', 'c', 'd'].flatMap((instance) => [
      { ...HANGING, instance },
      { ...STALLED, instance },
    ]);
    for (let columns = 40; columns <= 200; columns += 7) {
      for (let rows = 12; rows <= 60; rows += 5) {
        const drawn = render(lines, { columns, rows, color: true, footer: ['one', 'two'] });
        expect(drawn).toHaveLength(rows);
        for (const row of drawn) expect(widthColumns(row.replace(ESCAPES, ''))).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('keeps what matters most on 40 × 12', () => {
    const rows = render([HANGING], { columns: 40, rows: 12 }).map((row) => row.trimEnd());
    expect(rows.slice(1, 5)).toEqual([
      ' shop / host-1',
      ' HANG     in JavaScript for 1.50 s, sin…',
      '          spinForever (cart.js:40)',
      '          called by checkout (cart.js:1…',
    ]);
    expect(rows.join('\n')).toContain('p50 1.10 ms  p99 12.3 ms');
    expect(rows.join('\n')).toContain('slowReportTo…');
  });

  it('puts hanging instances first and says how many did not fit', () => {
    const lines = ['a', 'b', 'c', 'd', 'e'].map((instance) => second({ instance }));
    lines.push({ ...HANGING, instance: 'z' });
    const rows = render(lines, { rows: 14 });
    expect(rows[1]).toContain('shop / z');
    expect(text(rows)).toContain('4 more');
  });

  it('says that an instance is silent, left, or that nothing is connected', () => {
    expect(render([second()], { nowMillis: NOON_MILLIS + 5000 })[1]).toContain('silent for 5 s');
    expect(render([second(), notice({ kind: 'ended-without-goodbye', text: '' })])[1]).toContain(
      'ended-without-goodbye',
    );
    expect(text(render([]))).toContain('waiting for an instance');
    expect(render([], { trouble: 'no connection' })[1]).toBe('no connection');
  });

  it('forgets an instance half a minute after it left, not one that is only silent', () => {
    const left = [second(), notice({ kind: 'goodbye' })];
    expect(text(render(left, { nowMillis: NOON_MILLIS + 29_000 }))).toContain('shop');
    expect(text(render(left, { nowMillis: NOON_MILLIS + 31_000 }))).not.toContain('shop');
    expect(text(render([second()], { nowMillis: NOON_MILLIS + 31_000 }))).toContain('shop');
  });

  it('lets no control character through from a name', () => {
    const evil = '\x1b[2J\x07evil\x9b';
    const rows = render([
      second({ service: evil, hang: { kind: 'native', sinceMillis: 0, forMillis: 1, stack: [evil] } }),
    ]);
    expect(rows.join('')).not.toMatch(/[\p{Cc}]/u);
    expect(rows.join('')).toContain('evil');
  });
});
