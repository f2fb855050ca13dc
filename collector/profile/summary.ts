/** A few lines for the end of a run: what took most CPU. At most 100 columns wide. */
import type { Profile } from './profile';
import { topFunctions } from './report/top';
import { topTable } from './report/top-table';
import { ValueScale } from './report/value-scale';

const ROWS = 10;
const COLUMNS = 100;

/** The last sample type must be nanoseconds. savedMicros: for how long sampling rested meanwhile. */
export function summaryOf(profile: Profile, savedMicros = 0): string {
  const type = profile.head.sampleTypes.length - 1;
  const functions = topFunctions(profile, type).filter(({ flat }) => flat > 0);
  const total = functions.reduce((sum, { flat }) => sum + flat, 0);
  const run = (profile.head.durationNanos / 1e9).toFixed(2);
  const sampled = (total / 1e9).toFixed(2);
  const saved = savedMicros === 0 ? '' : `, not sampled for ${(savedMicros / 1e6).toFixed(0)} s`;
  const head = `CPU ${sampled} s sampled in ${run} s${saved}; ${listWords(functions.length)}`;
  if (functions.length === 0) return head;
  const scale = new ValueScale(profile.head.sampleTypes[type]!, total);
  return [head, ...topTable(functions, { scale, total, rows: ROWS, columns: COLUMNS })].join('\n');
}

/** What the rows are. */
function listWords(count: number): string {
  if (count === 0) return 'no function took any';
  if (count === 1) return 'the one function that took it:';
  return `the ${Math.min(ROWS, count)} functions of ${count} that took most:`;
}
