/**
 * The functions of a profile by what they took themselves (flat) and with what they called (cumulative); or files, or
 * packages. A group that is on a stack more than once counts once in `cumulative`.
 */
import type { Profile } from '../profile';
import { packageOf } from './package-name';

/** In the unit of the sample type. file: '' where there is none; line: where a function begins, 0 unknown. */
export type TopFunction = { name: string; file: string; line: number; flat: number; cumulative: number };

export type Grouping = 'function' | 'file' | 'package';
export const GROUPINGS: readonly Grouping[] = ['function', 'file', 'package'];

/** type: index of the sample type. Sorted by flat, then by cumulative, the most first. */
export function topFunctions(profile: Profile, type: number, by: Grouping = 'function'): TopFunction[] {
  const stride = profile.head.sampleTypes.length;
  const rowOf = rowsByLocation(profile, by);
  const rows = new Set<TopFunction>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = profile.values[sample * stride + type]!;
    const onStack = new Set<TopFunction>();
    let isLeaf = true;
    for (let node = profile.samples[sample * 2]!; node !== 0; node = profile.nodes[node * 2]!) {
      const row = rowOf(profile.nodes[node * 2 + 1]!);
      if (isLeaf) row.flat += value;
      isLeaf = false;
      if (onStack.has(row)) continue;
      row.cumulative += value;
      onStack.add(row);
      rows.add(row);
    }
  }
  return [...rows].sort((left, right) => size(right.flat) - size(left.flat) || byCumulative(left, right));
}

/** For sorting: differences count by their size. */
export function byCumulative(left: TopFunction, right: TopFunction): number {
  return size(right.cumulative) - size(left.cumulative);
}

/** Of all samples, without regard to their signs: what percentages are of. */
export function totalOf(profile: Profile, type: number): number {
  const stride = profile.head.sampleTypes.length;
  let total = 0;
  for (let index = type; index < profile.values.length; index += stride)
    total += size(profile.values[index]!);
  return total;
}

function size(value: number): number {
  return Math.abs(value);
}

/** The row of each location, made when it is first asked for. */
function rowsByLocation(profile: Profile, by: Grouping): (location: number) => TopFunction {
  const rows = new Map<string, TopFunction>();
  const ofLocation: TopFunction[] = [];
  return (location) => {
    const known = ofLocation[location];
    if (known !== undefined) return known;
    const { key, ...named } = namedRow(profile, location, by);
    const row = rows.get(key) ?? { ...named, flat: 0, cumulative: 0 };
    rows.set(key, row);
    ofLocation[location] = row;
    return row;
  };
}

/** Functions of one name in different places are different functions. */
function namedRow(
  profile: Profile,
  location: number,
  by: Grouping,
): { key: string; name: string; file: string; line: number } {
  const { name, file, startLine, startColumn } = profile.functionOf(location);
  if (by === 'function') {
    return { key: `${startLine},${startColumn},${name.length},${name}${file}`, name, file, line: startLine };
  }
  const group = by === 'package' ? packageOf(name, file) : file || name;
  return { key: group, name: group, file: '', line: 0 };
}
