import { describe, expect, it } from 'vitest';
import type { TickWindow } from '../../../../agent/aggregator/profile-reader';
import { CHUNK_BYTES } from '../../../../agent/aggregator/recorder/event-ring';
import { writeRecord } from '../../../../agent/aggregator/recorder/record-trace';
import { Recorder } from '../../../../agent/aggregator/recorder/recorder';
import { SampleState } from '../../../../assembly/layout';
import { drawnMicros, readTrace, type Trace, trackNames } from '../../../clients/trace-events';

const SECOND = 1e6;
const PERIOD = 10_000;
const ABOUT = { service: 'shop', pid: 7, other: { reason: 'test' } };

/** Stacks by name: id n is `names[n - 1]` below the id before it. */
function namesOf(...names: string[]) {
  return {
    parentOf: (stack: number) => stack - 1,
    functionOf: (stack: number) => ({
      name: names[stack - 1] ?? '?',
      url: 'file:///a.js',
      line: stack,
      column: 1,
    }),
    lineOf: () => 0,
  };
}

/** One tick a period from `startMicros` on: the stack of each. */
function windowOf(
  startMicros: number,
  stacks: readonly number[],
  states?: readonly number[],
  threadId = 0,
): TickWindow {
  return {
    threadId,
    startMicros,
    endMicros: startMicros + stacks.length * PERIOD,
    nodeCount: 1,
    atMicros: Float64Array.from(stacks, (_, index) => startMicros + index * PERIOD),
    stack: Uint32Array.from(stacks),
    state: Uint8Array.from(stacks, (_, index) => states?.[index] ?? SampleState.Js),
    jsTicks: stacks.length,
    repairedTicks: 0,
    unnamedTicks: 0,
    idleTicks: 0,
  };
}

function traceOf(recorder: Recorder, from: number, to: number): Trace {
  let text = '';
  writeRecord(recorder.read(from, to), ABOUT, (more) => {
    text += more;
  });
  return readTrace(text);
}

const ticksIn = (recorder: Recorder) =>
  recorder.read(0, 1e12).windows.reduce((sum, { window }) => sum + window.atMicros.length, 0);

