/** What a profile says about itself, one set of lines an instance; `go tool pprof` prints them above its tables. */
import { environmentHints, environmentText } from '../../agent/wire/environment';
import { EVENT_HANG } from '../../agent/wire/schema';
import { describeStack } from '../profile/frame';
import { inliningComments } from '../profile/inlining';
import { mega } from '../profile/mega';
import { type Settled, settledWords } from '../profile/settle';
import type { TickSums } from '../profile/tick-profile';
import type { Batch, Instance } from '../store/batch';
import type { Coverage } from './coverage';
import { gcComment } from './gc-comment';
import { unsampledHint } from './unsampled-cpu';

const HANG_FRAMES_MAX = 8;

/** note: why the beginning is an estimate, or ''. */
export function captureComments(
  instance: Instance,
  batches: readonly Batch[],
  coverage: Coverage,
  sums: TickSums,
  note: string,
  range: readonly [from: number, to: number],
): string[] {
  const who = `${instance.service} ${instance.instance}`;
  const lines = [
    `${who}: node ${instance.nodeVersion}, ringtail ${instance.agentVersion} (${instance.core})`,
  ];
  const about = environmentText(instance.environment);
  if (about !== '') lines.push(`${who}: ${about}`);
  for (const hint of environmentHints(instance.environment)) lines.push(`${who}: hint: ${hint}`);
  if (note !== '') lines.push(`${who}: ${note}`);
  const expected = sums.ticks + sums.lostTicks;
  if (sums.ticks > 0) {
    const interval = (sums.nanos / sums.ticks / 1e6).toFixed(3);
    const complete = percent(sums.ticks, expected);
    lines.push(
      `${who}: interval ${interval} ms, ${Math.round(sums.ticks)} of ${Math.round(expected)} ticks (${complete})`,
    );
    lines.push(...inliningComments(sums, instance.nodeVersion).map((line) => `${who}: ${line}`));
  } else {
    lines.push(`${who}: no samples in this time (sampler ${samplerOf(batches)})`);
  }
  if (coverage.stuckMicros > 0) {
    const cpu = seconds(coverage.stuckCpuMicros);
    lines.push(`${who}: stuck in native code for ${seconds(coverage.stuckMicros)}, ${cpu} of it on CPU`);
    const last = lastStackBeforeHang(batches);
    if (last.length > 0) lines.push(`${who}: last JavaScript seen before that: ${last.join(' > ')}`);
  }
  if (coverage.idleMicros > 0)
    lines.push(`${who}: asleep with the sampler off for ${seconds(coverage.idleMicros)}`);
  if (coverage.savingMicros > 0)
    lines.push(
      `${who}: not sampled for ${seconds(coverage.savingMicros)} to stay inside the agent's CPU budget (RINGTAIL_BUDGET_PERCENT)`,
    );
  if (coverage.missingMicros > 0)
    lines.push(`${who}: ${seconds(coverage.missingMicros)} not covered by any window`);
  const unsampled = unsampledHint(batches);
  if (unsampled !== '') lines.push(`${who}: ${unsampled}`);
  const gc = gcComment(batches, range);
  if (gc !== '') lines.push(`${who}: ${gc}`);
  lines.push(`${who}: ${selfCost(batches)}`, ...lossLines(who, batches));
  return lines;
}

/** clockedMicros: the CPU clock of the main thread, null where it is not known for all of the time. */
export function clockComment(
  { service, instance }: Instance,
  clockedMicros: number | null,
  { cpuNanos }: TickSums,
): string {
  const clock = clockedMicros === null ? 'not known for all of the time' : seconds(clockedMicros);
  return `${service} ${instance}: sampled CPU ${seconds(cpuNanos / 1000)}, thread CPU clock ${clock}`;
}

/** What the samples called CPU and the clock did not. */
export function settledComments({ service, instance }: Instance, settled: Settled): string[] {
  return settledWords(settled).map((line) => `${service} ${instance}: ${line}`);
}

function selfCost(batches: readonly Batch[]): string {
  let [spanMicros, cpuMicros, rotations, pauseMicros, sentBytes, memoryBytes] = [0, 0, 0, 0, 0, 0];
  let known = false;
  for (const { status, startMicros, endMicros } of batches) {
    if (status === null) continue;
    spanMicros += endMicros - startMicros;
    rotations += status.rotations;
    pauseMicros += status.rotationPauseMicros;
    sentBytes += status.sentBytes;
    memoryBytes = status.agentMemoryBytes;
    if (status.agentCpuMicros !== null || status.samplerCpuMicros !== null) known = true;
    cpuMicros += (status.agentCpuMicros ?? 0) + (status.samplerCpuMicros ?? 0);
  }
  const cpu = known ? `${percent(cpuMicros, spanMicros)} of a core` : 'CPU not known';
  const pauses = `${rotations} rotations pausing main ${(pauseMicros / 1000).toFixed(1)} ms in all`;
  return `profiler's own cost: ${cpu}, ${pauses}, ${mega(memoryBytes)} of its thread's memory, ${mega(sentBytes)} sent`;
}

function lossLines(who: string, batches: readonly Batch[]): string[] {
  const counts = new Map<string, number>();
  for (const { reason, count } of batches.flatMap(({ losses }) => losses)) {
    counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  if (counts.size === 0) return [`${who}: lost: nothing`];
  return [`${who}: lost: ${[...counts].map(([reason, count]) => `${count} ${reason}`).join(', ')}`];
}

/** Innermost frames of the stack that the newest hang was reported with, root first. */
function lastStackBeforeHang(batches: readonly Batch[]): string[] {
  for (const { events, stacks } of [...batches].reverse()) {
    const hang = events.findLast(({ kind, stack }) => kind === EVENT_HANG && stack !== 0);
    if (hang !== undefined) return describeStack(stacks, hang.stack).slice(-HANG_FRAMES_MAX);
  }
  return [];
}

function samplerOf(batches: readonly Batch[]): string {
  return batches.findLast(({ status }) => status !== null)?.status?.sampler ?? 'not known';
}

function percent(part: number, whole: number): string {
  return `${whole > 0 ? ((100 * part) / whole).toFixed(1) : '0.0'} %`;
}

function seconds(micros: number): string {
  return `${(micros / 1e6).toFixed(2)} s`;
}
