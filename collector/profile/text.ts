/**
 * A profile as Go's debug=1 shows it: a head line with the totals, then stack by stack, the most first: its values, an
 * at sign where Go has addresses, and a line a frame, leaf first. Comments come last, as Go's figures do.
 */
import type { Profile } from './profile';

/** name: as in /debug/pprof/<name>. */
export function profileText(name: string, profile: Profile): string {
  const stride = profile.head.sampleTypes.length;
  const stacks = Array.from({ length: profile.sampleCount }, (_, index) => ({
    index,
    values: profile.values.slice(index * stride, (index + 1) * stride),
  })).filter(({ values }) => values.some((value) => value !== 0));
  stacks.sort((left, right) => right.values[stride - 1]! - left.values[stride - 1]!);
  const totals = profile.head.sampleTypes.map((_, type) =>
    stacks.reduce((sum, { values }) => sum + values[type]!, 0),
  );
  const shape = SHAPES[name] ?? plainShape(name);
  const lines = shape.head(totals, profile);
  for (const { index, values } of stacks) {
    lines.push(`${shape.values(values)} @${labelText(profile.labelSets[profile.samples[index * 2 + 1]!]!)}`);
    for (const location of profile.locationsOf(profile.samples[index * 2]!)) {
      const { name: functionName, file } = profile.functionOf(location);
      lines.push(
        `#\t${functionName}\t${file === '' ? '' : `${file}:${profile.locations[location * 2 + 1]}`}`,
      );
    }
    lines.push('');
  }
  lines.push(...profile.head.comments.map((comment) => `# ${comment}`));
  return `${lines.join('\n')}\n`;
}

type Shape = {
  head(totals: readonly number[], profile: Profile): string[];
  values(values: readonly number[]): string;
};

const HEAP: Shape = {
  head: (totals, { head }) => [`heap profile: ${heapValues(totals)} @ heap/${head.period}`],
  values: heapValues,
};
const CYCLES = 'cycles/second=1000000000';
const nanosAndCount = ([count, nanos]: readonly number[]) => `${nanos} ${count}`;
const SHAPES: Readonly<Record<string, Shape>> = {
  heap: HEAP,
  allocs: HEAP,
  block: { head: () => ['--- contention:', CYCLES], values: nanosAndCount },
  mutex: { head: () => ['--- mutex:', CYCLES, 'sampling period=1'], values: nanosAndCount },
};

function plainShape(name: string): Shape {
  return {
    head: (totals) => [`${name} profile: total ${totals[0] ?? 0}`],
    values: (values) => values.join(' '),
  };
}

/** in use: objects: bytes [allocated: objects: bytes]; the profile has the allocated ones first. */
function heapValues([allocObjects, allocBytes, inuseObjects, inuseBytes]: readonly number[]): string {
  return `${inuseObjects}: ${inuseBytes} [${allocObjects}: ${allocBytes}]`;
}

function labelText(labels: readonly string[]): string {
  let text = '';
  for (let index = 0; index < labels.length; index += 2)
    text += ` ${labels[index]}=${JSON.stringify(labels[index + 1])}`;
  return text;
}
