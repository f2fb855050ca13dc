/**
 * Holds what samples call CPU against the thread's CPU clock. Samples fall on a thread that waits in a call or for a
 * core just as on one that runs; where they say more than the clock, and more than chance explains, the rest was no
 * CPU: it is taken from native code inside synchronous calls first, and what is left from all alike, because a thread
 * that waits for a core does so wherever it is. Counts of samples stay as they are; their CPU time becomes the clock's.
 */
import type { SampledCpu } from './native-loop';
import type { Profile } from './profile';
import { syncModule } from './sync-calls';

/** Standard errors of the sampling below which a difference says nothing. */
const NOISE_SIGMAS = 2;
/** Windows and the clock do not begin and end at the same instant. */
const EDGE_SHARE = 0.01;

/** What was taken away, ns. */
export type Settled = { waitedNanos: number; starvedNanos: number };

/**
 * Settles the samples that `includes` says yes to (by label set): their last value is CPU, ns. clockNanos: CPU of the
 * thread in the time that the samples cover.
 */
export function settleCpu(
  profile: Profile,
  includes: (labelSet: number) => boolean,
  { cpuNanos, idleNanos, cpuTicks, idleTicks }: SampledCpu,
  clockNanos: number,
): Settled {
  const excess = cpuNanos - clockNanos;
  const ticks = cpuTicks + idleTicks;
  const sigma =
    (Math.sqrt(Math.max(1, (cpuTicks * idleTicks) / Math.max(1, ticks))) * (cpuNanos + idleNanos)) /
    Math.max(1, ticks);
  if (excess <= NOISE_SIGMAS * sigma + EDGE_SHARE * cpuNanos) return { waitedNanos: 0, starvedNanos: 0 };
  const stride = profile.head.sampleTypes.length;
  const rows: { at: number; sync: boolean }[] = [];
  const inSync = syncNodes(profile);
  let [all, sync] = [0, 0];
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    if (!includes(profile.samples[sample * 2 + 1]!)) continue;
    const at = (sample + 1) * stride - 1;
    const row = { at, sync: inSync(profile.samples[sample * 2]!) };
    rows.push(row);
    all += profile.values[at]!;
    if (row.sync) sync += profile.values[at]!;
  }
  const waitedNanos = Math.min(excess, sync);
  const starvedNanos = Math.min(excess - waitedNanos, all - waitedNanos);
  const syncShare = sync > 0 ? 1 - waitedNanos / sync : 1;
  const share = all > waitedNanos ? 1 - starvedNanos / (all - waitedNanos) : 1;
  for (const { at, sync: isSync } of rows)
    profile.values[at] = Math.round(profile.values[at]! * share * (isSync ? syncShare : 1));
  return { waitedNanos, starvedNanos };
}

/** In words, for comments: nothing where nothing was taken away. */
export function settledWords({ waitedNanos, starvedNanos }: Settled): string[] {
  const seconds = (nanos: number) => `${(nanos / 1e9).toFixed(2)} s`;
  const lines: string[] = [];
  if (waitedNanos > 0)
    lines.push(`${seconds(waitedNanos)} of samples in synchronous calls were waiting, not CPU`);
  if (starvedNanos > 0)
    lines.push(`${seconds(starvedNanos)} of samples fell on the thread while it waited for a core`);
  return lines;
}

/** Tells of nodes whether their leaf is native code, or Node's own, inside a synchronous call. */
function syncNodes(profile: Profile): (node: number) => boolean {
  const known = new Map<number, boolean>([[0, false]]);
  const below = (node: number): boolean => {
    const found = known.get(node);
    if (found !== undefined) return found;
    const { name, file } = profile.functionOf(profile.nodes[node * 2 + 1]!);
    const isIn = below(profile.nodes[node * 2]!) || syncModule(name, file) !== '';
    known.set(node, isIn);
    return isIn;
  };
  return below;
}
