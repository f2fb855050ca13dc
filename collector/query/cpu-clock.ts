/** What the system's CPU clock of the main thread says over a range of time, by the statuses that an agent sent. */
import type { Batch } from '../store/batch';
import { intersect, lengthOf, type Span, unite } from './coverage';

/** Gaps between two statuses that are none. */
const SEAM_MICROS = 50_000;
/** Statuses may reach out of the range by this share of it: what they tell is then taken in proportion. */
const OUTSIDE_SHARE = 0.25;

/** CPU of the main thread in the range, µs; null where its statuses do not cover the range or do not tell. */
export function clockedCpuMicros(batches: readonly Batch[], range: Span): number | null {
  const spans: Span[] = [];
  let cpuMicros = 0;
  let outsideMicros = 0;
  for (const { status, startMicros, endMicros } of batches) {
    if (status?.mainCpuMicros == null) continue;
    const inside = lengthOf(intersect([[startMicros, endMicros]], [range]));
    if (inside === 0) continue;
    const length = endMicros - startMicros;
    cpuMicros += (status.mainCpuMicros * inside) / length;
    outsideMicros += length - inside;
    spans.push([startMicros, endMicros]);
  }
  const rangeMicros = range[1] - range[0];
  const covered = lengthOf(intersect(unite(spans), [range]));
  if (rangeMicros - covered > SEAM_MICROS || outsideMicros > OUTSIDE_SHARE * rangeMicros) return null;
  return cpuMicros;
}