describe('the recorder', () => {
  it('lets go of what is older than it keeps, without counting it as lost', () => {
    const recorder = new Recorder({ keepMicros: 10 * SECOND, bytes: 1e9 });
    const names = namesOf('main');
    for (let second = 0; second < 100; second++) {
      recorder.window(windowOf(second * SECOND, new Array(100).fill(1)), PERIOD, names);
      for (let index = 0; index < 1000; index++)
        recorder.request(0, second * SECOND + index, 10, 200, 1, false, 0);
    }
    const { windows, events, overwritten } = recorder.read(0, 1e12);
    expect(windows.map(({ window }) => window.startMicros / SECOND)).toEqual([
      89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
    ]);
    expect(events.length).toBeGreaterThanOrEqual(10_000);
    expect(events.length).toBeLessThan(12_100);
    expect(overwritten).toEqual({ ticks: 0, events: 0, incidents: 0, lastMicros: 0 });
  });

  it('stays within its bytes, overwrites the oldest, and counts what went before its time', () => {
    const bytes = 32 * CHUNK_BYTES;
    const recorder = new Recorder({ keepMicros: 60 * SECOND, bytes });
    const names = namesOf('main');
    for (let second = 0; second < 20; second++) {
      recorder.window(windowOf(second * SECOND, new Array(100).fill(1)), PERIOD, names);
      for (let index = 0; index < 1024; index++)
        recorder.request(0, second * SECOND + index * 900, 10, 200, 1, false, 0);
      expect(recorder.byteSize).toBeLessThanOrEqual(bytes + CHUNK_BYTES);
    }
    const { windows, events, overwritten } = recorder.read(0, 1e12);
    expect(events.length + overwritten.events).toBe(20 * 1024);
    expect(ticksIn(recorder) + overwritten.ticks).toBe(2000);
    expect(overwritten.events).toBeGreaterThan(0);
    expect(events[events.length - 1]!.startMicros).toBe(19 * SECOND + 1023 * 900);
    expect(windows[windows.length - 1]!.window.startMicros).toBe(19 * SECOND);
    expect(overwritten.lastMicros).toBeLessThan(events[0]!.startMicros + SECOND);
    expect(traceOf(recorder, 0, 1e12).otherData.overwrittenEarly).toMatchObject({
      events: overwritten.events,
    });
  });

  it('keeps more while a trace asks for it, and no longer', () => {
    const recorder = new Recorder({ keepMicros: 0, bytes: 1e9 });
    const names = namesOf('main');
    recorder.window(windowOf(0, [1]), PERIOD, names);
    expect([recorder.on, ticksIn(recorder)]).toEqual([false, 0]);
    const release = recorder.widen({ keepMicros: SECOND, bytes: 1e9 });
    recorder.window(windowOf(0, [1, 1]), PERIOD, names);
    recorder.collection(0, 0, 100, 1, 0);
    expect([ticksIn(recorder), recorder.read(0, SECOND).events.length]).toEqual([2, 1]);
    release();
    expect([recorder.on, ticksIn(recorder), recorder.byteSize]).toEqual([false, 0, 0]);
  });

  it('knows stacks of an epoch that is over, and frees them with the last window that needs them', () => {
    const recorder = new Recorder({ keepMicros: 2 * SECOND, bytes: 1e9 });
    const first = namesOf('main', 'handler', 'parse');
    recorder.window(windowOf(0, [3, 3]), PERIOD, first);
    const before = recorder.byteSize;
    recorder.epochEnds(first);
    expect(recorder.byteSize).toBeGreaterThan(before);
    first.functionOf = () => ({ name: 'another', url: '', line: 0, column: 0 });
    first.parentOf = () => 0;
    recorder.window(windowOf(SECOND, [1, 1]), PERIOD, first);
    const trace = traceOf(recorder, 0, 1e12);
    for (const name of ['main', 'handler', 'parse']) expect(drawnMicros(trace, name)).toBeGreaterThan(0);
    expect(drawnMicros(trace, 'another')).toBeGreaterThan(0);
    recorder.window(windowOf(9 * SECOND, [1, 1]), PERIOD, first);
    expect(recorder.byteSize).toBe(before);
  });

  it('has room for so many names, then for one more', () => {
    const recorder = new Recorder({ keepMicros: SECOND, bytes: 1e9 });
    for (let index = 0; index < 10_000; index++) recorder.labelOf(`/route/${index}`);
    const { labels } = recorder.read(0, 1);
    expect(labels.length).toBeLessThanOrEqual(4097);
    expect(labels[recorder.labelOf('/one more')]).toBe('(other)');
    expect(labels[recorder.labelOf('/route/5')]).toBe('/route/5');
  });
});

