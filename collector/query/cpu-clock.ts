/**
 * What the system's CPU clock of the main thread says, beside what the samples say. V8 is told "idle" for as long as
 * libuv is in its poll phase, and the native side of I/O runs there (reading sockets, parsing HTTP, TLS): such CPU is
 * in no CPU sample. Where the clock knows of more CPU than the samples, and the samples of idling could hide it, the
 * difference was burnt by native code in the event loop. The samples themselves are left as they are.
 */
import type { Batch } from '../store/batch';
import { intersect, lengthOf, type Span, unite } from './coverage';

/** Main thread, in the range: time that samples call CPU and idle, and their number. */
export type SampledCpu = { cpuNanos: number; idleNanos: number; cpuTicks: number; idleTicks: number };

/** Gaps between two statuses that are none. */
const SEAM_MICROS = 50_000;
/** Statuses may reach out of the range by this share of it: what they tell is then taken in proportion. */
const OUTSIDE_SHARE = 0.25;
/** Standard errors of the sampling below which a difference says nothing. */
const NOISE_SIGMAS = 2;

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

/**
 * CPU that was burnt while V8 thought itself idle, ns: what the clock says beyond the samples and beyond `stuckMicros`
 * (CPU of a hang, which is shown by itself), at most the time that samples call idle, and 0 within the sampling error.
 */
export function nativeLoopNanos(clockedMicros: number, stuckMicros: number, sampled: SampledCpu): number {
  const { cpuNanos, idleNanos, cpuTicks, idleTicks } = sampled;
  const ticks = cpuTicks + idleTicks;
  if (ticks === 0) return 0;
  const more = (clockedMicros - stuckMicros) * 1000 - cpuNanos;
  const errorTicks = Math.sqrt(Math.max(1, (cpuTicks * idleTicks) / ticks));
  const noiseNanos = (NOISE_SIGMAS * errorTicks * (cpuNanos + idleNanos)) / ticks;
  return more > noiseNanos ? Math.min(more, idleNanos) : 0;
}
