import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collectOwnGarbage, OwnHeap } from '../../../agent/aggregator/own-heap';

const SECOND = 1e6;

describe("the agent thread's own heap", () => {
  it('is collected once when the sampler has rested for some seconds', () => {
    const { heap, collections } = watched();
    for (let at = 0; at < 4; at++) heap.tick(at * SECOND, true);
    expect(collections()).toBe(0);
    for (let at = 4; at < 4000; at++) heap.tick(at * SECOND, true);
    expect(collections()).toBe(1);
  });

  it('is left alone while main is sampled', () => {
    const { heap, collections } = watched();
    for (let at = 0; at < 4000; at++) heap.tick(at * SECOND, at % 5 === 0);
    expect(collections()).toBe(0);
  });

  it('is collected again after work, but not for every little', () => {
    const { heap, collections } = watched();
    for (let at = 0; at < 3600; at++) heap.tick(at * SECOND, at % 60 >= 30);
    expect(collections()).toBe(30);
  });

  it('lets go of what nobody holds, and the thread goes on', async () => {
    const held = new WeakRef({ garbage: new Array(1000).fill(0) });
    await setTimeout(1);
    collectOwnGarbage();
    for (let waited = 0; held.deref() !== undefined && waited < 5000; waited += 20) await setTimeout(20);
    expect(held.deref()).toBeUndefined();
  });
});

function watched(): { heap: OwnHeap; collections: () => number } {
  let collections = 0;
  const heap = new OwnHeap(0, () => {
    collections++;
  });
  return { heap, collections: () => collections };
}
