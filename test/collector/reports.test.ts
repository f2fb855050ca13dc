import { describe, expect, it } from 'vitest';
import { widthColumns } from '../../collector/profile/printable';
import { Profile } from '../../collector/profile/profile';
import { callTree } from '../../collector/profile/report/call-tree';
import { compareProfiles, differenceTable } from '../../collector/profile/report/difference';
import { filterProfile } from '../../collector/profile/report/filter';
import { listFunctions, listingText } from '../../collector/profile/report/listing';
import { packageOf } from '../../collector/profile/report/package-name';
import { peekFunctions } from '../../collector/profile/report/peek';
import { topFunctions, totalOf } from '../../collector/profile/report/top';
import { placedName, topTable } from '../../collector/profile/report/top-table';
import { traces } from '../../collector/profile/report/traces';
import { ValueScale } from '../../collector/profile/report/value-scale';
import { summaryOf } from '../../collector/profile/summary';

const CPU = { type: 'cpu', unit: 'nanoseconds' };
const SECOND = 1e9;

/** `main;handler@7 3`: three seconds of handler at line 7; functions are of /srv/<first letter>.js and begin at line 1. */
function profileOf(text: string): Profile {
  const profile = new Profile({
    sampleTypes: [{ type: 'samples', unit: 'count' }, CPU],
    periodType: CPU,
    period: SECOND,
    startMillis: 0,
    durationNanos: 10 * SECOND,
    program: 'shop',
    comments: [],
  });
  for (const line of text.trim().split('\n')) {
    const [stack = '', seconds = ''] = line.trim().split(' ');
    const node = stack.split(';').reduce((parent, frame) => {
      const [name = '', at = '2'] = frame.split('@');
      const called = profile.function(name, name, `/srv/${name[0]}.js`, 1);
      return profile.node(parent, profile.location(called, Number(at)));
    }, 0);
    profile.add(node, 0, [Number(seconds), Number(seconds) * SECOND]);
  }
  return profile;
}

const figures = (profile: Profile, by?: 'file' | 'package') =>
  topFunctions(profile, 1, by).map(({ name, flat, cumulative }) => [
    name,
    flat / SECOND,
    cumulative / SECOND,
  ]);

describe('top', () => {
  it('counts a function once a stack, and its own time once a leaf', () => {
    expect(figures(profileOf('main;fib;fib;fib 4\nmain;fib 1\nmain 2'))).toEqual([
      ['fib', 5, 5],
      ['main', 2, 7],
    ]);
  });

  it('groups by file and by package', () => {
    const profile = profileOf('main;made;x 4\nx 1');
    expect(figures(profile, 'file')).toEqual([
      ['/srv/x.js', 5, 5],
      ['/srv/m.js', 0, 4],
    ]);
    expect(figures(profile, 'package')).toEqual([['(own code)', 5, 5]]);
  });

  it.each([
    ['f', '/srv/node_modules/express/lib/router.js', 'express'],
    ['f', '/srv/node_modules/a/node_modules/@b/c/index.js', '@b/c'],
    ['f', 'C:\\app\\node_modules\\ws\\index.js', 'ws'],
    ['f', 'node:internal/fs', '(node)'],
    ['f', '/srv/app.js', '(own code)'],
    ['(idle)', '', '(idle)'],
    ['memcpy', '', '(native)'],
  ])('%s of %j is code of %s', (name, file, expected) => {
    expect(packageOf(name, file)).toBe(expected);
  });

  it('is a table of any width, with names that no terminal acts on', () => {
    const profile = profileOf('main;handler 3\nmain 1');
    const total = totalOf(profile, 1);
    const table = (columns?: number) =>
      topTable(topFunctions(profile, 1), { scale: new ValueScale(CPU, total), total, rows: 9, columns });
    expect(table()).toEqual([
      '       flat  flat %   sum %        cum   cum %  function',
      '     3.00 s  75.0 %  75.0 %     3.00 s  75.0 %  handler  /srv/h.js:1',
      '     1.00 s  25.0 % 100.0 %     4.00 s 100.0 %  main  /srv/m.js:1',
    ]);
    for (const columns of [60, 70, 80]) {
      for (const row of table(columns)) expect(widthColumns(row)).toBeLessThanOrEqual(columns);
    }
    const named = { name: '\u001b[2Jx', file: `/${'d/'.repeat(40)}file.js`, line: 3 };
    const node = { name: 'read', file: 'node:internal/streams/readable', line: 788 };
    expect(placedName(node, 30)).toBe('read  node:…reams/readable:788');
    expect(placedName(named, 30)).toBe('[2Jx  …d/d/d/d/d/d/d/file.js:3');
    expect(widthColumns(placedName({ ...named, name: '名'.repeat(40) }, 41))).toBeLessThanOrEqual(41);
  });

  it('keeps a space before every figure, however large', () => {
    const profile = profileOf('main;handler 999999999999\nmain 142594272');
    const total = totalOf(profile, 0);
    const scale = new ValueScale({ type: 'samples', unit: 'count' }, total);
    const tops = topTable(topFunctions(profile, 0), { scale, total, rows: 9 });
    const calls = callTree(profile, { type: 0, scale, minPercent: 0 });
    const compared = differenceTable(
      compareProfiles({ profile: profileOf('main 1'), type: 0 }, { profile, type: 0 }, false),
      scale,
      9,
    );
    for (const rows of [tops, calls, compared]) {
      expect(rows.length).toBeGreaterThan(1);
      for (const row of rows) expect(row).not.toMatch(/%[+-]?\d|,\d{4}|\d[+]/);
    }
  });

  it('ends a run within 100 columns', () => {
    const lines = Array.from({ length: 15 }, (_, index) => `${'very'.repeat(20)}${index} ${index + 1}`);
    const text = summaryOf(profileOf(lines.join('\n'))).split('\n');
    expect(text[0]).toBe('CPU 120.00 s sampled in 10.00 s; the 10 functions of 15 that took most:');
    expect(text).toHaveLength(12);
    for (const line of text) expect(widthColumns(line)).toBeLessThanOrEqual(100);
    const headOf = (folded: string) => summaryOf(profileOf(folded)).split('\n')[0];
    expect(headOf('main 1')).toBe('CPU 1.00 s sampled in 10.00 s; the one function that took it:');
    expect(summaryOf(profileOf(''))).toBe('CPU 0.00 s sampled in 10.00 s; no function took any');
    const [rested = ''] = summaryOf(profileOf(lines.join('\n')), 4e6).split('\n');
    expect(rested).toBe(
      'CPU 120.00 s sampled in 10.00 s, not sampled for 4 s; the 10 functions of 15 that took most:',
    );
    expect(widthColumns(rested)).toBeLessThanOrEqual(100);
  });
});

