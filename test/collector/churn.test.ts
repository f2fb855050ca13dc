import { expect, it } from 'vitest';
import { Profile } from '../../collector/profile/profile';
import { churnOf } from '../../collector/profile/report/churn';

it('is what is allocated a second less what of it stays', () => {
  const profile = new Profile({
    sampleTypes: [
      { type: 'alloc_space', unit: 'bytes' },
      { type: 'inuse_space', unit: 'bytes' },
    ],
    periodType: { type: 'space', unit: 'bytes' },
    period: 1,
    startMillis: 0,
    durationNanos: 5e9,
    program: 'test',
    comments: [],
  });
  const add = (name: string, allocated: number, kept: number) => {
    const node = profile.node(0, profile.location(profile.function(name, name, '/a.js', 1), 1));
    profile.add(node, 0, [allocated, kept]);
  };
  add('keeps', 900, 1800);
  add('churns', 500, 0);
  add('old', 0, 400);
  const rows = churnOf(profile, { allocSpace: 0, inuseSpace: 1 }, 10, 5);
  expect(
    rows.map(({ name, allocatedPerSecond, keptPerSecond }) => [name, allocatedPerSecond, keptPerSecond]),
  ).toEqual([
    ['churns', 100, 0],
    ['keeps', 180, 180],
  ]);
});
