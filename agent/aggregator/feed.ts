/**
 * From shared memory to tuples: ring records become events, series become values. The reader keeps the last look at
 * every histogram, so what is not fetched now is still there next time, exact. A series has its id while the epoch
 * lasts; those of threads that have ended go with it.
 */
import { HttpRequestBits, RecordKind, SeriesKind } from '../../assembly/layout';
import type { CoreReader, SeriesInfo } from '../core';
import { labelText } from '../wire/label-text';
import { WIRE_LIMITS } from '../wire/limits';
import {
  EVENT_HTTP,
  EVENT_SPAN,
  HTTP_ABORTED,
  HTTP_ROUTE_SHIFT,
  LABEL_ADDRESS,
  LABEL_METHOD,
  LABEL_ROUTE,
  ROUTE_OTHER,
  type SeriesTuple,
  type ValueTuple,
} from '../wire/schema';
import type { LabelTrack } from './label-track';
import type { Outgoing } from './outgoing';
import type { Recorder } from './recorder/recorder';
import { type Request, SlowRequests } from './slow-requests';

const RECORDS_PER_DRAIN = 8192;
/** So many series in one epoch ask for a new one. */
const EPOCH_SERIES_MAX = WIRE_LIMITS.seriesPerBatch * 3;

/** overflow: it takes what found no series of its own. recorded: its name in the flight recorder, 0 where not asked for yet. */
type Known = {
  info: SeriesInfo;
  overflow: boolean;
  lastGauge: number;
  refused: number;
  ended: boolean;
  recorded: number;
};

/** Where collections go, and the heap after a major one, KiB. */
export type GcSink = {
  collection(
    threadId: number,
    startMicros: number,
    durationMicros: number,
    kind: number,
    flags: number,
  ): void;
  heapAfterMajor(usedKibibytes: number, committedKibibytes: number): void;
};

/** Where waits for a turn go. label: what was waited for; bits: WaitBits. */
export type WaitSink = { add(label: string, bits: number, micros: number): void };

export class Feed {
  readonly #slow = new SlowRequests();
  /** A series' id is its place here plus one. */
  #series: Known[] = [];
  #idByHandle = new Map<number, number>();
  /** Series told so far, as index into #series. */
  #told = 0;

  constructor(
    readonly reader: CoreReader,
    readonly outgoing: Outgoing,
    readonly stringId: (text: string) => number,
    readonly gc: GcSink,
    readonly labels: LabelTrack,
    readonly recorder: Recorder,
    readonly waits: WaitSink,
  ) {}

  get nearlyFull(): boolean {
    return this.#series.length > EPOCH_SERIES_MAX;
  }

