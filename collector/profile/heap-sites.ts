/**
 * Heap profiles by site, over time: what growth and leaks are read from. A site is the innermost function of the program
 * itself on the stack that allocated (not Node's, not a package's); where there is none, the innermost function.
 */

/** objects, bytes: what lives. oldBytes: the part allocated before the last tenth of the time that was sampled. */
export type SiteValue = {
  objects: number;
  bytes: number;
  oldBytes: number;
  samples: number;
  stack: readonly string[];
};

/** runId: captures of different runs of V8's sampler do not know of each other's objects. */
export type HeapPoint = { atMillis: number; runId: number; sites: ReadonlyMap<string, SiteValue> };

/** The allocations of one run that are too young to be told from work in progress, as a share of its time. */
export const YOUNG_SHARE = 0.1;

export function isOwnCode(url: string): boolean {
  return url !== '' && !url.startsWith('node:') && !/[\\/]node_modules[\\/]/.test(url);
}

/** The sites with most bytes, so that a series of points stays small. */
export function largestSites(sites: ReadonlyMap<string, SiteValue>, count: number): Map<string, SiteValue> {
  if (sites.size <= count) return new Map(sites);
  const sorted = [...sites].sort(([, left], [, right]) => right.bytes - left.bytes);
  return new Map(sorted.slice(0, count));
}