describe('values', () => {
  it.each([
    ['nanoseconds', 12e9, 1.5e6, '0.00 s'],
    ['nanoseconds', 12e6, 1.5e6, '1.50 ms'],
    ['milliseconds', 12e3, 1500, '1.50 s'],
    ['bytes', 2 ** 31, 2 ** 20 * 1536, '1.50 GiB'],
    ['bytes', 500, 499, '499 B'],
    ['count', 1e7, 1234567, '1,234,567'],
    ['nanoseconds', 4e12, 3.5e12, '3,500.00 s'],
    ['widgets', 5, 5, '5'],
  ])('of %s, %d the largest: %d is %s', (unit, largest, value, text) => {
    expect(new ValueScale({ type: 'x', unit }, largest).text(value)).toBe(text);
  });
});

describe('filters', () => {
  it('keep stacks by name or file, whatever is around, and the total stays what percentages are of', () => {
    const profile = profileOf('main;handler;parse 3\nmain;handler;burn 2\nother 1');
    expect(figures(filterProfile(profile, { focus: /^handler$/, ignore: /b\.js/ }))).toEqual([
      ['parse', 3, 3],
      ['handler', 0, 3],
      ['main', 0, 3],
    ]);
    expect(filterProfile(profile, {})).toBe(profile);
  });
});

describe('tree', () => {
  it('shows calls below their callers, the most first, and says what it leaves out', () => {
    const profile = profileOf('main;a;b 5\nmain;a 3\nmain;c 1.9\nmain;d 0.1');
    const options = { type: 1, scale: new ValueScale(CPU, 10 * SECOND), minPercent: 5 };
    expect(callTree(profile, options)).toEqual([
      '      total total %       self  call',
      '    10.00 s 100.0 %          .  main  /srv/m.js:1',
      '     0.10 s   1.0 %               (1 below the cut-off)',
      '     8.00 s  80.0 %     3.00 s    a  /srv/a.js:1',
      '     5.00 s  50.0 %     5.00 s      b  /srv/b.js:1',
      '     1.90 s  19.0 %     1.90 s    c  /srv/c.js:1',
    ]);
  });

  it('of a stack of any depth needs no recursion', () => {
    const deep = Array.from({ length: 20_000 }, (_, index) => `f${index}`).join(';');
    const lines = callTree(profileOf(`${deep} 1`), {
      type: 1,
      scale: new ValueScale(CPU, SECOND),
      minPercent: 1,
    });
    expect(lines).toHaveLength(20_001);
    expect(lines.at(-1)).toContain('[19999] f19999');
  });
});

