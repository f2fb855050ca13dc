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

/** type: index of the sample type. Sorted by flat, cumulative and name, the most first; those with nothing left out. */
export function topFunctions(profile: Profile, type: number, by: Grouping = 'function'): TopFunction[] {
  const rowOf = rowsByLocation(profile, by);
  const rows: TopFunction[] = [];
  const { self, total } = nodeValues(profile, type);
  for (let node = 1; node < self.length; node++) {
    const row = rowOf(profile.nodes[node * 2 + 1]!);
    rows.push(row);
    row.flat += self[node]!;
  }
  addOutermost(profile, (node) => rows[node - 1]!, total);
  return [...new Set(rows)]
    .filter(({ flat, cumulative }) => flat !== 0 || cumulative !== 0)
    .sort((left, right) => size(right.flat) - size(left.flat) || byCumulative(left, right));
}

/** Of each node: what its own samples took, and those of all below it too. */
function nodeValues(profile: Profile, type: number): { self: Float64Array; total: Float64Array } {
  const { nodes, samples, values } = profile;
  const stride = profile.head.sampleTypes.length;
  const self = new Float64Array(nodes.length / 2);
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    self[samples[sample * 2]!]! += values[sample * stride + type]!;
  }
  const total = self.slice();
  // A parent has a smaller id than its children.
  for (let node = total.length - 1; node > 0; node--) total[nodes[node * 2]!]! += total[node]!;
  return { self, total };
}

/** Adds the total of each node to its row, but not below another node of the same row. Depth first, without recursion. */
function addOutermost(profile: Profile, rowOf: (node: number) => TopFunction, total: Float64Array): void {
  const { nodes } = profile;
  const firstChild = new Uint32Array(total.length);
  const nextSibling = new Uint32Array(total.length);
  for (let node = total.length - 1; node > 0; node--) {
    const parent = nodes[node * 2]!;
    nextSibling[node] = firstChild[parent]!;
    firstChild[parent] = node;
  }
  /** How many nodes of a row are above. */
  const open = new Map<TopFunction, number>();
  for (let node = firstChild[0]!; node !== 0; ) {
    const row = rowOf(node);
    const above = open.get(row) ?? 0;
    if (above === 0) row.cumulative += total[node]!;
    if (firstChild[node] !== 0) {
      open.set(row, above + 1);
      node = firstChild[node]!;
      continue;
    }
    while (node !== 0 && nextSibling[node] === 0) {
      node = nodes[node * 2]!;
      if (node !== 0) open.set(rowOf(node), open.get(rowOf(node))! - 1);
    }
    node = nextSibling[node]!;
  }
}

/** For sorting: differences count by their size. */
export function byCumulative(left: TopFunction, right: TopFunction): number {
  const most = size(right.cumulative) - size(left.cumulative);
  return most !== 0 ? most : left.name < right.name ? -1 : 1;
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
