/**
 * profile and wall, made by the agent itself: windows of a second for as long as was asked, added up here. Answers at
 * the latest GRACE_MICROS after the end, also while main hangs; time without a window is told for what it was.
 */
import { inliningComments } from '../../../collector/profile/inlining';
import { nativeLoopNanos } from '../../../collector/profile/native-loop';
import type { Profile } from '../../../collector/profile/profile';
import { settleCpu, settledWords } from '../../../collector/profile/settle';
import type { ProfileKind } from '../../../collector/profile/tick-profile';
import type { TickWindow } from '../profile-reader';
import type { ProfileContext } from './context';
import { LocalTicks } from './local-ticks';
import { MainClock } from './main-clock';
import { type ProfileSource, TakeError, type TakeRequest } from './source';

const GRACE_MICROS = 1_500_000;
const SECONDS_MAX = 600;
/** Seams between two windows are no gaps, µs. */
const SEAM_MICROS = 50_000;

export function ticksSource(context: ProfileContext, kind: ProfileKind): ProfileSource {
  return { timed: true, take: (request) => takeTicks(context, kind, request) };
}

async function takeTicks(
  context: ProfileContext,
  kind: ProfileKind,
  { seconds, signal }: TakeRequest,
): Promise<Profile> {
  if (seconds > SECONDS_MAX) {
    throw new TakeError(400, `profile duration exceeds ${SECONDS_MAX} seconds, got ${seconds}`);
  }
  const { sampling, nowMicros, identity, dictionary } = context;
  const t0Micros = nowMicros();
  const endMicros = t0Micros + seconds * 1e6;
  const clock = new MainClock(context);
  const ticks = new LocalTicks(kind, identity, dictionary, Date.now());
  const asker = {};
  await new Promise<void>((resolve) => {
    const listener = (window: TickWindow, periodNanos: number, lostTicks: number) => {
      ticks.add(window, periodNanos, lostTicks, t0Micros, endMicros);
      if (window.threadId === 0 && window.endMicros >= endMicros) finish();
    };
    const finish = () => {
      clearTimeout(timer);
      sampling.listeners.delete(listener);
      sampling.cancel(asker);
      resolve();
    };
    const timer = setTimeout(finish, (endMicros - t0Micros + GRACE_MICROS) / 1000);
    sampling.listeners.add(listener);
    signal.addEventListener('abort', finish);
    sampling.capture(t0Micros, seconds, asker);
  });
  signal.throwIfAborted();
  ticks.profile.head.durationNanos = seconds * 1e9;
  const { clockedMicros, sampledMicros } = clock.read();
  fillGaps(context, ticks, seconds * 1e6, sampledMicros);
  ticks.profile.head.comments.push(...commentsOf(ticks, clockedMicros));
  return ticks.profile;
}

/** Time of the capture that no window covers, and CPU that no sample shows. clockedMicros: rests left out. */
function fillGaps(
  context: ProfileContext,
  ticks: LocalTicks,
  lengthMicros: number,
  clockedMicros: number | null,
): void {
  const { owner, sums, profile } = ticks;
  const gapMicros = lengthMicros - ticks.coveredMicros;
  const periodNanos =
    sums.ticks > 0
      ? sums.nanos / sums.ticks
      : context.data.options.cpuHz
        ? 1e9 / context.data.options.cpuHz
        : 0;
  let stuckCpuMicros = 0;
  let stuckMicros = 0;
  if (gapMicros >= SEAM_MICROS && context.stuckSinceMicros() !== 0) {
    const unseenMicros = clockedMicros === null ? gapMicros : clockedMicros - sums.cpuNanos / 1000;
    stuckCpuMicros = Math.max(0, Math.min(gapMicros, unseenMicros));
    stuckMicros = ticks.kind === 'cpu' ? stuckCpuMicros : gapMicros;
    profile.head.comments.push(`stuck in native code for ${seconds(gapMicros)}`);
  } else if (gapMicros >= SEAM_MICROS && context.sampling.state === 'idle') {
    ticks.addIdle(owner, gapMicros * 1000, periodNanos);
    profile.head.comments.push(`asleep with the sampler off for ${seconds(gapMicros)}`);
  } else if (gapMicros >= SEAM_MICROS) {
    profile.head.comments.push(
      `${seconds(gapMicros)} not covered by any window (sampler ${context.sampling.state})`,
    );
  }
  if (clockedMicros !== null && ticks.kind === 'cpu') {
    const seenNanos = (clockedMicros - stuckCpuMicros) * 1000;
    const settled = settleCpu(profile, ticks.isOf(owner, 0), sums, seenNanos);
    profile.head.comments.push(...settledWords(settled));
  }
  ticks.addStuck(owner, Math.round(stuckMicros * 1000), periodNanos);
  if (clockedMicros === null) return;
  ticks.addNativeLoop(owner, Math.round(nativeLoopNanos(clockedMicros, stuckCpuMicros, sums)), periodNanos);
}

export function commentsOf({ sums }: LocalTicks, clockedMicros: number | null): string[] {
  const expected = sums.ticks + sums.lostTicks;
  if (sums.ticks === 0) return ['no samples in this time'];
  const share = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
  const clock = clockedMicros === null ? 'not known' : seconds(clockedMicros);
  return [
    `interval ${(sums.nanos / sums.ticks / 1e6).toFixed(3)} ms, ${sums.ticks} of ${Math.round(expected)} ticks (${share(sums.ticks, expected)})`,
    ...inliningComments(sums, process.version),
    `sampled CPU ${seconds(sums.cpuNanos / 1000)}, thread CPU clock ${clock}`,
  ];
}

function seconds(micros: number): string {
  return `${(micros / 1e6).toFixed(2)} s`;
}
