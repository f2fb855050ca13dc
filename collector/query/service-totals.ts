/**
 * What services have done since the collector started: counts and sums for ever, quantiles of the last minutes (a
 * current and a previous period, so of one to two of them). Kept by service, because instances come and go; the number
 * of services is bounded and those beyond share one name.
 */
import type { CoreTables, MergedHistogram } from '../../agent/core';
import { SERIES_GC_PAUSE, SERIES_HTTP_SERVER, SERIES_LOOP_DELAY } from '../../agent/wire/schema';
import type { Batch } from '../store/batch';
import { httpFailures } from './http-failures';

export const OTHER_SERVICES = '(other)';

const SERVICES_MAX = 128;
const PERIOD_MILLIS = 5 * 60_000;

export const TIMED_SERIES = [SERIES_LOOP_DELAY, SERIES_GC_PAUSE, SERIES_HTTP_SERVER] as const;
export type TimedSeries = (typeof TIMED_SERIES)[number];

/** Durations of one series of one service, µs. */
export class RecentDurations {
  #tables: CoreTables;
  #current: MergedHistogram;
  #previous: MergedHistogram;
  #sinceMillis: number;
  count = 0;
  sumMicros = 0;

  constructor(tables: CoreTables, nowMillis: number) {
    this.#tables = tables;
    this.#current = tables.histogram();
    this.#previous = tables.histogram();
    this.#sinceMillis = nowMillis;
  }

  add(delta: Parameters<MergedHistogram['addDelta']>[0], nowMillis: number): void {
    this.#rotate(nowMillis);
    this.#current.addDelta(delta);
    this.count += delta.count;
    this.sumMicros += delta.sum;
  }

  /** NaN where there was nothing. */
  quantiles(qs: readonly number[], nowMillis: number): number[] {
    this.#rotate(nowMillis);
    const both = this.#tables.histogram();
    both.merge(this.#current);
    both.merge(this.#previous);
    return both.quantiles(qs);
  }

  #rotate(nowMillis: number): void {
    if (nowMillis - this.#sinceMillis < PERIOD_MILLIS) return;
    if (nowMillis - this.#sinceMillis >= 2 * PERIOD_MILLIS) this.#current.clear();
    [this.#current, this.#previous] = [this.#previous, this.#current];
    this.#current.clear();
    this.#sinceMillis = nowMillis;
  }
}

export type ServiceTotal = { durations: Map<TimedSeries, RecentDurations>; errors: number; aborted: number };

export class ServiceTotals {
  readonly services = new Map<string, ServiceTotal>();
  #tables: CoreTables;
  #nowMillis: () => number;

  constructor(tables: CoreTables, nowMillis: () => number) {
    this.#tables = tables;
    this.#nowMillis = nowMillis;
  }

  add(service: string, batch: Batch): void {
    const total = this.#total(service);
    for (const { series, buckets, count, sum, min, max } of batch.values) {
      const durations = total.durations.get(series.name as TimedSeries);
      if (buckets === null || durations === undefined) continue;
      durations.add({ count, sum, min, max, buckets }, this.#nowMillis());
    }
    const { errors, aborted } = httpFailures(batch.values);
    total.errors += errors;
    total.aborted += aborted;
  }

  #total(service: string): ServiceTotal {
    const known = this.services.get(service);
    if (known !== undefined) return known;
    if (this.services.size >= SERVICES_MAX && service !== OTHER_SERVICES) return this.#total(OTHER_SERVICES);
    const nowMillis = this.#nowMillis();
    const durations = new Map(
      TIMED_SERIES.map((name) => [name, new RecentDurations(this.#tables, nowMillis)] as const),
    );
    const total = { durations, errors: 0, aborted: 0 };
    this.services.set(service, total);
    return total;
  }
}
