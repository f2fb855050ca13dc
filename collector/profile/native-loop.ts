/**
 * What the system's CPU clock of the main thread says, beside what the samples say. V8 is told "idle" for as long as
 * libuv is in its poll phase, and the native side of I/O runs there (reading sockets, parsing HTTP, TLS): such CPU is
 * in no CPU sample. Where the clock knows of more CPU than the samples, and the samples of idling could hide it, the
 * difference was burnt by native code in the event loop. The samples themselves are left as they are.
 */
/** Main thread, in the range: time that samples call CPU and idle, and their number. */
export type SampledCpu = { cpuNanos: number; idleNanos: number; cpuTicks: number; idleTicks: number };

/** Standard errors of the sampling below which a difference says nothing. */
const NOISE_SIGMAS = 2;

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
