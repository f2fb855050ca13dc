/** The Node lines: the one that runs the bench, and those of the others that this machine can have. */
import { installNode, LINES, OWN_LINE } from '../../nodes.mjs';

/** One { line, binary } for each; ours first. */
export function nodeLines() {
  return [OWN_LINE, ...LINES.filter((line) => line !== OWN_LINE)].flatMap((line) => {
    try {
      return [{ line, binary: installNode(line) }];
    } catch (error) {
      process.stderr.write(`bench: ${error.message}\n`);
      return [];
    }
  });
}
