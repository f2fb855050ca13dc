import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFolded } from '../../../collector/profile/folded';
import { encodePprof } from '../../../collector/profile/pprof';
import { Profile } from '../../../collector/profile/profile';
import { ProfileError } from '../../../collector/profile/profile-error';
import {
  decodeProfileFile,
  encodeProfileFile,
  type ProfileFormat,
} from '../../../collector/profile/profile-file';
import { everything, type Kind, randomProfile, stacks, total } from './random-profile';

const RUNS = { numRuns: 150 };
/** Small enough that sixteen of them sum to a whole number. */
const VALUE_MAX = 2 ** 49 - 1;
/** What can hold a kind of profile and be read again. */
const HOLDERS: Record<'cpu' | 'heap', ProfileFormat[]> = {
  cpu: ['pprof', 'cpuprofile', 'folded', 'speedscope'],
  heap: ['pprof', 'heapprofile', 'folded', 'speedscope'],
};

function written(profile: Profile, format: ProfileFormat, valueIndex?: number): Buffer {
  const pieces: Buffer[] = [];
  encodeProfileFile(profile, format, (piece) => pieces.push(Buffer.from(piece)), valueIndex);
  return Buffer.concat(pieces);
}

/** Written, told by its content, read. */
function through(profile: Profile, format: ProfileFormat, valueIndex?: number): Profile {
  const read = decodeProfileFile(written(profile, format, valueIndex));
  expect(read.format).toBe(format);
  return read.profile;
}

describe('pprof', () => {
  it.each<Kind>(['cpu', 'heap', 'any'])('of %s comes back with all there is in a profile', (kind) => {
    fc.assert(
      fc.property(randomProfile(kind, VALUE_MAX, true), (profile) => {
        const read = decodeProfileFile(encodePprof(profile)).profile;
        expect(everything(read)).toEqual(everything(profile));
        expect(read.head).toEqual(profile.head);
        expect(read.defaultValueIndex).toBe(profile.defaultValueIndex);
      }),
      RUNS,
    );
  });

  it('keeps values up to 2^53, and negative ones', () => {
    const profile = single([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]);
    expect(through(profile, 'pprof').values).toEqual(profile.values);
  });

  it('writes calls inlined into each other as one location of several lines, once for each such chain', () => {
    const profile = single([1, 10]);
    const at = (name: string, line: number, inlined: boolean) =>
      profile.location(profile.function(name, '', '/a.js', 1), line, { inlined });
    const outer = profile.node(0, at('outer', 5, false));
    const inner = profile.node(outer, at('inner', 7, true));
    profile.add(profile.node(inner, at('innermost', 9, true)), 0, [2, 20]);
    profile.add(inner, 0, [3, 30]);
    const again = through(profile, 'pprof');
    expect(again.inlined.filter((inlined) => inlined === 1)).toHaveLength(2);
    expect(encodeFolded(again, 0)).toBe(encodeFolded(profile, 0));
  });
});