describe('peek', () => {
  it('shows callers and callees with what passed between them, recursion once', () => {
    const profile = profileOf('main;a;b 5\nother;a 3\nmain;a;a;b 2');
    expect(peekFunctions(profile, 1, /^a$/, new ValueScale(CPU, 10 * SECOND))).toEqual([
      [
        '     7.00 s  70.0 %    | main  /srv/m.js:1',
        '     3.00 s  30.0 %    | other  /srv/o.js:1',
        '     2.00 s  20.0 %    | a  /srv/a.js:1',
        '    10.00 s 100.0 %  a  /srv/a.js:1, 3.00 s by itself',
        '     7.00 s  70.0 %    | b  /srv/b.js:1',
        '     2.00 s  20.0 %    | a  /srv/a.js:1',
      ],
    ]);
  });
});

describe('traces', () => {
  it('shows stacks leaf first with labels and numbers', () => {
    const profile = profileOf('main;a@7 2\nmain 1');
    const labels = profile.labelSet(['route', 'GET /'], [{ key: 'bytes', value: 64, unit: 'bytes' }]);
    profile.add(profile.node(0, profile.locationsOf(1)[0]!), labels, [9, 9 * SECOND]);
    expect(traces(profile, 1, new ValueScale(CPU, 12 * SECOND), 2)).toEqual([
      ['             route: GET /', '             bytes: 64 bytes', '     9.00 s  main  /srv/m.js:2'],
      ['     2.00 s  a  /srv/a.js:7', '             main  /srv/m.js:2'],
    ]);
  });
});

describe('list', () => {
  const source = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const scale = new ValueScale(CPU, 10 * SECOND);

  it('puts what a line took beside it, once a stack', () => {
    const [listing] = listFunctions(profileOf('main@3;a@5 2\nmain@4;main@3 1\nmain@4 1'), 1, /^main$/);
    expect(listingText(listing!, () => source, 10 * SECOND, scale).slice(0, 7)).toEqual([
      'function main in /srv/m.js',
      '     2.00 s     4.00 s (flat, cum) 40.0 % of the total',
      '          .          .      1: line 1',
      '          .          .      2: line 2',
      '     1.00 s     3.00 s      3: line 3',
      '     1.00 s     2.00 s      4: line 4',
      '          .          .      5: line 5',
    ]);
  });

  it('says where a source is not to be had, or has changed', () => {
    const [listing] = listFunctions(profileOf('main@30 2\nmain@3 1'), 1, /main/);
    expect(listingText(listing!, () => null, 1, scale)).toContain(
      '     2.00 s     2.00 s     30: (its source cannot be read here)',
    );
    expect(listingText(listing!, () => source, 1, scale)).toContain(
      '     2.00 s     2.00 s     30: (the source has no such line: it has changed)',
    );
  });
});

describe('diff', () => {
  const before = profileOf('main;a 6\nmain;b 3\nmain;gone 1');
  const after = profileOf('main;a 12\nmain;b@9 7\nmain;fresh 1');
  const sides = [
    { profile: before, type: 1 },
    { profile: after, type: 1 },
  ] as const;
  const rows = (normalize: boolean) =>
    compareProfiles(...sides, normalize).functions.map(({ name, flat, cumulative }) => [
      name,
      flat / SECOND,
      cumulative / SECOND,
    ]);

  it('is after less before, the most changed first', () => {
    expect(rows(false)).toEqual([
      ['a', 6, 6],
      ['b', 4, 4],
      ['gone', -1, -1],
      ['fresh', 1, 1],
      ['main', 0, 10],
    ]);
  });

  it('normalised, compares shares: twice the load is no change', () => {
    expect(rows(true)).toEqual([
      ['gone', -1, -1],
      ['b', 0.5, 0.5],
      ['fresh', 0.5, 0.5],
    ]);
    expect(compareProfiles(...sides, true).factor).toBe(0.5);
    expect(differenceTable(compareProfiles(...sides, true), new ValueScale(CPU, 10 * SECOND), 2)).toEqual([
      '        flat   flat %         cum    cum %      before       after  function',
      '     -1.00 s  -10.0 %     -1.00 s  -10.0 %      1.00 s      0.00 s  gone  /srv/g.js:1',
      '     +0.50 s   +5.0 %     +0.50 s   +5.0 %      3.00 s      3.50 s  b  /srv/b.js:1',
    ]);
  });

  it('of a profile with itself is nothing', () => {
    expect(compareProfiles(sides[0], sides[0], true).functions).toEqual([]);
  });
});
