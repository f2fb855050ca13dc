/** The name somebody probably meant: the nearest by edit distance, or '' when none is near. Pure. */

/** Farther than this many edits, or than half the length, is another word. */
const MAX_EDITS = 4;

export function nearestName(got: string, names: readonly string[]): string {
  let best = '';
  let bestEdits = Math.min(MAX_EDITS, got.length >> 1) + 1;
  for (const name of names) {
    const edits = editDistance(got, name, bestEdits);
    if (edits < bestEdits) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** Levenshtein distance by two rows; lengths that differ by `limit` or more are not worth comparing. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit;
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[right.length]!;
}
