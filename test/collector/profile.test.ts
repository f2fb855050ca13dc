import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFolded } from '../../collector/profile/folded';
import { addProfile, diffProfiles, mergeProfiles } from '../../collector/profile/merge';
import { encodePprof } from '../../collector/profile/pprof';
import { Profile, type ProfileHead } from '../../collector/profile/profile';
import { profileHead } from '../../collector/profile/tick-profile';
import { readPprof } from './pprof-reader';

const head = (): ProfileHead => ({
  ...profileHead('cpu', 'shop', 1_790_000_000_123),
  period: 10_101_000,
  durationNanos: 5e9,
});

/** Folded text to a profile: `main;handler 3` adds 3 samples. labels: flat. */
function profileOf(text: string, labels: string[] = []): Profile {
  const profile = new Profile(head());
  for (const line of text.trim().split('\n')) {
    const [stack = '', count = '0'] = line.trim().split(' ');
    let node = 0;
    for (const name of stack.split(';')) {
      node = profile.node(node, profile.location(profile.function(name, name, '', 1), 2));
    }
    profile.add(node, profile.labelSet(labels), [Number(count), Number(count) * 10]);
  }
  return profile;
}

const folded = (text: string) =>
  `${text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .join('\n')}\n`;

describe('profiles', () => {
  it('add up equal stacks and keep labels apart until folded', () => {
    const profile = profileOf('main;a 1\nmain;b 2\nmain;a 3');
    addProfile(profile, profileOf('main;a 5', ['thread', 'main']));
    expect(profile.sampleCount).toBe(3);
    expect(encodeFolded(profile, 0)).toBe(folded('main;a 9\nmain;b 2'));
  });

  it('merge with a factor, and a difference with itself is nothing', () => {
    const one = profileOf('main;a 1\nmain;b 2');
    const two = profileOf('main;b 5\nmain;c 1');
    expect(encodeFolded(mergeProfiles([one, two]), 0)).toBe(folded('main;a 1\nmain;b 7\nmain;c 1'));
    expect(encodeFolded(diffProfiles(one, two), 0)).toBe(folded('main;a -1\nmain;b 3\nmain;c 1'));
    expect(encodeFolded(diffProfiles(one, one), 0)).toBe('');
  });

  it('of different kinds refuse to be added', () => {
    const wall = new Profile(profileHead('wall', 'shop', 0));
    expect(() => addProfile(profileOf('main 1'), wall)).toThrow(
      /samples\/count, cpu\/nanoseconds.*take two of the same kind/,
    );
  });

  it('merging commutes and keeps totals, whatever the stacks', () => {
    const stack = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 })
      .map((names) => names.join(';'));
    const text = fc.array(fc.tuple(stack, fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const totals = new Map<string, number>();
        for (const [key, count] of [...left, ...right]) totals.set(key, (totals.get(key) ?? 0) + count);
        const oracle = [...totals]
          .map(([key, count]) => `${key} ${count}\n`)
          .sort()
          .join('');
        const [one, two] = [left, right].map((lines) =>
          profileOf(lines.map((line) => line.join(' ')).join('\n')),
        );
        expect(encodeFolded(mergeProfiles([one!, two!]), 0)).toBe(oracle);
        expect(encodeFolded(mergeProfiles([two!, one!]), 0)).toBe(oracle);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the pprof writer', () => {
  it("writes what a plain reader of profile.proto reads: Go's CPU types, stacks leaf first, labels, comments", () => {
    const profile = profileOf('main;handler;parse 3\nmain 4294967296', ['thread', 'main', 'service', 'shop']);
    profile.head.comments.push('inlined leaves repaired: 1.0 % of JS ticks', 'zweite Zeile: ü');
    const read = readPprof(encodePprof(profile));
    expect(read).toMatchObject({
      sampleTypes: ['samples/count', 'cpu/nanoseconds'],
      periodType: 'cpu/nanoseconds',
      period: 10_101_000,
      durationNanos: 5e9,
      timeNanos: 1_790_000_000_123_000_000n,
      comments: profile.head.comments,
      defaultSampleType: '',
      mapping: { file: 'shop', flags: 4 },
    });
    expect(read.samples).toEqual([
      {
        frames: ['main', 'handler', 'parse'].map((name) => ({ name, line: 2 })),
        values: [3, 30],
        labels: ['service=shop', 'thread=main'],
      },
      {
        frames: [{ name: 'main', line: 2 }],
        values: [4294967296, 42949672960],
        labels: ['service=shop', 'thread=main'],
      },
    ]);
  });

  it('writes negative values and stacks of any depth', () => {
    const deep = Array.from({ length: 1000 }, (_, index) => `f${index}`).join(';');
    const diff = diffProfiles(profileOf(`${deep} 5`), profileOf(`${deep} 2\nmain 1`));
    const read = readPprof(encodePprof(diff));
    expect(read.folded(0)).toEqual(
      new Map([
        [deep, -3],
        ['main', 1],
      ]),
    );
  });

  it('agrees with the folded text, whatever the profile', () => {
    const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[;\s(),]/.test(text));
    const stack = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join(';'));
    fc.assert(
      fc.property(fc.array(fc.tuple(stack, fc.nat(2 ** 40)), { minLength: 1, maxLength: 30 }), (lines) => {
        const profile = profileOf(lines.map((line) => line.join(' ')).join('\n'));
        const read = readPprof(encodePprof(profile)).folded(0);
        const text = [...read]
          .filter(([, count]) => count !== 0)
          .map(([key, count]) => `${key} ${count}\n`)
          .sort()
          .join('');
        expect(text).toBe(encodeFolded(profile, 0));
      }),
      { numRuns: 200 },
    );
  });
});
