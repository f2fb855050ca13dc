/** How many requests failed, from the histograms of all of them: events are only a selection. */
import { LABEL_STATUS_CLASS, SERIES_HTTP_SERVER } from '../../agent/wire/schema';
import type { SeriesValue } from '../store/batch';

/** errors: answered with a status of 500 or more. aborted: the connection closed before the answer was out. */
export type HttpFailures = { errors: number; aborted: number };

export function httpFailures(values: readonly SeriesValue[]): HttpFailures {
  const failures: HttpFailures = { errors: 0, aborted: 0 };
  for (const { series, count } of values) {
    if (series.name !== SERIES_HTTP_SERVER) continue;
    const statusClass = series.labels[series.labels.indexOf(LABEL_STATUS_CLASS) + 1];
    if (statusClass === '5xx') failures.errors += count;
    else if (statusClass === 'aborted') failures.aborted += count;
  }
  return failures;
}
