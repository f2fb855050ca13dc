/**
 * The core in plain TypeScript: same memory layout, same results bit for bit, for `--jitless` and where shared
 * WebAssembly memory cannot be had. Also the oracle of the tests and the floor of the benches. Each file here mirrors
 * the file of the same name in assembly/, which explains the algorithms.
 */
import type { CoreExports } from '../core-exports';
import { arenaTwin } from './arena';
import { bucketsTwin } from './buckets';
import { columnsTwin } from './columns';
import { countsTwin } from './counts';
import { histogramTwin } from './histogram';
import { mergedTwin } from './merged';
import { ringTwin } from './ring';
import { stacksTwin } from './stacks';
import { viewsOf } from './views';

/** The core's functions over `buffer`. */
export function createTwin(buffer: SharedArrayBuffer): CoreExports {
  const views = viewsOf(buffer);
  const arena = arenaTwin(views);
  const buckets = bucketsTwin(views);
  const counts = countsTwin(views);
  return {
    ...arena,
    ...buckets,
    ...ringTwin(views),
    ...histogramTwin(views, buckets, counts, arena.allocate),
    ...mergedTwin(views, buckets, counts),
    ...stacksTwin(views),
    ...columnsTwin(views),
  };
}
