/** What is told about a heap capture in words: in the comments of its profile, and as the answer to debug=2. */

import type { HeapPoint } from '../../../collector/profile/heap-sites';
import { evidence, leakSuspects } from '../../../collector/profile/leak-suspects';
import { mega } from '../../../collector/profile/mega';
import type { Profile } from '../../../collector/profile/profile';
import { churnOf } from '../../../collector/profile/report/churn';
import type { Capture } from '../heap/captures';
import type { HeapReading, HeapWindow } from '../heap/heap-sampler';

const SUSPECTS_IN_COMMENTS = 3;
const CHURNERS = 5;
const ALLOC_SPACE = 1;
const INUSE_SPACE = 3;
/** Also on Node.js 26, where ticks of such functions are named. */
const INLINED =
  'what a function allocates that V8 inlined stands with its caller (--max-inlined-bytecode-size=0 tells them apart)';

export type Skipped = { count: number; reason: string };

export function heapComments(
  { reading, reason, atMillis }: Capture,
  points: readonly HeapPoint[],
  skipped: Skipped,
): string[] {
  const samples = reading.profile.samples.length;
  const suspects = leakSuspects(points, SUSPECTS_IN_COMMENTS);
  return [
    `one allocation in ${reading.intervalBytes} bytes is sampled since ${sinceText(reading, atMillis)}; what was allocated before is not in it`,
    `${samples} samples live (${reason}); a site of n samples is right within 100/sqrt(n) %, all of it within ${percentError(samples)}`,
    INLINED,
    'alloc_* tell of what still lives; /debug/pprof/allocs counts what was collected, too',
    "object counts take the smallest object size that fits V8's figures: right for most sizes up to 256 bytes, else too high",
    `the JavaScript heap only: ${mega(reading.usedBytesAfter)} in use after, and ${mega(reading.externalBytes)} of Buffers and the like outside of it, which are not sampled`,
    pauseComment(reading),
    ...skippedComment(skipped),
    ...suspects.map((suspect, index) => `leak suspect ${index + 1}: ${evidence(suspect)}`),
  ];
}

export function allocsComments(profile: Profile, { live, allocated }: HeapWindow): string[] {
  const liveSeconds = (live.atMicros - live.sinceMicros) / 1e6;
  const columns = { allocSpace: ALLOC_SPACE, inuseSpace: INUSE_SPACE };
  const churners = churnOf(profile, columns, liveSeconds, CHURNERS);
  return [
    `alloc_*: all allocations of the window, one in ${allocated.intervalBytes} bytes sampled, ${allocated.profile.samples.length} samples; inuse_*: what lived when it began`,
    'heap profiles from now on know only of what is allocated after this window: V8 had to start anew',
    INLINED,
    `before the window: ${pauseComment(live)}`,
    `after the window: ${pauseComment(allocated)}`,
    ...churners.map(
      ({ name, file, line, allocatedPerSecond, keptPerSecond }) =>
        `churn: ${name}${file === '' ? '' : ` (${file}:${line})`} allocates ${mega(allocatedPerSecond)} a second and keeps ${mega(keptPerSecond)}`,
    ),
  ];
}

/** With the time of day: tools that compare two captures show the comments of both, and not whose they are. */
export function ageComment({ atMillis, reason }: Capture, nowMillis: number): string {
  const seconds = Math.round((nowMillis - atMillis) / 1000);
  return `not a new capture: this one was made ${seconds} s ago (${reason}), at ${new Date(atMillis).toISOString()}`;
}

/** debug=2. agedAtMillis: when an old capture is shown, 0 for a new one. */
export function heapText(
  capture: Capture,
  points: readonly HeapPoint[],
  skipped: Skipped,
  agedAtMillis: number,
): string {
  const { reading } = capture;
  const runId = points.at(-1)?.runId;
  const run = points.filter((point) => point.runId === runId);
  const lines = [
    `heap in use ${mega(reading.usedBytesAfter)} after the capture, ${mega(reading.usedBytesBefore)} before; outside of it ${mega(reading.externalBytes)}`,
    `sampled since ${sinceText(reading, capture.atMillis)}, ${reading.profile.samples.length} samples live, captures of this run: ${run.length}`,
    pauseComment(reading),
    INLINED,
    ...skippedComment(skipped),
    ...(agedAtMillis === 0 ? [] : [ageComment(capture, agedAtMillis)]),
    '',
    'leak suspects, by growth without what was allocated in the last tenth of the run:',
  ];
  const suspects = leakSuspects(points);
  if (suspects.length === 0) lines.push('  none: no site grows by more than its sampling error');
  for (const [index, suspect] of suspects.entries()) {
    lines.push(`${index + 1}. ${evidence(suspect)}`);
    for (const frame of [...suspect.stack].reverse()) lines.push(`     ${frame}`);
  }
  if (run.length < 2)
    lines.push('', 'one capture only: by what has lived longest. Take another one later to see what grows.');
  return `${lines.join('\n')}\n`;
}

function pauseComment({ pauseMicros, usedBytesBefore, usedBytesAfter, collected }: HeapReading): string {
  const how = collected
    ? `all garbage was collected first (${mega(usedBytesBefore)} to ${mega(usedBytesAfter)})`
    : 'without a collection: garbage that is not collected yet is in it, gc=1 collects it';
  return `this capture paused the main thread for ${(pauseMicros / 1000).toFixed(1)} ms; ${how}`;
}

function skippedComment({ count, reason }: Skipped): string[] {
  return count === 0 ? [] : [`${count} scheduled captures were skipped: ${reason}`];
}

function sinceText({ atMicros, sinceMicros }: HeapReading, atMillis: number): string {
  const millis = (atMicros - sinceMicros) / 1000;
  return `${new Date(atMillis - millis).toISOString()} (${Math.round(millis / 1000)} s)`;
}

function percentError(samples: number): string {
  return samples === 0 ? 'nothing: there are none' : `${(100 / Math.sqrt(samples)).toFixed(0)} %`;
}