describe('round trips', () => {
  it.each([
    ['cpuprofile', 'cpu', [0, 1]],
    ['heapprofile', 'heap', [3]],
    ['speedscope', 'any', [0, 1, 2]],
  ] as const)('through %s keep the values of every stack', (format, kind, valueIndexes) => {
    fc.assert(
      fc.property(randomProfile(kind, VALUE_MAX), (profile) => {
        const shown = valueIndexes.at(-1)!;
        const read = through(profile, format, shown);
        for (const index of valueIndexes) {
          const same = Math.min(index, read.head.sampleTypes.length - 1);
          const found = format === 'speedscope' ? typeIndex(read, profile, index) : same;
          expect(stacks(read, found)).toEqual(stacks(profile, index));
        }
      }),
      RUNS,
    );
  });

  it('through a trace keep ticks, and times to the microsecond a stack', () => {
    fc.assert(
      fc.property(randomProfile('cpu', 1000), (profile) => {
        profile.values.forEach((value, at) => {
          // Ticks without time and time without ticks are not what a sampler gives.
          if (at % 2 === 1) profile.values[at] = profile.values[at - 1] === 0 ? 0 : value * 7919;
        });
        const read = through(profile, 'perfetto', 1);
        if (total(profile, 0) === 0) return;
        expect(read.head.sampleTypes).toEqual(profile.head.sampleTypes);
        expect(stacks(read, 0)).toEqual(stacks(profile, 0));
        expect(Math.abs(total(read, 1) - total(profile, 1))).toBeLessThanOrEqual(1000 * profile.sampleCount);
      }),
      RUNS,
    );
  });

  it('through a trace keep what is no time, in 100,000 parts', () => {
    fc.assert(
      fc.property(randomProfile('heap', 2 ** 30), (profile) => {
        const whole = total(profile, 3);
        if (whole === 0) return;
        const read = through(profile, 'perfetto', 3);
        expect(read.head.sampleTypes[1]).toEqual(profile.head.sampleTypes[3]);
        expect(Math.abs(total(read, 1) - whole)).toBeLessThanOrEqual(
          (profile.sampleCount * whole) / 100_000 + 1,
        );
      }),
      RUNS,
    );
  });

  it('through folded text keep its lines', () => {
    fc.assert(
      fc.property(randomProfile('any', VALUE_MAX, true), (profile) => {
        const text = encodeFolded(profile, 1);
        if (text === '') return;
        const read = decodeProfileFile(Buffer.from(text));
        expect(read.format).toBe('folded');
        expect(encodeFolded(read.profile)).toBe(text);
        expect(total(read.profile)).toBe(total(profile, 1));
      }),
      RUNS,
    );
  });

  for (const kind of ['cpu', 'heap'] as const) {
    const pairs = HOLDERS[kind].flatMap((first) => HOLDERS[kind].map((second) => [first, second] as const));
    it.each(pairs)(`of ${kind} through %s and then %s keep the total`, (first, second) => {
      fc.assert(
        fc.property(randomProfile(kind, 2 ** 40), (profile) => {
          profile.head.defaultSampleType = profile.head.sampleTypes.at(-1)!.type;
          if (total(profile) === 0) return;
          const once = through(profile, first);
          if (first === 'folded' && second === 'heapprofile') {
            expect(() => written(once, second)).toThrow(/holds bytes, not samples\/count/);
            return;
          }
          const twice = through(once, second);
          const index = first === 'folded' && second === 'cpuprofile' ? 0 : twice.defaultValueIndex;
          expect(total(twice, index)).toBe(total(profile));
        }),
        { numRuns: 40 },
      );
    });
  }
});

describe('an empty profile', () => {
  it.each<[ProfileFormat, 'cpu' | 'heap']>([
    ['pprof', 'cpu'],
    ['cpuprofile', 'cpu'],
    ['heapprofile', 'heap'],
    ['speedscope', 'cpu'],
    ['perfetto', 'cpu'],
  ])('goes through %s', (format, kind) => {
    const [profile] = fc.sample(
      randomProfile(kind, 0).map(({ head }) => new Profile(head)),
      1,
    );
    expect(total(through(profile!, format, profile!.head.sampleTypes.length - 1))).toBe(0);
  });

  it('is no folded text', () => {
    expect(() => decodeProfileFile(Buffer.alloc(0))).toThrow(/the profile is empty: pprof/);
  });
});

describe('what a format cannot hold', () => {
  it.each<[ProfileFormat, RegExp]>([
    ['cpuprofile', /holds time, not alloc_objects\/count: take pprof/],
    ['heapprofile', /holds bytes, not alloc_objects\/count: take pprof/],
  ])('is refused by %s, in words', (format, words) => {
    const [profile] = fc.sample(randomProfile('heap', 9), 1);
    expect(() => written(profile!, format, 0)).toThrow(words);
  });

  it.each<[ProfileFormat, string]>([
    ['cpuprofile', 'nanoseconds'],
    ['heapprofile', 'bytes'],
    ['perfetto', 'nanoseconds'],
  ])('like a difference by %s', (format, unit) => {
    const profile = single([1, -10]);
    profile.head.sampleTypes = [profile.head.sampleTypes[0]!, { type: 'x', unit }];
    expect(() => written(profile, format)).toThrow(ProfileError);
    expect(() => written(profile, format)).toThrow(/less than nothing/);
  });
});

function typeIndex(read: Profile, from: Profile, index: number): number {
  const { type, unit } = from.head.sampleTypes[index]!;
  return read.head.sampleTypes.findIndex((one) => one.type === type && one.unit === unit);
}

/** One stack of one frame. */
function single(values: number[]): Profile {
  const sampleTypes = [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ];
  const profile = new Profile({
    sampleTypes,
    periodType: sampleTypes[1]!,
    period: 10,
    startMillis: 0,
    durationNanos: 0,
    program: '',
    comments: [],
  });
  profile.add(profile.node(0, profile.location(profile.function('main', '', '', 0), 1)), 0, values);
  return profile;
}
