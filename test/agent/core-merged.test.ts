import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTables, type HistogramDelta, type MergedHistogram } from '../../agent/core';
import { CoreLimit } from '../../assembly/layout';
import { bucketIndexOf } from '../assembly/exact-buckets';
import { cpuMillis } from '../cpu-millis';

const value = fc.oneof(
  fc.double({ min: 0, max: 2 ** 50, noNaN: true }),
  fc.nat(1_000_000),
  fc.integer({ min: -10, max: 50 }).map((exponent) => 2 ** exponent),
);
const values = fc.array(value, { maxLength: 300 });

/** Sums are floating point: they depend on the order. All else is exact. */
function exactPart(histogram: MergedHistogram) {
  const { count, min, max, zeroCount } = histogram;
  return {
    count,
    min,
    max,
    zeroCount,
    buckets: histogram.buckets(),
    quantiles: histogram.quantiles([0.5, 0.99, 1]),
  };
}

describe.each(['wasm', 'twin'] as const)('merged histogram on %s', (kind) => {
  const tables = createTables({ forceTwin: kind === 'twin' });
  expect(tables.kind).toBe(kind);

  function histogramOf(list: readonly number[]): MergedHistogram {
    const histogram = tables.histogram();
    for (const one of list) histogram.record(one);
    return histogram;
  }

  it('counts each value in the bucket of the exact oracle', () => {
    fc.assert(
      fc.property(values, (list) => {
        const expected = new Map<number, number>();
        for (const one of list.filter((one) => one > 2 ** -10)) {
          expected.set(bucketIndexOf(one), (expected.get(bucketIndexOf(one)) ?? 0) + 1);
        }
        const histogram = histogramOf(list);
        expect(histogram.buckets()).toEqual(
          [...expected].sort((a, b) => a[0] - b[0]).map(([index, count]) => ({ index, count })),
        );
        expect(histogram.zeroCount).toBe(list.filter((one) => one <= 2 ** -10).length);
      }),
    );
  });

  it('merges in any order and any grouping to the same', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const left = histogramOf(a);
        left.merge(histogramOf(b));
        left.merge(histogramOf(c));
        const right = histogramOf(c);
        const inner = histogramOf(b);
        inner.merge(histogramOf(a));
        right.merge(inner);
        expect(exactPart(right)).toEqual(exactPart(left));
        expect(exactPart(left)).toEqual(exactPart(histogramOf([...a, ...b, ...c])));
        expect(right.sum).toBeCloseTo(left.sum, -Math.log10(left.sum || 1) + 9);
      }),
    );
  });

  it('travels as a delta without loss, also into tables of another engine', () => {
    const other = createTables({ forceTwin: kind === 'wasm' });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const there = other.histogram();
        there.merge(histogramOf(a));
        there.addDelta(histogramOf(b).encode());
        expect(exactPart(there)).toEqual(exactPart(histogramOf([...a, ...b])));
      }),
      { numRuns: 50 },
    );
  });

  it('counts exactly beyond 2^32 in a bucket, merges, travels and answers quantiles like the small one', () => {
    const other = createTables({ forceTwin: kind === 'wasm' });
    const qs = [0, 0.1, 0.5, 0.9, 1];
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 47 }),
        (list, times) => {
          const small = histogramOf(list);
          const large = histogramOf(list);
          for (let i = 0; i < times; i++) large.merge(large);
          const there = other.histogram();
          there.addDelta(large.encode());
          for (const histogram of [large, there]) {
            expect(histogram.count).toBe(list.length * 2 ** times);
            expect(histogram.buckets()).toEqual(
              small.buckets().map(({ index, count }) => ({ index, count: count * 2 ** times })),
            );
            expect(histogram.quantiles(qs)).toEqual(small.quantiles(qs));
          }
          large.recordAll(Float64Array.from(list));
          expect(large.count).toBe(list.length * (2 ** times + 1));
          expect(large.buckets()).toEqual(
            small.buckets().map(({ index, count }) => ({ index, count: count * (2 ** times + 1) })),
          );
          large.clear();
          expect(large.encode().buckets.length).toBe(0);
        },
      ),
    );
  });

  it('travels in few bytes', () => {
    const bytesOf = (count: number) => {
      let state = count;
      const random = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return histogramOf(Array.from({ length: count }, () => 400 * Math.exp(0.6 * normal()))).encode().buckets
        .length;
    };
    expect(histogramOf([700]).encode().buckets.length).toBe(0);
    const most = [12, 65, 200, 400];
    for (const [i, count] of [10, 100, 1000, 10_000].entries())
      expect(bytesOf(count), `${count} values`).toBeLessThanOrEqual(most[i]!);
  });

  it('has the bytes that other versions know', () => {
    const { buckets } = histogramOf([0, 1, 5, 5, 700]).encode();
    expect(Buffer.from(buckets).toString('hex')).toBe('00bc7fa5748f00');
    const crowd = histogramOf(Array.from({ length: 500 }, (_, i) => 1000 + (i % 10) * (i % 7)));
    expect(Buffer.from(crowd.encode().buckets).toString('hex')).toBe('0f752b54682c1b1f991a00');
  });

  it('answers quantiles within 0.28 % of the exact ones', () => {
    const qs = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (list) => {
        const sorted = [...list].sort((a, b) => a - b);
        const answers = histogramOf(list).quantiles(qs);
        for (const [i, q] of qs.entries()) {
          const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
          expect(Math.abs(answers[i]! - exact)).toBeLessThanOrEqual(exact * 0.0028 + 2 ** -10);
        }
        expect(answers[0]).toBe(sorted[0]);
        expect(answers.at(-1)).toBe(sorted.at(-1));
      }),
    );
  });

  it('is empty until something is recorded, and again after clear', () => {
    const histogram = tables.histogram();
    expect(histogram.quantiles([0.5])).toEqual([NaN]);
    histogram.record(NaN);
    histogram.record(-1);
    histogram.record(Infinity);
    expect(histogram.count).toBe(0);
    expect(histogram.recordAll(Float64Array.of(1, 2, NaN, 2 ** 60, -3))).toBe(3);
    expect(histogram).toMatchObject({ count: 3, min: 1, max: 2 ** 50, sum: 3 + 2 ** 50 });
    histogram.clear();
    expect(histogram).toMatchObject({ count: 0, sum: 0, zeroCount: 0 });
    expect(histogram.buckets()).toEqual([]);
    expect(histogram.encode().buckets.length).toBe(0);
  });

  it('refuses quantiles that do not ascend', () => {
    expect(() => tables.histogram().quantiles([0.9, 0.5])).toThrow(/must ascend within \[0, 1\].*0\.9, 0\.5/);
    expect(() => tables.histogram().quantiles([1.1])).toThrow(
      expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' }),
    );
  });

  it('gives pages of cleared histograms to later ones', () => {
    const wide = Float64Array.from({ length: 60 }, (_, i) => 1.5 * 2 ** (i - 10));
    for (let i = 0; i < 6000; i++) {
      const histogram = tables.histogram();
      histogram.recordAll(wide); // 60 pages: 6000 of them would not fit
      histogram.clear();
    }
  });

  it('gives back what a collected histogram held', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const wide = Float64Array.from({ length: 60 }, (_, i) => 1.5 * 2 ** (i - 10));
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 500; i++) tables.histogram().recordAll(wide); // 12 × 500 × 60 pages would not fit
      collect();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  describe('given bytes that are no delta', () => {
    const good = histogramOf([0, 1, 5, 5, 700]).encode();
    const hostile: [string, Partial<HistogramDelta>][] = [
      ['a count that the buckets do not have', { count: 6 }],
      ['a NaN sum', { sum: NaN }],
      ['an infinite sum', { sum: Infinity }],
      ['a negative minimum', { min: -1 }],
      ['a minimum above the maximum', { min: 800 }],
      ['a NaN maximum', { max: NaN }],
      ['a maximum of another bucket', { max: 705 }],
      ['no bytes', { buckets: new Uint8Array() }],
      ['a cut end', { buckets: good.buckets.subarray(0, -1) }],
      ['a byte too many', { buckets: Uint8Array.of(...good.buckets, 0) }],
      ['a bit behind the end', { buckets: good.buckets.with(-1, good.buckets.at(-1)! | 128) }],
      ['ones for ever', { buckets: new Uint8Array(100).fill(255) }],
      ['zeros for ever', { buckets: new Uint8Array(100) }],
      ['a count that is no whole number', { count: 5.5 }],
      ['a negative count', { count: -5 }],
      ['a count of NaN', { count: NaN }],
      ['a count of 2^53', { count: 2 ** 53, buckets: new Uint8Array(), min: 0, max: 0 }],
      ['no values in some bytes', { count: 0 }],
      ['bytes for a single bucket', { min: 5, max: 5 }],
      ['more bytes than any delta has', { buckets: new Uint8Array(CoreLimit.DeltaBytes + 1) }],
    ];

    it.each(hostile)('%s: throws ERR_HISTOGRAM and adds nothing', (_, change) => {
      const histogram = histogramOf([3, 4]);
      const before = exactPart(histogram);
      expect(() => histogram.addDelta({ ...good, ...change })).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM' }),
      );
      expect(exactPart(histogram)).toEqual(before);
      histogram.addDelta(good);
      expect(histogram.count).toBe(7);
    });

    it('random and mutated: a coded error or a histogram whose buckets add up, never longer than 50 ms', () => {
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc
          .tuple(values, fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { maxLength: 3 }))
          .map(([list, damage]) => {
            const { buckets } = histogramOf(list).encode();
            for (const [place, byte] of damage) if (buckets.length) buckets[place % buckets.length] = byte;
            return buckets;
          }),
      );
      fc.assert(
        fc.property(bytes, fc.nat(400), value, value, (buckets, count, min, max) => {
          const histogram = tables.histogram();
          const before = cpuMillis();
          try {
            histogram.addDelta({ count, sum: 1, min, max, buckets });
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_HISTOGRAM' });
          }
          expect(cpuMillis() - before).toBeLessThan(50);
          const inBuckets = histogram
            .buckets()
            .reduce((sum, bucket) => sum + bucket.count, histogram.zeroCount);
          expect(inBuckets).toBe(histogram.count);
        }),
        { numRuns: 3000 },
      );
    });

    it('counts beyond 2^53 in sum: throws and adds nothing', () => {
      const histogram = tables.histogram();
      const half = { count: 2 ** 52, sum: 0, min: 0, max: 0, buckets: new Uint8Array() };
      histogram.addDelta(half);
      expect(() => histogram.addDelta(half)).toThrow(expect.objectContaining({ code: 'ERR_HISTOGRAM' }));
      expect(() => histogram.merge(histogram)).toThrow(expect.objectContaining({ code: 'ERR_HISTOGRAM' }));
      expect(histogram.count).toBe(2 ** 52);
    });
  });
});
