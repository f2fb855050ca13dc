/** Stacks of StackSums as nodes of a profile. */
import { fileOf, functionName } from '../../../collector/profile/frame';
import type { Profile } from '../../../collector/profile/profile';
import { namedLocation, rootNode } from '../../../collector/profile/stack-nodes';
import type { SummedFrame } from '../stack-sums';

const REST_FRAME = '(other stacks)';

/** frames: root first; none for the entry that takes what found no place. */
export function summedNode(profile: Profile, frames: readonly SummedFrame[]): number {
  let node = frames.length === 0 ? rootNode(profile, REST_FRAME) : 0;
  for (const frame of frames) {
    const name = functionName(frame);
    const location = namedLocation(profile, {
      name,
      systemName: frame.name || name,
      file: fileOf(frame.url),
      startLine: frame.line,
      startColumn: frame.column,
      line: frame.at || frame.line,
    });
    node = profile.node(node, location);
  }
  return node;
}
