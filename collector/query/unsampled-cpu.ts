/** CPU of a process that no profile of it can show: that of threads which are not sampled. */
import type { Batch } from '../store/batch';

/** Less than this share of a core is what V8's and libuv's own threads take beside any program. */
const SHARE_MIN = 0.25;

/** A line for the comments, '' where there is little of it, it is not known, or worker threads are sampled. */
export function unsampledHint(batches: readonly Batch[]): string {
  let [spanMicros, cpuMicros] = [0, 0];
  for (const { status, windows, startMicros, endMicros } of batches) {
    if (windows.some(({ threadId }) => threadId !== 0)) return '';
    if (status === null || status.processCpuMicros === null || status.mainCpuMicros === null) continue;
    const known = status.mainCpuMicros + (status.agentCpuMicros ?? 0) + (status.samplerCpuMicros ?? 0);
    spanMicros += endMicros - startMicros;
    cpuMicros += Math.max(0, status.processCpuMicros - known);
  }
  if (spanMicros === 0 || cpuMicros < SHARE_MIN * spanMicros) return '';
  const percent = Math.round((100 * cpuMicros) / spanMicros);
  return `hint: ${percent} % of a core went to threads that are not sampled: worker threads (RINGTAIL_WORKERS=1 samples them; see Limits), V8's or libuv's own`;
}
