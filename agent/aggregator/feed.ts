/**
 * From shared memory to tuples: ring records become events, series become values. The reader keeps the last look at
 * every histogram, so what is not fetched now is still there next time, exact.
 */
import { RecordKind, SeriesKind } from '../../assembly/layout';
import type { CoreReader, SeriesInfo } from '../core';
import { WIRE_LIMITS } from '../wire/limits';
import { EVENT_GC, EVENT_HTTP, EVENT_SPAN, type SeriesTuple, type ValueTuple } from '../wire/schema';
import type { Outgoing } from './outgoing';
import { SlowRequests } from './slow-requests';

const RECORDS_PER_DRAIN = 8192;

export class Feed {
  readonly #slow = new SlowRequests();
  #series: SeriesInfo[] = [];
  /** Series told so far, as index into #series. */
  #told = 0;

  constructor(
    readonly reader: CoreReader,
    readonly outgoing: Outgoing,
  ) {}

  /** Empties the rings. */
  drain(): void {
    for (const { slot, threadId } of this.reader.slots()) {
      this.reader.drain(slot, RECORDS_PER_DRAIN, (kind, a, b, startMicros, durationMicros) => {
        if (kind === RecordKind.HttpServer)
          this.#slow.add({ startMicros, durationMicros, status: a, method: b });
        else if (kind === RecordKind.Gc)
          this.outgoing.event([EVENT_GC, threadId, startMicros, durationMicros, a, b, 0]);
        else if (kind === RecordKind.Span)
          this.outgoing.event([EVENT_SPAN, threadId, startMicros, durationMicros, a, b, 0]);
      });
    }
  }

  /** The slowest requests since the last call become events. */
  releaseRequests(): void {
    for (const { startMicros, durationMicros, status, method } of this.#slow.take()) {
      this.outgoing.event([EVENT_HTTP, 0, startMicros, durationMicros, status, method, 0]);
    }
  }

  countLosses(nowMicros: number): void {
    for (const { count, firstMicros } of this.reader.takeDropped())
      this.outgoing.lost('ring-full', count, firstMicros);
    this.outgoing.lost('series-overflow', this.reader.takeSeriesOverflow(), nowMicros);
    this.outgoing.lost('thread-slots', this.reader.takeSlotOverflow(), nowMicros);
  }

  /** Series that were not told yet; they count as told from now on. */
  takeNewSeries(): SeriesTuple[] {
    this.#series.push(...this.reader.takeNewSeries());
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
      const info = this.#series[index]!;
      if (info.kind === SeriesKind.Histogram) {
        const delta = this.reader.histogramDelta(info);
        if (delta !== null)
          values.push([index + 1, delta.count, delta.sum, delta.min, delta.max, delta.buckets]);
        continue;
      }
      const value = this.reader.value(info);
      if (info.kind === SeriesKind.Gauge || value !== 0) values.push([index + 1, value]);
    }
    return values;
  }

  #tuples(from: number, to: number): SeriesTuple[] {
    return this.#series
      .slice(from, to)
      .map(
        ({ threadId, kind, name, unit, labels }, index): SeriesTuple => [
          from + index + 1,
          threadId,
          kind,
          name,
          unit,
          labels,
        ],
      );
  }
}
