/** The functions of a profile by what they took themselves (flat) and with what they called (cumulative). */
import type { Profile } from './profile';

/** In the unit of the sample type. A function that calls itself counts once in `cumulative`. */
export type TopFunction = { name: string; file: string; line: number; flat: number; cumulative: number };

/** type: index of the sample type. Sorted by flat, then by cumulative, the most first. */
export function topFunctions(profile: Profile, type: number): TopFunction[] {
  const stride = profile.head.sampleTypes.length;
  const rows = new Map<number, TopFunction>();
  const rowOf = (location: number): TopFunction => {
    const functionId = profile.locations[location * 2]!;
    let row = rows.get(functionId);
    if (row === undefined) {
      const { name, file, startLine } = profile.functionOf(location);
      row = { name, file, line: startLine, flat: 0, cumulative: 0 };
      rows.set(functionId, row);
    }
    return row;
  };
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = profile.values[sample * stride + type]!;
    const onStack = new Set<TopFunction>();
    let leaf = true;
    for (const location of profile.locationsOf(profile.samples[sample * 2]!)) {
      const row = rowOf(location);
      if (leaf) row.flat += value;
      leaf = false;
      if (!onStack.has(row)) row.cumulative += value;
      onStack.add(row);
    }
  }
  return [...rows.values()].sort(
    (left, right) => right.flat - left.flat || right.cumulative - left.cumulative,
  );
}
