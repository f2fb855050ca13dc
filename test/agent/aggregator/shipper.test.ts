import { Unpackr } from 'msgpackr/index-no-eval';
import { beforeEach, describe, expect, it } from 'vitest';
import { Dictionary } from '../../../agent/aggregator/dictionary';
import { Feed } from '../../../agent/aggregator/feed';
import { LabelTrack } from '../../../agent/aggregator/label-track';
import type { Link } from '../../../agent/aggregator/link';
import { Outgoing } from '../../../agent/aggregator/outgoing';
import { Recorder } from '../../../agent/aggregator/recorder/recorder';
import { Shipper } from '../../../agent/aggregator/shipper';
import { WindowQueue } from '../../../agent/aggregator/window-queue';
import { attachReader, attachWriter, createCoreMemory, createTables } from '../../../agent/core';
import { WIRE_LIMITS } from '../../../agent/wire/limits';
import {
  EVENT_GC,
  EVENT_HTTP,
  EVENT_SPAN,
  EVENT_STALL,
  type EventTuple,
  HTTP_ABORTED,
  HTTP_ROUTE_SHIFT,
  LABEL_ROUTE,
  ROUTE_OTHER,
} from '../../../agent/wire/schema';
import { HttpRequestBits, RecordKind, SeriesKind } from '../../../assembly/layout';

const unpackr = new Unpackr({ useRecords: false });

/** Takes everything and acknowledges when told to. */
class FakeLink {
  readonly sent: { sequence: number; message: unknown[] }[] = [];
  roomBytes = 1e9;
  unacknowledgedCount = 0;
  redials = 0;
  send(sequence: number, bytes: Uint8Array) {
    this.sent.push({ sequence, message: unpackr.unpack(bytes) as unknown[] });
    this.unacknowledgedCount++;
  }
  redial() {
    this.redials++;
  }
}

