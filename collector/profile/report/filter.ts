/** A part of a profile: the stacks that go through what `focus` names and through nothing that `ignore` names. */
import { Profile } from '../profile';

/** Both are matched against the names and the files of functions, anywhere in them. */
export type Filter = { focus?: RegExp | undefined; ignore?: RegExp | undefined };

/** The same profile where there is nothing to filter by. */
export function filterProfile(profile: Profile, { focus, ignore }: Filter): Profile {
  if (focus === undefined && ignore === undefined) return profile;
  const stride = profile.head.sampleTypes.length;
  const focused = marks(profile, focus);
  const ignored = marks(profile, ignore);
  const kept = copyOfTables(profile);
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const node = profile.samples[sample * 2]!;
    if (ignored(node) || (focus !== undefined && !focused(node))) continue;
    const values = profile.values.slice(sample * stride, (sample + 1) * stride);
    kept.add(node, profile.samples[sample * 2 + 1]!, values);
  }
  return kept;
}

/** Whether a stack goes through a function that matches. Parents come before their children, so one pass tells. */
function marks(profile: Profile, pattern: RegExp | undefined): (node: number) => boolean {
  if (pattern === undefined) return () => false;
  const { nodes, locations } = profile;
  const byFunction: (boolean | undefined)[] = [];
  const matches = (location: number) => {
    const id = locations[location * 2]!;
    const { name, file } = profile.functionAt(id);
    byFunction[id] ??= pattern.test(name) || pattern.test(file);
    return byFunction[id]!;
  };
  const marked = [false];
  for (let node = 1; node * 2 < nodes.length; node++) {
    marked.push(marked[nodes[node * 2]!]! || matches(nodes[node * 2 + 1]!));
  }
  return (node) => marked[node]!;
}

/** The same ids of everything but samples: interning in the same order gives them. */
function copyOfTables(profile: Profile): Profile {
  const copy = new Profile(profile.head);
  for (let id = 1; id * 4 < profile.functions.length; id++) {
    const { name, systemName, file, startLine, startColumn } = profile.functionAt(id);
    copy.function(name, systemName, file, startLine, startColumn);
  }
  for (let id = 1; id * 2 < profile.locations.length; id++) {
    copy.location(profile.locations[id * 2]!, profile.locations[id * 2 + 1]!, profile.placeOf(id));
  }
  for (let id = 1; id * 2 < profile.nodes.length; id++)
    copy.node(profile.nodes[id * 2]!, profile.nodes[id * 2 + 1]!);
  profile.labelSets.forEach((labels, id) => {
    copy.labelSet(labels, profile.numericLabels[id]);
  });
  return copy;
}
