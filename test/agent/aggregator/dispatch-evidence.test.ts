import { describe, expect, it } from 'vitest';
import { DispatchEvidence } from '../../../agent/aggregator/dispatch-evidence';
import type { V8Node, V8Profile } from '../../../agent/aggregator/profile-reader';

type Row = [name: string, url: string, lines: Record<number, number>];
const TIMERS = 'node:internal/timers';
const FIRST_LINE = 460;

function profileOf(...rows: Row[]): V8Profile {
  const nodes = rows.map(([functionName, url, lines], index): V8Node => {
    const positionTicks = Object.entries(lines).map(([line, ticks]) => ({ line: Number(line), ticks }));
    return {
      id: index + 1,
      callFrame: { functionName, url, scriptId: '1', lineNumber: FIRST_LINE - 1, columnNumber: 0 },
      hitCount: positionTicks.reduce((sum, { ticks }) => sum + ticks, 0),
      positionTicks,
    };
  });
  return { nodes, startTime: 0, endTime: 1 };
}

const NEVER = () => false;
const seenIn = (...rows: Row[]) => new DispatchEvidence().see(profileOf(...rows), NEVER);

describe('hidden code', () => {
  it('is told where a dispatcher of Node.js holds many ticks on one line', () => {
    expect(seenIn(['listOnTimeout', TIMERS, { 581: 30 }])).toEqual({
      name: 'listOnTimeout of Node.js',
      percent: 100,
    });
    const half: Row = ['handler', '/app.js', { 3: 40 }];
    expect(seenIn(['emit', 'node:events', { 519: 40 }], half)).toEqual({
      name: 'emit of Node.js',
      percent: 50,
    });
  });

  it.each<[string, Row[]]>([
    ['too few ticks', [['listOnTimeout', TIMERS, { 581: 29 }]]],
    [
      'less than a quarter of those in functions',
      [
        ['listOnTimeout', TIMERS, { 581: 30 }],
        ['handler', '/app.js', { 3: 91 }],
      ],
    ],
    ['lines here and there: it has work of its own', [['listOnTimeout', TIMERS, { 581: 40, 545: 10 }]]],
    ['lines outside of the dispatcher: what was inlined', [['listOnTimeout', TIMERS, { 7: 90 }]]],
    ['lines far behind it', [['listOnTimeout', TIMERS, { 2581: 90 }]]],
    ['a function of Node.js that calls nobody', [['tokenize', 'node:internal/url', { 470: 90 }]]],
    ["the program's function of that name", [['listOnTimeout', '/app/timers.js', { 470: 90 }]]],
  ])('is not told of %s', (_what, rows) => {
    expect(seenIn(...rows)).toBe(null);
  });

  it('counts neither waiting nor native code nor collections', () => {
    const timers: Row = ['listOnTimeout', TIMERS, { 581: 30 }];
    const others = ['(idle)', '(program)', '(garbage collector)'].map((name): Row => [name, '', { 0: 500 }]);
    expect(seenIn(timers, ...others)?.percent).toBe(100);
  });

  it('is found in short windows together, and not in windows of long ago', () => {
    const evidence = new DispatchEvidence();
    const short = profileOf(['processImmediate', TIMERS, { 483: 10 }]);
    expect([evidence.see(short, NEVER), evidence.see(short, NEVER)]).toEqual([null, null]);
    expect(evidence.see(short, NEVER)).toEqual({ name: 'processImmediate of Node.js', percent: 100 });
    evidence.clear();
    expect(evidence.see(short, NEVER)).toBe(null);
    evidence.see(profileOf(['handler', '/app.js', { 3: 200 }]), NEVER);
    expect([1, 2, 3].map(() => evidence.see(short, NEVER)?.percent)).toEqual([undefined, undefined, 100]);
  });

  it("is told of the program's own functions where the line may hide one, by the children that V8 shows", () => {
    const asked: unknown[] = [];
    const profile = profileOf(
      ['runs', 'file:///srv/job.js', { 470: 60 }],
      ['helper', 'file:///srv/job.js', { 9: 1 }],
    );
    profile.nodes[0]!.children = [2];
    const see = (mayHide: boolean) =>
      new DispatchEvidence().see(profile, ({ functionName }, line, children) => {
        asked.push(
          functionName,
          line,
          children.map((child) => child.functionName),
        );
        return mayHide;
      });
    expect(see(false)).toBe(null);
    expect(asked).toEqual(['runs', 470, ['helper']]);
    expect(see(true)).toEqual({ name: `runs (job.js:${FIRST_LINE})`, percent: 98 });
  });
});