  /** Empties the rings. */
  drain(): void {
    for (const { slot, threadId } of this.reader.slots()) {
      this.reader.drain(slot, RECORDS_PER_DRAIN, (kind, a, b, startMicros, durationMicros) => {
        if (
          !(Number.isFinite(startMicros) && durationMicros >= 0 && durationMicros < Number.POSITIVE_INFINITY)
        ) {
          this.outgoing.lost('value-refused', 1, 0);
        } else if (kind === RecordKind.HttpServer) {
          this.#slow.add(durationMicros, () => this.#request(slot, startMicros, durationMicros, a, b));
          if (this.recorder.on) this.#record(slot, threadId, startMicros, durationMicros, a, b);
        } else if (kind === RecordKind.Gc) {
          this.gc.collection(threadId, startMicros, durationMicros, a, b);
        } else if (kind === RecordKind.HeapAfterMajor) {
          this.gc.heapAfterMajor(a, b);
        } else if (kind === RecordKind.Span) {
          this.#span(slot, threadId, startMicros, durationMicros, a);
        } else if (kind === RecordKind.Wait) {
          this.waits.add(this.#waitedFor(slot, a), b, durationMicros);
        } else if (kind === RecordKind.Label) {
          if (a !== 0) this.#discover();
          this.labels.switched(threadId, startMicros, a);
        } else if (kind === RecordKind.LabelledRequest) {
          this.labels.requestEnded(threadId, a, this.#requestLabels(slot, b));
        }
      });
    }
  }

  /** The slowest requests since the last call that ended by then become events. */
  releaseRequests(untilMicros: number): void {
    for (const { startMicros, durationMicros, status, method, aborted, route } of this.#slow.take(
      untilMicros,
    )) {
      const b = method | (aborted ? HTTP_ABORTED : 0) | (this.stringId(route) << HTTP_ROUTE_SHIFT);
      this.outgoing.event([EVENT_HTTP, 0, startMicros, durationMicros, status, b, 0]);
    }
  }

  countLosses(nowMicros: number): void {
    for (const { count, firstMicros } of this.reader.takeDropped()) {
      this.outgoing.lost('ring-full', count, firstMicros);
    }
    this.outgoing.lost('series-overflow', this.reader.takeSeriesOverflow(), nowMicros);
    this.outgoing.lost('thread-slots', this.reader.takeSlotOverflow(), nowMicros);
    for (const known of this.#series) {
      if (known.ended || known.info.kind !== SeriesKind.Histogram) continue;
      const { notANumber, negative, infinite, unplaced } = this.reader.refusals(known.info);
      const refused = notANumber + negative + infinite + unplaced;
      this.outgoing.lost('value-refused', refused - known.refused, nowMicros);
      known.refused = refused;
    }
  }

  /** Series that were not told yet; they count as told from now on. */
  takeNewSeries(): SeriesTuple[] {
    this.#discover();
    const end = Math.min(this.#series.length, this.#told + WIRE_LIMITS.seriesPerBatch);
    const tuples = this.#tuples(this.#told, end);
    this.#told = end;
    return tuples;
  }

  toldSeries(): SeriesTuple[] {
    return this.#tuples(0, this.#told);
  }

  /** What the told series gained since the last call. */
  takeValues(): ValueTuple[] {
    const values: ValueTuple[] = [];
    for (let index = 0; index < this.#told && values.length < WIRE_LIMITS.valuesPerBatch; index++) {
      const known = this.#series[index]!;
      if (!known.ended) this.#takeValue(known, index + 1, values);
    }
    return values;
  }

  /** A new epoch: ids begin again, without the series of threads that have ended. */
  clear(): void {
    this.#series = this.#series.filter(({ ended }) => !ended);
    for (const known of this.#series) known.lastGauge = Number.NaN;
    this.#idByHandle = new Map(
      this.#series.map(({ info }, index) => [handleKey(info.slot, info.handle), index + 1]),
    );
    this.#told = 0;
  }

  #takeValue(known: Known, id: number, values: ValueTuple[]): void {
    const { info } = known;
    const endsNow = this.reader.hasEnded(info);
    if (info.kind === SeriesKind.Histogram) {
      const delta = this.reader.histogramDelta(info);
      if (delta !== null) values.push([id, delta.count, delta.sum, delta.min, delta.max, delta.buckets]);
      if (delta !== null && known.overflow) this.outgoing.lost('route-overflow', delta.count, 0);
    } else {
      const value = this.reader.value(info);
      const isNews = info.kind === SeriesKind.Gauge ? value !== known.lastGauge : value !== 0;
      known.lastGauge = value;
      if (!Number.isFinite(value)) this.outgoing.lost('value-refused', 1, 0);
      else if (isNews) values.push([id, value]);
    }
    if (!endsNow) return;
    known.ended = true;
    this.#idByHandle.delete(handleKey(info.slot, info.handle));
  }

  #span(slot: number, threadId: number, startMicros: number, durationMicros: number, handle: number): void {
    const id = this.#idOf(slot, handle);
    if (id === undefined) this.outgoing.lost('series-overflow', 1, startMicros);
    else this.outgoing.event([EVENT_SPAN, threadId, startMicros, durationMicros, id, 0, 0]);
    if (this.recorder.on && id !== undefined)
      this.recorder.span(threadId, startMicros, durationMicros, this.#recordedName(id, spanName));
  }

  /** `pool resize` of pool.wait.duration with the label pool=resize. */
  #waitedFor(slot: number, handle: number): string {
    const id = this.#idOf(slot, handle);
    if (id === undefined) return '';
    const { info } = this.#series[id - 1]!;
    const [what] = info.name.split('.', 1);
    return `${what} ${labelOf(info, what!)}`;
  }

