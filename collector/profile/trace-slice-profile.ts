/** The slices of a trace as a profile: how many there were of each stack, and their own time. */
import { Profile } from './profile';
import { checkCount, NODES_MAX, STACK_FRAMES_MAX, WALKED_FRAMES_MAX } from './profile-limits';
import { namedLocation } from './stack-nodes';
import type { Slice, SliceTrack } from './trace-slices';
import { TRACE_FORMAT, type TrackNames } from './trace-tracks';

const MICROS = 1000;

/** tracks: the slices of each, every one after what it lies in. */
export function profileOfSlices(tracks: Iterable<SliceTrack>, names: TrackNames): Profile {
  const type = { type: 'wall', unit: 'nanoseconds' };
  const profile = new Profile({
    sampleTypes: [{ type: 'slices', unit: 'count' }, type],
    periodType: type,
    period: 0,
    startMillis: 0,
    durationNanos: 0,
    program: '',
    comments: [],
  });
  let fromMicros = Number.POSITIVE_INFINITY;
  let toMicros = Number.NEGATIVE_INFINITY;
  let walked = 0;
  for (const { pid, tid, slices } of tracks) {
    const labels = profile.labelSet(names.of(pid, tid));
    const open: { slice: Slice; node: number }[] = [];
    for (const slice of slices) {
      while (open.length > 0 && open.at(-1)!.slice.endMicros <= slice.startMicros) open.pop();
      checkCount(TRACE_FORMAT, 'frames in a stack', open.length + 1, STACK_FRAMES_MAX);
      checkCount(TRACE_FORMAT, 'distinct stacks', profile.nodes.length / 2, NODES_MAX);
      // Each slice is a sample, and whoever writes a sample walks its stack.
      walked += open.length + 1;
      checkCount(TRACE_FORMAT, 'frames', walked, WALKED_FRAMES_MAX);
      const place = {
        name: slice.name,
        systemName: slice.name,
        file: '',
        startLine: 0,
        startColumn: 0,
        line: 0,
      };
      const node = profile.node(open.at(-1)?.node ?? 0, namedLocation(profile, place));
      profile.add(node, labels, [1, Math.round(slice.ownMicros * MICROS)]);
      open.push({ slice, node });
      fromMicros = Math.min(fromMicros, slice.startMicros);
      toMicros = Math.max(toMicros, slice.endMicros);
    }
  }
  profile.head.durationNanos = Math.max(0, Math.round((toMicros - fromMicros) * MICROS));
  return profile;
}
