import { describe, expect, it } from 'vitest';
import { CoreLimit, DropWord, RecordWord, SlotWord } from '../../assembly/layout';
import { compiledSteps, inTextOrder, stepName } from './model/compiled-steps';
import { explore, type Steps } from './model/explore';
import { type RingSetup, ringModel } from './model/ring-model';
import { HARMLESS, MUTATIONS, peek, push, RingWord, release } from './model/ring-steps';

/** What takes minutes is for `npm run soak`. */
const LONG = process.env.RINGTAIL_MODEL === 'long';

const EIGHT_PLACES: [string, Partial<RingSetup>][] = [
  ['eight places, positions that wrap', { capacity: 8, pushes: 9, drains: 0, startPosition: 2 ** 32 - 5 }],
];

const FOUR = { capacity: 4, pushes: 5, drains: 1 };

const plain: RingSetup = {
  capacity: 2,
  pushes: 4,
  drains: 2,
  startPosition: 0,
  droppedBefore: 0,
  recordWords: 2,
  claimRecords: 2,
  lineRecords: 1,
  mutation: 'none',
};

describe('every interleaving of the ring', () => {
  const setups: [string, Partial<RingSetup>][] = [
    ['one place', { capacity: 1, pushes: 3 }],
    ['two places', {}],
    ['two places, positions that wrap', { startPosition: 2 ** 32 - 2 }],
    ['two places, records of three words', { recordWords: 3, pushes: 3 }],
    ['two places, counts of drops that wrap', { droppedBefore: 2 ** 32 - 1 }],
    ['four places, claimed at once', { ...FOUR, claimRecords: 4, lineRecords: 2 }],
    ['four places, positions that wrap', { ...FOUR, startPosition: 2 ** 32 - 3 }],
    ...(LONG ? EIGHT_PLACES : []),
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

  it.each(HARMLESS)('shows that "%s" changes nothing', (mutation) => {
    expect(explore(ringModel({ ...plain, mutation })).violation).toBeNull();
    expect(explore(ringModel({ ...plain, mutation, capacity: 1, pushes: 3 })).violation).toBeNull();
  });

  it('finds that three places are no ring, which is why the sizes are powers of two', () => {
    const three = explore(ringModel({ ...plain, capacity: 3, pushes: 4 }));
    expect(three.violation).toMatch(/lost|torn|again/);
    for (const records of [CoreLimit.MainRingRecords, CoreLimit.ThreadRingRecords]) {
      expect(records & (records - 1)).toBe(0);
    }
  });
});

describe('the compiled ring', () => {
  const RECORD_WORDS = [
    RecordWord.Kind,
    RecordWord.A,
    RecordWord.B,
    RecordWord.Position,
    RecordWord.StartMicros,
    RecordWord.DurationMicros,
  ];
  const offsets = new Map<number, [offset: number, isF64: boolean]>([
    [RingWord.Tail, [SlotWord.Tail, false]],
    [RingWord.Claimed, [SlotWord.Claimed, false]],
    [RingWord.RingAt, [SlotWord.RingAt, false]],
    [RingWord.RingMask, [SlotWord.RingMask, false]],
    [RingWord.Head, [SlotWord.Head, false]],
    [RingWord.TailSeen, [SlotWord.TailSeen, false]],
    [RingWord.DropCount, [SlotWord.Dropped + DropWord.Count, false]],
    [RingWord.DropFirst, [SlotWord.Dropped + DropWord.FirstMicros, true]],
    [RingWord.DropTaken, [SlotWord.DroppedTaken, false]],
    ...RECORD_WORDS.map((word, i): [number, [number, boolean]] => [
      RingWord.Records + i,
      [word, word >= RecordWord.StartMicros],
    ]),
  ]);

  function inFirstPlace(word: number): number {
    return word < RingWord.Records
      ? word
      : RingWord.Records + ((word - RingWord.Records) % RECORD_WORDS.length);
  }

  /** Operations of the steps when the words hold these values. */
  function pathOf(steps: Steps<unknown>, words: Record<number, number>): string[] {
    const path: string[] = [];
    for (let next = steps.next(); !next.done; ) {
      const operation = next.value;
      if (operation.kind === 'note') throw new Error('no notes here');
      path.push(stepName(operation.kind, ...offsets.get(inFirstPlace(operation.word))!));
      next = steps.next(words[operation.word] ?? 0);
    }
    return path;
  }

  it('pushes with the loads and stores of the model, in its order', () => {
    const shape = { recordWords: RECORD_WORDS.length, claimRecords: 2, lineRecords: 2 };
    const steps = () => push(1, shape, 'none');
    const ring = { [RingWord.RingMask]: 1, [RingWord.RingAt]: RingWord.Records };
    const straight = pathOf(steps(), { ...ring, [RingWord.Claimed]: 2 });
    const claims = pathOf(steps(), ring);
    const full = pathOf(steps(), { ...ring, [RingWord.Tail]: 2, [RingWord.Claimed]: 2 });
    const claimsAhead = pathOf(steps(), {
      ...ring,
      [RingWord.Tail]: 1,
      [RingWord.Claimed]: 2,
      [RingWord.Head]: 2,
    });
    expect(straight.at(-1)).toBe('atomic store 0');
    expect(straight.length).toBe(CoreLimit.RecordBytes / 4 - 2 + 5); // two f64; Tail, Claimed, RingAt, RingMask, Tail
    expect(claimsAhead.slice(0, straight.length)).toEqual(straight);
    const ahead = claimsAhead.slice(straight.length);
    // A full ring's claim touches nothing; in the text its drop stands behind a claim that does.
    const claimed = stepName('store', SlotWord.Claimed, false);
    const dropped = [
      ...claims.slice(0, claims.indexOf(claimed) + 1),
      ...full.slice(full.indexOf(claimed) + 1),
    ];
    expect(compiledSteps('ring/push')).toEqual([...inTextOrder(straight, claims, dropped), ...ahead]);
  });

  it('peeks and releases with the loads and stores of the model, in its order', () => {
    expect(compiledSteps('ring/peek')).toEqual(pathOf(peek(1, 'none'), {}));
    expect(compiledSteps('ring/release')).toEqual(pathOf(release(1, 'none'), {}));
  });
});
