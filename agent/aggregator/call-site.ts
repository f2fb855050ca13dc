/** The part of a stack that the program itself has made: without Node's own functions at its end. */
import type { StackNames } from '../../collector/profile/stack-table';

const NODE_URL = 'node:';

/** The innermost call of the program's own code; the stack as it is where there is none. */
export function callSiteOf(stacks: StackNames, stack: number): number {
  for (let id = stack; id !== 0; id = stacks.parentOf(id)) {
    const { url } = stacks.functionOf(id);
    if (url !== '' && !url.startsWith(NODE_URL)) return id;
  }
  return stack;
}
