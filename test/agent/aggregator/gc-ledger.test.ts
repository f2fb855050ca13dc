import { beforeEach, describe, expect, it } from 'vitest';
import { GcLedger } from '../../../agent/aggregator/gc-ledger';
import { OwnSeries } from '../../../agent/aggregator/own-series';
import { RecentWindows } from '../../../agent/aggregator/recent-windows';
import { EVENT_GC, type EventTuple } from '../../../agent/wire/schema';
import { SampleState } from '../../../assembly/layout';
import { RecordingWriter } from '../recording-writer';

const MS = 1000;
const MINOR = 1;
const MAJOR = 4;
const { Js, Gc, Idle } = SampleState;

describe('the ledger of collections', () => {
  let recent: RecentWindows;
  let sampling: { recent: RecentWindows; state: 'on' | 'idle'; intervalMicros: number };
  let writer: RecordingWriter;
  let told: EventTuple[];
  let excess: string[];
  let heap: number;
  let ledger: GcLedger;
  beforeEach(() => {
    recent = new RecentWindows();
    sampling = { recent, state: 'on', intervalMicros: 10 * MS };
    writer = new RecordingWriter();
    told = [];
    excess = [];
    heap = 50e6;
    ledger = new GcLedger({
      sampling,
      own: new OwnSeries(writer),
      tell: (event) => void told.push(event),
      onExcess: ([, , , duration], times) => void excess.push(`${duration} is ${times}`),
      heapUsedBytes: () => heap,
      externalBytes: () => 3e6,
      rssBytes: () => 90e6,
    });
  });

  /** Ticks every 10 ms from 0 on: state and stack of each. */
  const come = (...ticks: [state: number, stack: number][]) => {
    recent.add({
      startMicros: 0,
      endMicros: ticks.length * 10 * MS,
      nodeCount: 1,
      atMicros: ticks.map((_, index) => index * 10 * MS),
      stack: ticks.map(([, stack]) => stack),
      state: ticks.map(([state]) => state),
      jsTicks: 0,
      repairedTicks: 0,
      unnamedTicks: 0,
      idleTicks: 0,
    });
    ledger.join(ticks.length * 10 * MS);
  };
  const stacks = () => told.map((event) => event[6]);

  it('lets short minor ones go at once, major ones with what ran before them', () => {
    ledger.collection(0, 21 * MS, 0.5 * MS, MINOR, 0);
    expect(told).toEqual([[EVENT_GC, 0, 21 * MS, 0.5 * MS, MINOR, 0, 0]]);
    ledger.collection(0, 21 * MS, 15 * MS, MAJOR, 4);
    expect(told.length).toBe(1);
    come([Js, 7], [Js, 8], [Js, 9], [Gc, 99], [Js, 5], [Js, 5], [Js, 5]);
    expect(told[1]).toEqual([EVENT_GC, 0, 21 * MS, 15 * MS, MAJOR, 4, 9]);
  });

  it('takes what ran after where nothing did before, and nothing across a rest', () => {
    ledger.collection(0, 21 * MS, 6 * MS, MINOR, 0);
    ledger.collection(0, 62 * MS, 2 * MS, MAJOR, 64);
    ledger.collection(0, 101 * MS, 2 * MS, MAJOR, 64);
    come(
      ...[Js, Idle, Idle, Js, Idle, Idle, Idle, Idle, Js, Js, Idle, Idle, Js, Js].map(
        (state, index): [number, number] => [state, index + 1],
      ),
    );
    expect(stacks()).toEqual([4, 0, 0]);
  });

  it('lets them go without a stack where nobody samples, or nothing comes', () => {
    sampling.state = 'idle';
    ledger.collection(0, 1 * MS, 20 * MS, MAJOR, 0);
    ledger.join(50 * MS);
    expect(stacks()).toEqual([0]);
    sampling.state = 'on';
    ledger.collection(0, 100 * MS, 20 * MS, MAJOR, 0);
    ledger.join(5000 * MS);
    expect(told.length).toBe(1);
    ledger.join(20_000 * MS);
    expect(told.length).toBe(2);
  });

  it('holds so many back and no more', () => {
    for (let n = 0; n < 300; n++) ledger.collection(0, n * MS, 1 * MS, MAJOR, 0);
    expect(told.length).toBe(300 - 256);
    ledger.join(Number.POSITIVE_INFINITY);
    expect(told.length).toBe(300);
  });

  it('tells a pause far beyond what is usual, now and then', () => {
    ledger.sample(0);
    for (let n = 0; n < 40; n++) ledger.collection(0, n * MS, 2 * MS, MINOR, 0);
    ledger.collection(0, 50 * MS, 8 * MS, MINOR, 0);
    ledger.collection(0, 60 * MS, 9 * MS, MINOR, 0);
    expect(excess).toEqual([`${8 * MS} is 4`]);
    ledger.sample(6e6);
    const limit = writer.written.filter(({ series }) =>
      series.includes('baseline us v8js.gc.type minor percentile p95'),
    );
    expect(limit.at(-1)?.value).toBe(2 * MS);
  });

  it('tells the heap after a major collection beside the memory of the process', () => {
    ledger.heapAfterMajor(10, 20);
    expect(writer.written.map(({ series, value }) => [series.split(' ').at(-1), value])).toEqual([
      ['used', 10_240],
      ['committed', 20_480],
      ['external', 3e6],
      ['rss', 90e6],
    ]);
  });
});