describe('a record as a trace', () => {
  it('draws calls as long as ticks share them, nothing while idle, collections on top of what ran', () => {
    const recorder = new Recorder({ keepMicros: 60 * SECOND, bytes: 1e9 });
    const names = {
      ...namesOf('main', 'handler'),
      functionOf: (stack: number) => ({
        name: ['main', 'handler', '(garbage collector)', '(idle)'][stack - 1]!,
        url: stack < 3 ? 'file:///a.js' : '',
        line: 1,
        column: 1,
      }),
      parentOf: (stack: number) => (stack === 2 ? 1 : 0),
    };
    const { Js, Gc, Idle } = SampleState;
    recorder.window(
      windowOf(0, [1, 2, 2, 3, 2, 4, 4, 1], [Js, Js, Js, Gc, Js, Idle, Idle, Js]),
      PERIOD,
      names,
    );
    const trace = traceOf(recorder, 0, SECOND);
    const slices = trace.traceEvents
      .filter(({ ph }) => ph === 'X')
      .map(({ name, ts, dur }) => [name, ts, dur]);
    expect(slices).toEqual([
      ['main', 0, 50_000],
      ['handler', 10_000, 40_000],
      ['(garbage collector)', 30_000, 10_000],
      ['main', 70_000, 10_000],
    ]);
  });

  it('tells of a slow request what most of its busy ticks share, and nothing of one that only waits', () => {
    const recorder = new Recorder({ keepMicros: 60 * SECOND, bytes: 1e9 });
    const names = {
      ...namesOf('main', 'handler', 'parses', 'other'),
      parentOf: (stack: number) => [0, 0, 1, 2, 1][stack]!,
    };
    const { Js, Idle } = SampleState;
    const stacks = [3, 3, 3, 2, 4, 3, 3, 4, 4, 4, 4, 4, 4, 4];
    const states = [Js, Js, Js, Js, Js, Idle, Js, ...stacks.slice(7).map(() => Idle)];
    recorder.window(windowOf(0, stacks, states), PERIOD, names);
    const request = (at: number, length: number) => recorder.request(0, at, length, 200, 1, false, 0);
    request(0, 65_000);
    request(0, 45_000);
    request(70_000, 60_000);
    const begun = traceOf(recorder, 0, SECOND).traceEvents.filter(({ ph }) => ph === 'b');
    const place = (name: string) => expect.stringMatching(new RegExp(`^${name}\\b`));
    expect(begun.map(({ args }) => args)).toEqual([
      { status: 200, stack: ['main', 'handler', 'parses'].map(place), 'in that stack (ms)': 40 },
      { status: 200 },
      { status: 200 },
    ]);
  });

  it('tells of a slow request what ran in all of its time, also where the record has only a part of it', () => {
    const recorder = new Recorder({ keepMicros: 60 * SECOND, bytes: 1e9 });
    const names = namesOf('main', 'handler');
    recorder.window(windowOf(0, new Array(10).fill(2)), PERIOD, names);
    recorder.window(windowOf(0, new Array(10).fill(2), undefined, 3), PERIOD, names);
    recorder.window(windowOf(100_000, new Array(20).fill(2)), PERIOD, names);
    recorder.window(windowOf(300_000, new Array(10).fill(2)), PERIOD, names);
    for (const at of [5000, 245_000]) recorder.request(0, at, 100_000, 200, 1, false, 0);
    const trace = traceOf(recorder, 101_000, 299_000);
    const begun = trace.traceEvents.filter(({ ph }) => ph === 'b');
    expect(begun.map(({ args }) => args!['in that stack (ms)'])).toEqual([100, 100]);
    expect(drawnMicros(trace, 'handler')).toBe(190_000);
    expect(trackNames(trace)).toEqual(['main thread', 'requests']);
  });

  it('does not draw through time that nobody looked at', () => {
    const recorder = new Recorder({ keepMicros: 60 * SECOND, bytes: 1e9 });
    const names = namesOf('main');
    recorder.window(windowOf(0, [1, 1]), PERIOD, names);
    recorder.window(windowOf(5 * SECOND, [1, 1]), PERIOD, names);
    expect(drawnMicros(traceOf(recorder, 0, 1e12), 'main')).toBe(4 * PERIOD);
  });

  it('has a track for each thread, and whatever overlaps in spans of its own', () => {
    const recorder = new Recorder({ keepMicros: 60 * SECOND, bytes: 1e9 });
    const names = namesOf('main');
    recorder.window(windowOf(0, [1]), PERIOD, names);
    recorder.window(windowOf(0, [1], undefined, 3), PERIOD, names);
    recorder.collection(0, 100, 50, 4, 0);
    recorder.collection(0, 120, 50, 1, 0);
    recorder.collection(3, 100, 50, 1, 0);
    const route = recorder.labelOf('/orders/:id');
    recorder.request(0, 0, 5000, 200, 1, false, route);
    recorder.request(0, 1000, 9000, 0, 2, true, route);
    recorder.span(0, 10, 20, recorder.labelOf('db.query'));
    recorder.delay(500, 100, 3);
    recorder.memory(600, 5e6, 9e6);
    recorder.incident({
      kind: 'stall',
      startMicros: 0,
      durationMicros: 200,
      text: 'blocked',
      stack: ['main'],
    });
    recorder.incident({ kind: 'note', startMicros: 5, durationMicros: 0, text: 'a\nnote', stack: [] });
    const trace = traceOf(recorder, 0, SECOND);
    expect(trackNames(trace)).toEqual([
      'main thread',
      'stalls',
      'garbage collection',
      'notes',
      'requests',
      'spans',
      'worker 3',
      'worker 3: garbage collection',
    ]);
    const begun = trace.traceEvents.filter(({ ph }) => ph === 'b').map(({ name, args }) => [name, args]);
    expect(begun).toEqual([
      ['GET /orders/:id', { status: 200 }],
      ['db.query', { thread: 0 }],
      ['POST /orders/:id', { status: 0, aborted: true }],
    ]);
    const counters = trace.traceEvents.filter(({ ph }) => ph === 'C').map(({ args }) => args);
    expect(counters).toEqual([
      { 'delay (ms)': 0.1 },
      { turns: 3 },
      { 'heap in use (MB)': 5, 'resident (MB)': 9 },
    ]);
  });
});
