import { describe, expect, it } from 'vitest';
import { explore } from './model/explore';
import { type RingSetup, ringModel } from './model/ring-model';
import { MUTATIONS } from './model/ring-steps';

const plain: RingSetup = {
  capacity: 2,
  pushes: 4,
  drains: 2,
  startPosition: 0,
  recordWords: 2,
  mutation: 'none',
};

describe('every interleaving of the ring', () => {
  const setups: [string, Partial<RingSetup>][] = [
    ['one place', { capacity: 1, pushes: 3 }],
    ['two places', {}],
    ['two places, positions that wrap', { startPosition: 2 ** 32 - 2 }],
    ['two places, records of three words', { recordWords: 3, pushes: 3 }],
    ['four places, positions that wrap', { capacity: 4, pushes: 6, drains: 1, startPosition: 2 ** 32 - 3 }],
  ];

  it.each(setups)(
    '%s: nothing torn, lost uncounted, twice or out of order, wherever the producer stops',
    (name, change) => {
      const { states, schedules, violation } = explore(ringModel({ ...plain, ...change }));
      console.log(`${name}: ${schedules.toExponential(1)} schedules through ${states} states`);
      expect(violation).toBeNull();
      expect(schedules).toBeGreaterThan(1e6);
    },
  );

  it.each(MUTATIONS)('catches the mutation "%s"', (mutation) => {
    const found = [
      explore(ringModel({ ...plain, mutation })),
      explore(ringModel({ ...plain, mutation, capacity: 1, pushes: 3 })),
    ].map(({ violation }) => violation);
    expect(found.filter(Boolean).length, mutation).toBeGreaterThan(0);
  });
});
