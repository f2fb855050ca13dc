/** Comments of a profile without which its figures are misread: that they are old, or that something is not in them. */
import { printable } from '../../profile/printable';

/** Behind `service instance: ` or `instance: `, where a collector has put it in front. */
const QUALIFIERS =
  /(?:^|: )(?:not a new capture: |no stacks: |no samples in this time|not sampled for |not followed: |asynchronous resources are no(?:t| longer) followed|the agent refused the capture: |hint: \d+ % of a core went to threads )/;

export function qualifiersOf(comments: readonly string[]): string[] {
  return comments.filter((comment) => QUALIFIERS.test(comment)).map((comment) => printable(comment));
}
