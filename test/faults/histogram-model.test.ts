import { describe, expect, it } from 'vitest';
import { compiledSteps, stepName } from './model/compiled-steps';
import { explore, type Steps } from './model/explore';
import { type HistogramSetup, histogramModel } from './model/histogram-model';
import { HISTOGRAM_MUTATIONS, HistogramWord, noteValue } from './model/histogram-steps';

const plain: HistogramSetup = {
  values: [12, 11],
  octaves: 1,
  subBuckets: 1,
  madeOctaves: 1,
  snapshots: 1,
  inOrder: false,
  mutation: 'none',
};

describe('every interleaving of recording and snapshots', () => {
  const setups: [string, Partial<HistogramSetup>][] = [
    ['two values of a bucket', {}],
    ['the first values of an octave', { madeOctaves: 0 }],
    ['two buckets, falling', { subBuckets: 2, values: [21, 12], inOrder: true }],
    ['three values, stores in order', { subBuckets: 2, values: [12, 21, 22], inOrder: true }],
    ['two octaves, one of them new, stores in order', { octaves: 2, values: [11, 21], inOrder: true }],
  ];

  it.each(setups)(
    '%s: nothing lost or invented, extremes in their buckets, wherever the thread stops',
    (name, change) => {
      const { states, schedules, violation } = explore(histogramModel({ ...plain, ...change }));
      console.log(`${name}: ${schedules.toExponential(1)} schedules through ${states} states`);
      expect(violation).toBeNull();
      expect(schedules).toBeGreaterThan(1e6);
    },
  );

  it.each(HISTOGRAM_MUTATIONS)('catches the mutation "%s"', (mutation) => {
    const changes: Partial<HistogramSetup>[] = [
      { values: [12], madeOctaves: 0 },
      { subBuckets: 2, values: [21, 12], inOrder: true },
      { inOrder: true },
    ];
    const found = changes.map(
      (change) => explore(histogramModel({ ...plain, ...change, mutation })).violation,
    );
    expect(found.filter(Boolean).length).toBeGreaterThan(0);
  });
});

describe('the compiled histogram', () => {
  const offsets = new Map<number, [offset: number, isF64: boolean]>([
    [HistogramWord.Sum, [0, true]],
    [HistogramWord.EpochSeen, [8, false]],
    [HistogramWord.Extremes, [16, true]],
    [HistogramWord.Extremes + 1, [24, true]],
    [HistogramWord.EpochRequested, [128, false]],
  ]);

  /** Operations of the steps when loads give these values. */
  function pathOf(steps: Steps<unknown>, values: number[]): string[] {
    const path: string[] = [];
    for (let next = steps.next(); !next.done; ) {
      const operation = next.value;
      if (operation.kind === 'note') throw new Error('no notes here');
      path.push(stepName(operation.kind, ...offsets.get(operation.word)!));
      next = steps.next(operation.kind.endsWith('load') ? values.shift()! : 0);
    }
    return path;
  }

  it('records with the loads and stores of the model, the bucket last', () => {
    const same = pathOf(noteValue(5), [0, 4, 4, 9, 1]); // widens both extremes
    const changed = pathOf(noteValue(5), [0, 4, 3]).slice(4);
    const page = 'load 256';
    expect(compiledSteps('histogram/histogramRecord')).toEqual([
      page,
      ...same,
      ...changed,
      'load 0',
      'store 0',
    ]);
  });

  it('publishes a new page after it was allocated, and asks for the next epoch before it reads', () => {
    const apart = compiledSteps('histogram/recordApart');
    expect(apart).toContain('atomic store 256');
    expect(apart.indexOf('load 12')).toBeLessThan(apart.indexOf('atomic store 256'));
    expect(compiledSteps('histogram/histogramDelta')).toEqual([
      ...['load 128', 'atomic store 128'], // epoch
      ...['load 48', 'load 132', 'store 132'], // zero
      ...['atomic load 256', 'load 0', 'load 512', 'store 512'], // directory, bucket, what was seen of it
      ...['store f64 0', 'load f64 0', 'load f64 136', 'store f64 8', 'store f64 136'], // count, sum
      ...['store f64 16', 'store f64 24'], // extremes
    ]);
  });
});
