import { describe, expect, it } from 'vitest';
import { SamplingCost } from '../../../../agent/aggregator/heap/sampling-cost';

const YOUNG = 16 * 2 ** 20;
const INTERVAL = 524_160;

/** What a look says after each ten seconds with so many minor collections. */
function looks(cost: SamplingCost, minors: readonly number[]): number[] {
  let nowMicros = 1;
  cost.isDue(nowMicros);
  return minors.map((count) => {
    for (let minor = 0; minor < count; minor++) cost.sawMinor();
    nowMicros += 10e6;
    return cost.isDue(nowMicros) ? cost.look(nowMicros, YOUNG, INTERVAL) : -1;
  });
}

describe('the cost of heap sampling', () => {
  it('leaves the interval alone at 100 MB a second', () => {
    expect(looks(new SamplingCost(1), [60, 60, 60, 60])).toEqual([0, 0, 0, 0]);
  });

  it('is not even looked at where next to nothing is collected', () => {
    expect(looks(new SamplingCost(1), [0, 2])).toEqual([-1, -1]);
  });

  it('doubles the interval until it fits, once an excess has lasted', () => {
    const [first, second, third] = looks(new SamplingCost(1), [600, 600, 600]);
    expect([first, second]).toEqual([0, 0]);
    // 1 GB a second: 2.3 % of a core at this interval, 0.2 % allowed with room.
    expect(third).toBe(INTERVAL * 16);
  });

  it('forgives a burst', () => {
    expect(looks(new SamplingCost(1), [600, 600, 0, 600, 600])).toEqual([0, 0, -1, 0, 0]);
  });

  it('follows the budget', () => {
    expect(looks(new SamplingCost(10), [600, 600, 600])).toEqual([0, 0, 0]);
  });
});
