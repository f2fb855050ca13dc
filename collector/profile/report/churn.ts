/**
 * Churn by function: what it allocates a second less what of that stays. Pure: an allocs profile in, a list out.
 *
 * What was allocated is counted over the profile's own time, what stays is what lived when that began, spread over the
 * time that the living had been sampled for.
 */
import type { Profile } from '../profile';
import { type TopFunction, topFunctions } from './top';

export type Churn = {
  name: string;
  file: string;
  line: number;
  allocatedPerSecond: number;
  keptPerSecond: number;
};

/** allocSpace, inuseSpace: indexes of sample types. The most churn first. */
export function churnOf(
  profile: Profile,
  { allocSpace, inuseSpace }: { allocSpace: number; inuseSpace: number },
  liveSeconds: number,
  count: number,
): Churn[] {
  const seconds = Math.max(1e-3, profile.head.durationNanos / 1e9);
  const kept = new Map(topFunctions(profile, inuseSpace).map((row) => [keyOf(row), row.flat]));
  return topFunctions(profile, allocSpace)
    .filter(({ flat }) => flat > 0)
    .map((row) => ({
      name: row.name,
      file: row.file,
      line: row.line,
      allocatedPerSecond: row.flat / seconds,
      keptPerSecond: (kept.get(keyOf(row)) ?? 0) / Math.max(1e-3, liveSeconds),
    }))
    .sort((left, right) => churn(right) - churn(left))
    .slice(0, count);
}

function churn({ allocatedPerSecond, keptPerSecond }: Churn): number {
  return allocatedPerSecond - keptPerSecond;
}

function keyOf({ name, file, line }: TopFunction): string {
  return `${name}\n${file}\n${line}`;
}