  #record(
    slot: number,
    threadId: number,
    startMicros: number,
    durationMicros: number,
    bits: number,
    handle: number,
  ): void {
    const id = this.#idOf(slot, handle);
    this.recorder.request(
      threadId,
      startMicros,
      durationMicros,
      bits & HttpRequestBits.StatusMask,
      (bits >> HttpRequestBits.MethodShift) & HttpRequestBits.MethodMask,
      (bits & HttpRequestBits.Aborted) !== 0,
      id === undefined ? 0 : this.#recordedName(id, routeName),
    );
  }

  #recordedName(id: number, nameOf: (info: SeriesInfo) => string): number {
    const known = this.#series[id - 1]!;
    known.recorded ||= this.recorder.labelOf(nameOf(known.info));
    return known.recorded;
  }

  #request(slot: number, startMicros: number, durationMicros: number, bits: number, handle: number): Request {
    const id = this.#idOf(slot, handle);
    return {
      startMicros,
      durationMicros,
      status: bits & HttpRequestBits.StatusMask,
      method: (bits >> HttpRequestBits.MethodShift) & HttpRequestBits.MethodMask,
      aborted: (bits & HttpRequestBits.Aborted) !== 0,
      route: id === undefined ? '' : labelOf(this.#series[id - 1]!.info, LABEL_ROUTE),
    };
  }

  /** What the samples of a request are labelled with: its route and method. */
  #requestLabels(slot: number, handle: number): string {
    const id = this.#idOf(slot, handle);
    if (id === undefined) return '';
    const { info } = this.#series[id - 1]!;
    const known = [LABEL_ROUTE, LABEL_METHOD].map((label) => [label, labelOf(info, label)]);
    return labelText(known.filter(([, value]) => value !== '').flat());
  }

  #idOf(slot: number, handle: number): number | undefined {
    if (!this.#idByHandle.has(handleKey(slot, handle))) this.#discover();
    return this.#idByHandle.get(handleKey(slot, handle));
  }

  #discover(): void {
    for (const info of this.reader.takeNewSeries()) {
      if (info.kind === SeriesKind.Label) {
        this.labels.define(info.threadId, info.handle, labelText(info.labels));
        continue;
      }
      const overflow = [LABEL_ROUTE, LABEL_ADDRESS].some((label) => labelOf(info, label) === ROUTE_OTHER);
      const id = this.#series.push({
        info,
        overflow,
        lastGauge: Number.NaN,
        refused: 0,
        ended: false,
        recorded: 0,
      });
      this.#idByHandle.set(handleKey(info.slot, info.handle), id);
    }
  }

  #tuples(from: number, to: number): SeriesTuple[] {
    return this.#series
      .slice(from, to)
      .map(({ info: { threadId, kind, name, unit, labels } }, index): SeriesTuple => {
        return [from + index + 1, threadId, kind, name, unit, labels];
      });
  }
}

/** '' when it has no such label. */
function labelOf({ labels }: SeriesInfo, name: string): string {
  for (let index = 0; index < labels.length; index += 2)
    if (labels[index] === name) return labels[index + 1]!;
  return '';
}

function routeName(info: SeriesInfo): string {
  return labelOf(info, LABEL_ROUTE);
}

/** `db.query table=orders` */
function spanName({ name, labels }: SeriesInfo): string {
  let words = name;
  for (let index = 0; index < labels.length; index += 2) words += ` ${labels[index]}=${labels[index + 1]}`;
  return words;
}

/** Handles are offsets into shared memory: less than 2³². */
function handleKey(slot: number, handle: number): number {
  return slot * 2 ** 32 + handle;
}
