/** What the collector's /metrics says of a service over a whole run: exact counts, and quantiles no second can give. */

const FETCH_MILLIS = 3000;
const GC_PAUSE = 'ringtail_gc_pause_seconds';
const HTTP_REQUEST = 'ringtail_http_request_seconds';

/** null: not in the text. */
export type MetricsFigures = {
  requests: number | null;
  gcPauses: number | null;
  gcP50Millis: number | null;
  gcP99Millis: number | null;
};

export async function fetchFigures(port: number, service: string): Promise<MetricsFigures> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    signal: AbortSignal.timeout(FETCH_MILLIS),
    headers: { connection: 'close' },
  });
  return parseFigures(await response.text(), service);
}

export function parseFigures(metrics: string, service: string): MetricsFigures {
  const label = `service="${service}"`;
  const value = (name: string, quantile?: string): number | null => {
    const line = metrics
      .split('\n')
      .find(
        (text) =>
          text.startsWith(`${name}{`) &&
          text.includes(label) &&
          (quantile === undefined || text.includes(`quantile="${quantile}"`)),
      );
    const number = line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
    return Number.isFinite(number) ? number : null;
  };
  const millis = (seconds: number | null) => (seconds === null ? null : seconds * 1000);
  return {
    requests: value(`${HTTP_REQUEST}_count`),
    gcPauses: value(`${GC_PAUSE}_count`),
    gcP50Millis: millis(value(GC_PAUSE, '0.5')),
    gcP99Millis: millis(value(GC_PAUSE, '0.99')),
  };
}
