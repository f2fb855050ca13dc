/** Quantiles of a service's GC pauses over the collector's whole memory, as its /metrics tells them. */
import type { PauseQuantiles } from './summary';

const FETCH_MILLIS = 3000;
const METRIC = 'ringtail_gc_pause_seconds';

export async function gcPauses(port: number, service: string): Promise<PauseQuantiles> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    signal: AbortSignal.timeout(FETCH_MILLIS),
  });
  return parseGcPauses(await response.text(), service);
}

/** null where the text has no quantiles of that service. */
export function parseGcPauses(metrics: string, service: string): PauseQuantiles {
  const quantiles = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(`${METRIC}{`) || !line.includes(`service="${service}"`)) continue;
    const quantile = /quantile="([0-9.]+)"/.exec(line)?.[1];
    const seconds = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (quantile !== undefined && Number.isFinite(seconds)) quantiles.set(quantile, seconds * 1000);
  }
  const p50 = quantiles.get('0.5');
  const p99 = quantiles.get('0.99');
  return p50 === undefined || p99 === undefined ? null : { p50, p99 };
}
