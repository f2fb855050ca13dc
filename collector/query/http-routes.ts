/** HTTP requests by route: the slowest single one from the events, rates and quantiles from the histograms of all. */
import type { MergedHistogram } from '../../agent/core';
import {
  EVENT_HTTP,
  HTTP_ABORTED,
  HTTP_METHOD_MASK,
  HTTP_METHODS,
  HTTP_ROUTE_SHIFT,
  LABEL_METHOD,
  LABEL_ROUTE,
  LABEL_STATUS_CLASS,
  SERIES_HTTP_SERVER,
} from '../../agent/wire/schema';
import type { Batch, RuntimeEvent, Series, SeriesValue } from '../store/batch';

/** route: a template; null when none is known. status: 0 when it ended before its headers. */
export type SlowestRequest = {
  method: string;
  route: string | null;
  status: number;
  aborted: boolean;
  startMicros: number;
  durationMicros: number;
};

export type RouteFigures = {
  method: string;
  route: string | null;
  count: number;
  /** Answers with a status of 500 or more. */
  errors: number;
  p99Micros: number;
};

/** What an EVENT_HTTP tells; its batch knows the name of its route. */
export function requestOf(
  { startMicros, durationMicros, a, b }: RuntimeEvent,
  { stacks }: Batch,
): SlowestRequest {
  return {
    method: HTTP_METHODS[b & HTTP_METHOD_MASK] ?? HTTP_METHODS[0],
    route: stacks.string(b >>> HTTP_ROUTE_SHIFT) || null,
    status: a,
    aborted: (b & HTTP_ABORTED) !== 0,
    startMicros,
    durationMicros,
  };
}

export function slowestRequest(batches: readonly Batch[]): SlowestRequest | null {
  let slowest: { event: RuntimeEvent; batch: Batch } | null = null;
  for (const batch of batches) {
    for (const event of batch.events) {
      if (event.kind !== EVENT_HTTP) continue;
      if (slowest === null || event.durationMicros > slowest.event.durationMicros) slowest = { event, batch };
    }
  }
  return slowest === null ? null : requestOf(slowest.event, slowest.batch);
}

/** The routes with the highest p99, `max` of them. scratch: an empty histogram to reckon with. */
export function slowestRoutes(
  values: readonly SeriesValue[],
  scratch: MergedHistogram,
  max: number,
): RouteFigures[] {
  const byRoute = new Map<string, SeriesValue[]>();
  for (const value of values) {
    if (value.series.name !== SERIES_HTTP_SERVER || value.buckets === null) continue;
    const key = `${labelOf(value.series, LABEL_METHOD)} ${labelOf(value.series, LABEL_ROUTE)}`;
    const known = byRoute.get(key);
    if (known === undefined) byRoute.set(key, [value]);
    else known.push(value);
  }
  return [...byRoute.values()]
    .map((ofRoute) => figuresOf(ofRoute, scratch))
    .sort((left, right) => right.p99Micros - left.p99Micros)
    .slice(0, max);
}

function figuresOf(values: readonly SeriesValue[], scratch: MergedHistogram): RouteFigures {
  scratch.clear();
  let errors = 0;
  for (const { series, count, sum, min, max, buckets } of values) {
    if (buckets === null) continue;
    scratch.addDelta({ count, sum, min, max, buckets });
    if (labelOf(series, LABEL_STATUS_CLASS) === '5xx') errors += count;
  }
  const { series } = values[0]!;
  return {
    method: labelOf(series, LABEL_METHOD) || HTTP_METHODS[0],
    route: labelOf(series, LABEL_ROUTE) || null,
    count: scratch.count,
    errors,
    p99Micros: scratch.quantiles([0.99])[0]!,
  };
}

/** '' when it has no such label. */
function labelOf({ labels }: Series, name: string): string {
  for (let index = 0; index < labels.length; index += 2)
    if (labels[index] === name) return labels[index + 1]!;
  return '';
}
