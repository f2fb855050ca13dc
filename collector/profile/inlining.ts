/** Who names functions that V8 inlined: from Node.js 26 on V8 itself does, before it only tells a line of them. */

const NAMED_FROM_MAJOR = 26;

/** nodeVersion: as in 'v20.20.0'. */
function isNamedByV8(nodeVersion: string): boolean {
  return Number.parseInt(nodeVersion.replace(/^v/, ''), 10) >= NAMED_FROM_MAJOR;
}

export type InliningCounts = { jsTicks: number; repairedTicks: number; unnamedTicks: number };

/** For the comments: what inlining hid, and how much of it was found again; none where V8 hides nothing. */
export function inliningComments(
  { jsTicks, repairedTicks, unnamedTicks }: InliningCounts,
  nodeVersion: string,
): string[] {
  const share = (ticks: number) => `${((100 * ticks) / Math.max(1, jsTicks)).toFixed(1)} %`;
  const repaired = `inlined leaves repaired: ${share(repairedTicks)} of JS ticks`;
  if (unnamedTicks > 0)
    return [`${repaired}; ${share(unnamedTicks)} stand under the caller of a function that cannot be named`];
  if (repairedTicks > 0) return [repaired];
  return isNamedByV8(nodeVersion) ? [] : [`${repaired} (none was seen that needs it)`];
}
