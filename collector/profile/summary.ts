/** A few lines for the end of a run: what took most CPU. At most 100 columns wide. */
import type { Profile } from './profile';
import { topFunctions } from './top';

const ROWS = 10;
const NAME_CHARS = 38;
const FILE_CHARS = 36;

/** The last sample type must be nanoseconds. */
export function summaryOf(profile: Profile): string {
  const type = profile.head.sampleTypes.length - 1;
  const functions = topFunctions(profile, type).filter(({ flat }) => flat > 0);
  const total = functions.reduce((sum, { flat }) => sum + flat, 0);
  const run = (profile.head.durationNanos / 1e9).toFixed(2);
  const head = `CPU ${seconds(total)} s sampled in ${run} s; the ${Math.min(ROWS, functions.length)} functions of ${functions.length} that took most:`;
  const rows = functions.slice(0, ROWS).map(({ name, file, line, flat }) => {
    const share = `${((100 * flat) / Math.max(1, total)).toFixed(1)} %`;
    const place = file === '' ? '' : shortenedLeft(line > 0 ? `${file}:${line}` : file, FILE_CHARS);
    return `${seconds(flat).padStart(9)} s ${share.padStart(7)}  ${shortened(name, NAME_CHARS).padEnd(NAME_CHARS)}  ${place}`.trimEnd();
  });
  return [head, ...rows].join('\n');
}

function seconds(nanos: number): string {
  return (nanos / 1e9).toFixed(2);
}

function shortened(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1)}…`;
}

/** Of a path, the end is what tells. */
function shortenedLeft(text: string, chars: number): string {
  return text.length <= chars ? text : `…${text.slice(1 - chars)}`;
}
