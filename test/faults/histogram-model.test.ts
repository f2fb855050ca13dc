import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBucketTables } from '../../agent/core-buckets';
import { openRecorder } from '../../agent/core-recorder';
import { CoreLimit, CoreRegion, HistogramWord as LayoutWord } from '../../assembly/layout';
import { compiledSteps, stepName } from './model/compiled-steps';
import { explore, type Steps } from './model/explore';
import { type HistogramSetup, histogramModel } from './model/histogram-model';
import {
  ANEW,
  HISTOGRAM_MUTATIONS,
  HistogramWord,
  noteValue,
  record,
  recordApart,
} from './model/histogram-steps';

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

describe('the code', () => {
  const shape = { octaves: 1, subBuckets: 1 };
  const PAGE = 32768;
  const offsets = new Map<number, [offset: number, isF64: boolean]>([
    [HistogramWord.Sum, [LayoutWord.Sum, true]],
    [HistogramWord.Lowest, [LayoutWord.Lowest, true]],
    [HistogramWord.Highest, [LayoutWord.Highest, true]],
    [HistogramWord.Directory, [LayoutWord.Directory, false]],
    [PAGE, [0, false]],
  ]);

  /** Operations of the steps when loads give these values; stores of a new page's zeros are left out. */
  function pathOf(steps: Steps<unknown>, values: number[]): string[] {
    const path: string[] = [];
    for (let next = steps.next(); !next.done; ) {
      const operation = next.value;
      if (operation.kind === 'note') throw new Error('no notes here');
      const place = offsets.get(operation.word);
      if (place) path.push(stepName(operation.kind, ...place));
      next = steps.next(operation.kind.endsWith('load') ? values.shift()! : 0);
    }
    return path;
  }

  it.each(['recordInt', 'record'] as const)(
    '%s goes straight on with the loads and stores of the model',
    (name) => {
      const base = 16384;
      const value = name === 'record' ? 12.3 : 12;
      const buffer = new SharedArrayBuffer(65536);
      writeBucketTables(buffer);
      const words = new Int32Array(buffer);
      const cells = new Float64Array(buffer);
      words[(base + LayoutWord.Directory + (3 - CoreLimit.LowestExponent) * 4) >> 2] = PAGE;
      cells[(base + LayoutWord.Lowest) >> 3] = 12;
      cells[(base + LayoutWord.Highest) >> 3] = 13;
      const log: string[] = [];
      /** The offset that the compiled code would have for it; null for the constant tables. */
      const placeOf = (at: number) => {
        if (at < CoreRegion.Slots) return null;
        return at >= PAGE ? 0 : Math.min(at - base, LayoutWord.Directory);
      };
      const views = { words: watched(words, 4), cells: watched(cells, 8) };
      function watched<T extends Int32Array | Float64Array>(array: T, bytes: number): T {
        const tell = (kind: string, index: string) => {
          const place = placeOf(Number(index) * bytes);
          if (place !== null) log.push(stepName(kind, place, bytes === 8));
        };
        return new Proxy(array, {
          get(target, index) {
            tell('load', String(index));
            return Reflect.get(target, index);
          },
          set(target, index, stored) {
            tell('store', String(index));
            return Reflect.set(target, index, stored);
          },
        });
      }
      const apart = () => expect.fail('went apart');
      openRecorder({ histogramRecordApart: apart }, views)[name](base, value);
      expect(log).toEqual(pathOf(record(12, shape, 'none'), [PAGE, 12, 12, 0, 0]));
    },
  );

  it('goes apart with the loads and stores of the model, the bucket last', () => {
    const noted = pathOf(noteValue(12), [0, ANEW, 0]);
    const first = pathOf(noteValue(12), [0, 13, 11]); // widens both
    const refused = (word: number) => [stepName('load', word, false), 'store 0'];
    expect(first).toEqual([...noted.slice(0, 3), 'load f64 24', ...noted.slice(3)]);
    expect(compiledSteps('histogram/histogramRecordApart')).toEqual([
      ...[LayoutWord.NotANumber, 0, LayoutWord.Infinite].flatMap(refused), // 0: one of two words, added beforehand
      ...first,
      ...[LayoutWord.Low, LayoutWord.Zero].flatMap(refused),
      ...['load 256', stepName('load', LayoutWord.Slot, false)],
      ...refused(LayoutWord.Unplaced),
      'atomic store 256',
      ...refused(LayoutWord.High),
      ...first,
      ...['load 0', 'store 0'],
    ]);
    const steps = pathOf(recordApart(12, shape, 'none'), [PAGE, 0, 13, 11, 0]);
    expect(steps).toEqual(['load 256', ...first, 'load 0', 'store 0']);
  });

  it('takes extremes and asks for new ones before it reads buckets, and looks again behind them', () => {
    expect(compiledSteps('histogram/histogramDelta')).toEqual([
      ...['load f64 16', 'load f64 24'], // extremes; what follows is an i64 store of +Infinity, which is not listed
      ...['load 32', 'load 128', 'store 128', 'store f64 0'], // zero, to the scratch
      ...['atomic load 256', 'load 0', 'load 512', 'store 512', 'store f64 0'], // directory, bucket, what was seen of it
      ...['store f64 0', 'load f64 0', 'load f64 136', 'store f64 8', 'store f64 136'], // count, sum
      ...['load f64 16', 'load f64 24', 'store f64 16', 'store f64 24'], // extremes
    ]);
    const text = readFileSync(join(__dirname, '../../build/core.wat'), 'utf8');
    const body = text.slice(text.indexOf('(func $assembly/histogram/histogramDelta '));
    const asks = body.indexOf('i64.atomic.store offset=16');
    expect(asks).toBeGreaterThan(body.indexOf('f64.load offset=24'));
    expect(asks).toBeLessThan(body.indexOf('i32.load offset=32'));
  });
});