describe('Shipper and Feed', () => {
  let link: FakeLink;
  let dictionary: Dictionary;
  let outgoing: Outgoing;
  let feed: Feed;
  let shipper: Shipper;
  const memory = createCoreMemory({ forceTwin: true });
  const tables = createTables({ forceTwin: true });

  beforeEach(() => {
    link = new FakeLink();
    dictionary = new Dictionary(tables);
    outgoing = new Outgoing();
    feed = new Feed(
      attachReader(memory),
      outgoing,
      (text) => dictionary.idOf(text),
      { collection() {}, heapAfterMajor() {} },
      new LabelTrack(),
      new Recorder({ keepMicros: 60e6, bytes: 1e6 }),
      { add() {} },
    );
    shipper = new Shipper(
      {
        link: link as unknown as Link,
        dictionary,
        feed,
        outgoing,
        windows: new WindowQueue(tables),
        takeStatus: () => null,
        onEpochEnds: () => {},
        onNewEpoch: () => {},
      },
      0,
    );
  });

  it('begins a new epoch when the tables are nearly full and all is acknowledged, not before', () => {
    for (let i = 0; i < 50_000; i++) dictionary.function(`f${i}`, 'file:///a.js', i, 1);
    expect(dictionary.nearlyFull).toBe(true);
    shipper.flush(1);
    shipper.flush(2);
    expect(link.sent).toHaveLength(1);
    expect([shipper.epoch, link.redials]).toEqual([1, 0]);
    link.unacknowledgedCount = 0;
    outgoing.event([EVENT_GC, 0, 1, 1, 1, 0, 0]);
    shipper.acknowledged();
    expect(shipper.epoch).toBe(1);
    shipper.flush(3);
    link.unacknowledgedCount = 0;
    shipper.acknowledged();
    expect([shipper.epoch, link.redials, dictionary.nearlyFull]).toEqual([2, 1, false]);
    shipper.flush(4);
    expect(link.sent.map(({ sequence, message }) => [message[1], sequence])).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
    ]);
  });

  it('keeps an epoch whose dictionary still fits one message', () => {
    for (let i = 0; i < 3000; i++) dictionary.idOf(`${i}${'x'.repeat(1000)}`);
    expect(dictionary.nearlyFull).toBe(true);
    for (let i = 0; i < 3000; i++) dictionary.idOf(`${i}${'y'.repeat(1000)}`);
    expect(dictionary.overflowCount).toBeGreaterThan(0);
    const [, count, , , , , , unpackedBytes] = dictionary.takeNew()!;
    expect(count).toBeGreaterThan(3000);
    expect(unpackedBytes).toBeGreaterThan(3e6);
    expect(unpackedBytes).toBeLessThan(WIRE_LIMITS.dictionaryPartBytes);
  });

  it('names spans by series id, and drops no number that was refused in silence', () => {
    const writer = attachWriter(memory, 7)!;
    const span = writer.series(SeriesKind.Histogram, 'span', 'us', []);
    const gauge = writer.series(SeriesKind.Gauge, 'gauge', '', []);
    writer.push(RecordKind.Span, span, 0, 10, 20);
    writer.push(RecordKind.Span, span, 0, 10, Number.POSITIVE_INFINITY);
    writer.record(span, 5);
    writer.record(span, Number.NaN);
    writer.set(gauge, Number.NaN);
    feed.drain();
    const series = feed.takeNewSeries();
    const idOf = (name: string) => series.find(([, thread, , known]) => thread === 7 && known === name)![0];
    expect(outgoing.takeEvents()).toEqual([[EVENT_SPAN, 7, 10, 20, idOf('span'), 0, 0]]);
    expect(feed.takeValues().map(([id, count]) => [id, count])).toContainEqual([idOf('span'), 1]);
    feed.countLosses(1);
    expect(outgoing.takeLosses()).toContainEqual(['value-refused', 3, 0]);

    writer.set(gauge, 4);
    expect(feed.takeValues()).toEqual([[idOf('gauge'), 4]]);
    expect(feed.takeValues()).toEqual([]);
    writer.record(span, 6);
    feed.reader.markDead(7);
    feed.drain();
    expect(feed.takeValues().map(([id, count]) => [id, count])).toEqual([[idOf('span'), 1]]);
    feed.clear();
    expect(feed.takeNewSeries().filter(([, thread]) => thread === 7)).toEqual([]);
  });

  it('names the routes of the slowest requests, and counts those beyond the routes told apart', () => {
    const writer = attachWriter(memory, 8)!;
    const seriesOf = (route: string) =>
      writer.series(SeriesKind.Histogram, 'requests', 'us', ['x', 'y', LABEL_ROUTE, route]);
    const [known, other] = [seriesOf('/users/:id'), seriesOf(ROUTE_OTHER)];
    const plain = writer.series(SeriesKind.Histogram, 'requests', 'us', []);
    const bits = 503 | (4 << HttpRequestBits.MethodShift) | HttpRequestBits.Aborted;
    for (let micros = 1; micros <= 30; micros++) {
      writer.recordInt(other, micros);
      writer.push(RecordKind.HttpServer, 200, other, 5, micros);
    }
    writer.push(RecordKind.HttpServer, bits, known, 5, 99);
    writer.push(RecordKind.HttpServer, 200, plain, 5, 98);
    feed.drain();
    feed.takeNewSeries();
    feed.releaseRequests(1000);
    feed.takeValues();
    const events = outgoing.takeEvents();
    const idOf = (route: string) => dictionary.idOf(route) << HTTP_ROUTE_SHIFT;
    expect(events).toHaveLength(20);
    expect(events).toContainEqual([EVENT_HTTP, 0, 5, 99, 503, 4 | HTTP_ABORTED | idOf('/users/:id'), 0]);
    expect(events).toContainEqual([EVENT_HTTP, 0, 5, 98, 200, 0, 0]);
    expect(events).toContainEqual([EVENT_HTTP, 0, 5, 30, 200, idOf(ROUTE_OTHER), 0]);
    expect(Math.min(...events.map(([, , , micros]) => micros))).toBe(13);
    expect(outgoing.takeLosses()).toContainEqual(['route-overflow', 30, 0]);
  });

  it('lets requests wait that ended later than said, the slowest of them', () => {
    const writer = attachWriter(memory, 9)!;
    const plain = writer.series(SeriesKind.Histogram, 'requests', 'us', []);
    const ends = () =>
      outgoing.takeEvents().map(([, , startMicros, durationMicros]) => startMicros + durationMicros);
    const requests = (startMicros: number) => {
      for (let micros = 1; micros <= 15; micros++)
        writer.push(RecordKind.HttpServer, 200, plain, startMicros, micros);
      feed.drain();
    };
    requests(1000);
    feed.releaseRequests(1010);
    expect(Math.max(...ends())).toBe(1010);
    requests(2000);
    feed.releaseRequests(1500);
    expect(ends()).toEqual([1011, 1012, 1013, 1014, 1015]);
    feed.releaseRequests(Number.POSITIVE_INFINITY);
    expect(ends()).toHaveLength(15);
  });

  it('lets rare events wait where the many cannot push them out', () => {
    const stall: EventTuple = [EVENT_STALL, 0, 1, 2, 1, 0, 0];
    outgoing.event(stall);
    for (let i = 0; i < 10_000; i++) outgoing.event([EVENT_GC, 0, i, 1, 1, 0, 0]);
    const events = outgoing.takeEvents();
    expect(events[0]).toEqual(stall);
    expect(events.at(-1)![2]).toBe(9999);
    const [[reason, count]] = outgoing.takeLosses() as [[string, number, number]];
    expect([reason, count + events.length]).toEqual(['queue-full', 10_001]);
  });
});
