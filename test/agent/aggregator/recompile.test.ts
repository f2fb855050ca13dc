import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Cost } from '../../../agent/aggregator/cost';
import type { V8Profile } from '../../../agent/aggregator/profile-reader';
import { GUARD_TEXT, Recompile } from '../../../agent/aggregator/recompile';
import type { SamplerSession } from '../../../agent/aggregator/sampler';
import type { RecompileMode } from '../../../agent/options';

const MINUTE_MICROS = 60e6;
const HIDDEN: V8Profile = {
  nodes: [
    {
      id: 1,
      callFrame: {
        functionName: 'listOnTimeout',
        url: 'node:internal/timers',
        scriptId: '1',
        lineNumber: 570,
        columnNumber: 1,
      },
      hitCount: 90,
      positionTicks: [{ line: 581, ticks: 90 }],
    },
  ],
  startTime: 0,
  endTime: 1,
};

type Main = { reason?: unknown; heapBytes?: number; startMicros?: number; failure?: string };

/** A main thread that answers so, and takes 4 ms for it. */
function recompileOf(
  mode: RecompileMode,
  { reason = '', heapBytes = 5e6, startMicros = 2e3, failure }: Main = {},
) {
  const asked: string[] = [];
  const notes: string[] = [];
  const clock = { micros: 0, main: 0 };
  const session: SamplerSession | null = {
    post(method, parameters, callback) {
      if (method !== 'Runtime.evaluate') {
        asked.push(method);
        clock.main += 2e3;
        return callback?.(failure === undefined ? null : new Error(failure), {});
      }
      const isGuard = (parameters as { expression: string }).expression.includes('moduleLoadList');
      callback?.(null, { result: { value: isGuard ? [reason, heapBytes] : clock.main } });
    },
    on() {},
    disconnect() {},
  };
  const cost = {
    mainCpuMicros: () => 0,
    mainWaitedMicros: 0,
    recompileMicros: 0,
    rotationPauseMicros: 0,
  } as unknown as Cost;
  const host = { session: session as SamplerSession | null };
  const recompile = new Recompile({
    mode,
    cost,
    nowMicros: () => clock.micros,
    note: (text) => void notes.push(text),
    session: () => host.session,
    mayHide: () => false,
    startMicros: () => startMicros,
  });
  return { recompile, asked, notes, clock, cost, host };
}

const TOGGLE = ['Profiler.startPreciseCoverage', 'Profiler.stopPreciseCoverage'];

describe('code is compiled again', () => {
  it('once after the first start in a running program, which is told and counted', () => {
    const { recompile, asked, notes, cost } = recompileOf('start');
    recompile.windowRuns();
    recompile.windowRuns();
    expect(asked).toEqual(TOGGLE);
    expect(notes).toEqual([expect.stringContaining('held main up for 4.0 ms')]);
    expect([cost.recompileMicros, cost.rotationPauseMicros]).toEqual([4e3, 4e3]);
  });

  it('on evidence, once in ten minutes and three times in all', () => {
    const { recompile, asked, notes, clock } = recompileOf('auto');
    recompile.windowRuns();
    expect(asked).toEqual([]);
    for (let minute = 0; minute < 100; minute++) {
      clock.micros = minute * MINUTE_MICROS;
      recompile.see(HIDDEN);
      expect(asked.length).toBe(2 * Math.min(3, 1 + Math.floor(minute / 10)));
    }
    expect(notes[0]).toMatch(/^100 % of the samples stand with listOnTimeout of Node\.js: /);
  });

  it('on evidence also right after the first start, where that was in vain', () => {
    const { recompile, asked } = recompileOf('start');
    recompile.windowRuns();
    recompile.see(HIDDEN);
    recompile.see(HIDDEN);
    expect(asked).toEqual([...TOGGLE, ...TOGGLE]);
  });

  it('never where that is switched off, or while nothing samples', () => {
    const { recompile, asked, notes } = recompileOf('off');
    recompile.windowRuns();
    recompile.see(HIDDEN);
    const resting = recompileOf('start');
    resting.host.session = null;
    resting.recompile.windowRuns();
    resting.recompile.see(HIDDEN);
    expect([...asked, ...notes, ...resting.asked, ...resting.notes]).toEqual([]);
  });

  it.each<[string, Main, RegExp]>([
    ['the program may take a coverage', { reason: 'the program has loaded node:inspector' }, /has loaded/],
    ['the runtime does not tell', { reason: 'the runtime does not tell' }, /does not tell/],
    ['main does not answer what was asked', { reason: 5 }, /has not told/],
    ['the last start took long', { startMicros: 51e3 }, /for 51 ms/],
    ['the heap is large', { heapBytes: 100e6 }, /for 150 ms/],
  ])('never where %s, which is told', (_why, main, told) => {
    for (const mode of ['start', 'auto'] as const) {
      const { recompile, asked, notes } = recompileOf(mode, main);
      recompile.windowRuns();
      recompile.see(HIDDEN);
      expect(asked).toEqual([]);
      expect(notes[0]).toMatch(told);
    }
  });

  it('in a heap of medium size only where somebody has asked for the agent', () => {
    const [attached, preloaded] = (['start', 'auto'] as const).map((mode) =>
      recompileOf(mode, { heapBytes: 50e6 }),
    );
    attached!.recompile.windowRuns();
    preloaded!.recompile.see(HIDDEN);
    expect([attached!.asked, preloaded!.asked]).toEqual([TOGGLE, []]);
  });

  it('and says so when the runtime refuses', () => {
    const { recompile, notes, cost } = recompileOf('start', { failure: 'Profiler is not enabled' });
    recompile.windowRuns();
    expect(notes).toEqual([expect.stringContaining('Profiler is not enabled')]);
    expect(cost.recompileMicros).toBe(0);
  });
});

describe('a main thread', () => {
  /** What it answers, after it has done that; nothing may be said on its stderr. */
  function answerOf(before: string, words: string[] = [], environment: Record<string, string> = {}) {
    const script = `${before}; for (let i = 0; i < 2; i++) console.log(JSON.stringify(${GUARD_TEXT}));`;
    const { stdout, stderr } = spawnSync(process.execPath, [...words, '-e', script], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', ...environment },
    });
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([stderr, answers[0][1] > 1e6, answers[1][0]]).toEqual(['', true, answers[0][0]]);
    return answers[0][0];
  }

  it('may be deoptimised where nothing in it looks like a coverage, and is not marked by the question', () => {
    expect(answerOf('')).toBe('');
    expect(answerOf("require('node:v8').getHeapStatistics(); require('node:perf_hooks')")).toBe('');
  });

  it.each([
    ["require('inspector')", /has loaded node:inspector/],
    ["process.getBuiltinModule('node:inspector/promises')", /has loaded node:inspector/],
    ["process.env.NODE_V8_COVERAGE = '/nowhere'", /NODE_V8_COVERAGE/],
    ['delete process.moduleLoadList', /does not tell/],
    ['process.binding = () => ({})', /has loaded node:inspector/],
  ])('that has done %s is left alone', (before, reason) => {
    expect(answerOf(before)).toMatch(reason);
  });

  it('that would warn of our question is left alone', () => {
    expect(answerOf('', ['--pending-deprecation'])).toMatch(/has loaded node:inspector/);
    expect(answerOf('', [], { NODE_PENDING_DEPRECATION: '1' })).toMatch(/has loaded node:inspector/);
  });
});
