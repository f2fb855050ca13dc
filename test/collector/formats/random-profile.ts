/** Profiles of any shape for property tests, and what a plain reader sees in them. */
import fc from 'fast-check';
import { Profile, type ValueType } from '../../../collector/profile/profile';

export type Kind = 'cpu' | 'heap' | 'any';

const TYPES: Record<Kind, ValueType[]> = {
  cpu: [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ],
  heap: [
    { type: 'alloc_objects', unit: 'count' },
    { type: 'alloc_space', unit: 'bytes' },
    { type: 'inuse_objects', unit: 'count' },
    { type: 'inuse_space', unit: 'bytes' },
  ],
  any: [
    { type: 'contentions', unit: 'count' },
    { type: 'délai', unit: 'µ/s' },
    { type: 'delay', unit: 'nanoseconds' },
  ],
};

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((given) => given.replace(/\p{Cc}/gu, '_'));
const file = fc.oneof(
  fc.constantFrom(
    '',
    '/srv/app.js',
    '/srv/über ä/ö#%20.ts',
    'node:fs',
    'C:\\x\\y.js',
    'evalmachine.<anonymous>',
  ),
  fc.webPath().map((path) => `/srv${path}.js`),
);
const frame = fc.record({
  name,
  systemName: text,
  file,
  startLine: fc.nat(2000),
  line: fc.nat(3000),
  column: fc.oneof(fc.constant(0), fc.nat(100_000)),
  inlined: fc.boolean(),
});
const labels = fc.array(fc.tuple(text, text), { maxLength: 3 });
const numbers = fc.array(
  fc.record({ key: name, value: fc.maxSafeInteger(), unit: fc.constantFrom('', 'bytes', 'ms') }),
  { maxLength: 2 },
);

/** valueMax: of a sample; few of them, so that sums stay whole numbers. signed: differences too. */
export function randomProfile(kind: Kind, valueMax: number, signed = false): fc.Arbitrary<Profile> {
  const types = TYPES[kind];
  const value = signed ? fc.integer({ min: -valueMax, max: valueMax }) : fc.nat(valueMax);
  const frames = fc.array(frame, { minLength: 1, maxLength: 8 });
  const sample = fc.record({
    path: fc.array(fc.nat(7), { minLength: 0, maxLength: 10 }),
    values: fc.array(fc.oneof(value, fc.constant(0)), { minLength: types.length, maxLength: types.length }),
    labels,
    numbers,
  });
  const head = fc.record({
    period: fc.nat(1e9),
    startMillis: fc.integer({ min: 1.6e12, max: 2e12 }),
    durationNanos: fc.nat(1e12),
    program: text,
    comments: fc.array(text, { maxLength: 3 }),
    defaultSampleType: fc.constantFrom(...types.map(({ type }) => type)),
  });
  return fc
    .record({ frames, samples: fc.array(sample, { maxLength: 16 }), head })
    .map((parts) => build(types, parts));
}

type Parts = {
  frames: {
    name: string;
    systemName: string;
    file: string;
    startLine: number;
    line: number;
    column: number;
    inlined: boolean;
  }[];
  samples: {
    path: number[];
    values: number[];
    labels: [string, string][];
    numbers: { key: string; value: number; unit: string }[];
  }[];
  head: Omit<ConstructorParameters<typeof Profile>[0], 'sampleTypes' | 'periodType'>;
};

function build(sampleTypes: ValueType[], { frames, samples, head }: Parts): Profile {
  const profile = new Profile({ ...head, sampleTypes, periodType: sampleTypes.at(-1)! });
  for (const { path, values, labels, numbers } of samples) {
    const node = path.reduce((parent, index, depth) => {
      const { name, systemName, file, startLine, line, column, inlined } = frames[index % frames.length]!;
      const called = profile.function(name, systemName, file, startLine);
      // The root is inlined into nothing.
      return profile.node(parent, profile.location(called, line, { column, inlined: inlined && depth > 0 }));
    }, 0);
    profile.add(node, profile.labelSet(labels.flat(), numbers), values);
  }
  return profile;
}

/** Values by stack and labels, everything that tells frames apart in it; zeros left out, sorted. */
export function everything(profile: Profile): [string, number[]][] {
  const stride = profile.head.sampleTypes.length;
  const sums = new Map<string, number[]>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const [node, set] = [profile.samples[sample * 2]!, profile.samples[sample * 2 + 1]!];
    const frames = profile.locationsOf(node).map((location) => {
      const { startColumn: _, ...called } = profile.functionOf(location);
      return { ...called, line: profile.locations[location * 2 + 1], ...profile.placeOf(location) };
    });
    const key = JSON.stringify([frames, profile.labelSets[set], profile.numericLabels[set]]);
    const values = sums.get(key) ?? new Array<number>(stride).fill(0);
    sums.set(
      key,
      values.map((value, type) => value + profile.values[sample * stride + type]!),
    );
  }
  return [...sums].filter(([, values]) => values.some((value) => value !== 0)).sort(byKey);
}

/** One value by stack of names and files, root first; zeros left out, sorted. */
export function stacks(profile: Profile, valueIndex = profile.defaultValueIndex): [string, number][] {
  const stride = profile.head.sampleTypes.length;
  const sums = new Map<string, number>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const frames = profile.locationsOf(profile.samples[sample * 2]!).reverse();
    const key = JSON.stringify(
      frames.map((location) => {
        const { name, file } = profile.functionOf(location);
        return [name, file];
      }),
    );
    sums.set(key, (sums.get(key) ?? 0) + profile.values[sample * stride + valueIndex]!);
  }
  return [...sums].filter(([, value]) => value !== 0).sort(byKey);
}

export function total(profile: Profile, valueIndex = profile.defaultValueIndex): number {
  return stacks(profile, valueIndex).reduce((sum, [, value]) => sum + value, 0);
}

function byKey([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
