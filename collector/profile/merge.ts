/** Merging and diffing of profiles: adding one to another, as often as `factor` says. */
import { Profile, type ProfileHead } from './profile';

/** Thrown when two profiles measure different things. */
export class ProfileMismatch extends Error {
  readonly code = 'ERR_PROFILE_MISMATCH';
}

/** Gives the location in `into` that stands for one of `other`. */
export type Locate = (into: Profile, other: Profile, location: number) => number;

/** Adds `other` to `into`, values times `factor`. Both must have the same sample types and period type. */
export function addProfile(into: Profile, other: Profile, factor = 1, locate: Locate = sameLocation): void {
  const [wanted, got] = [typesOf(into.head), typesOf(other.head)];
  if (wanted !== got) {
    throw new ProfileMismatch(
      `profiles with ${wanted} and with ${got} cannot be added: take two of the same kind`,
    );
  }
  const stride = other.head.sampleTypes.length;
  const locationIds = new Array<number>(other.locations.length / 2).fill(0);
  const nodeIds = new Array<number>(other.nodes.length / 2).fill(0);
  for (let location = 1; location * 2 < other.locations.length; location++) {
    locationIds[location] = locate(into, other, location);
  }
  // A node's parent always has a smaller id, so one pass translates the tree.
  for (let node = 1; node * 2 < other.nodes.length; node++) {
    const parent = nodeIds[other.nodes[node * 2]!]!;
    nodeIds[node] = into.node(parent, locationIds[other.nodes[node * 2 + 1]!]!);
  }
  const labelSetIds = other.labelSets.map((labels, id) => into.labelSet(labels, other.numericLabels[id]));
  for (let sample = 0; sample < other.sampleCount; sample++) {
    const values = other.values.slice(sample * stride, (sample + 1) * stride).map((value) => value * factor);
    const labelSet = labelSetIds[other.samples[sample * 2 + 1]!]!;
    into.add(nodeIds[other.samples[sample * 2]!]!, labelSet, values);
  }
}

/** One profile of all of them: from the earliest start, durations added, the longest period, each comment once. */
export function mergeProfiles(profiles: readonly [Profile, ...Profile[]]): Profile {
  const heads = profiles.map((profile) => profile.head);
  const head: ProfileHead = {
    ...heads[0]!,
    period: Math.max(...heads.map(({ period }) => period)),
    startMillis: Math.min(...heads.map(({ startMillis }) => startMillis)),
    durationNanos: heads.reduce((sum, { durationNanos }) => sum + durationNanos, 0),
    comments: [...new Set(heads.flatMap(({ comments }) => comments))],
  };
  const merged = new Profile(head);
  for (const profile of profiles) addProfile(merged, profile);
  return merged;
}

/** What `after` has more (or, negative, less) than `before`; equal samples vanish from the figures but not the tables. */
export function diffProfiles(before: Profile, after: Profile): Profile {
  const diff = new Profile({ ...after.head, comments: [...after.head.comments] });
  addProfile(diff, after);
  addProfile(diff, before, -1);
  return diff;
}

export function sameLocation(into: Profile, other: Profile, location: number): number {
  const { name, systemName, file, startLine, startColumn } = other.functionOf(location);
  const functionId = into.function(name, systemName, file, startLine, startColumn);
  return into.location(functionId, other.locations[location * 2 + 1]!, other.placeOf(location));
}

function typesOf({ sampleTypes, periodType }: ProfileHead): string {
  const named = sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(', ');
  return `${named} by ${periodType.type}/${periodType.unit}`;
}
