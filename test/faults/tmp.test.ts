import { it } from 'vitest';
import { explore } from './model/explore-debug';
import { histogramModel } from './model/histogram-model';
it('x', () => {
  for (const [values, snapshots] of [[[12], 1], [[12, 11], 1], [[12,11],2], [[5,35],1], [[5, 35], 2], [[12, 11, 31], 1]] as [number[], number][]) {
    const t = performance.now();
    const r = explore(histogramModel({ values, snapshots, mutation: 'none' }));
    console.log(JSON.stringify(values), snapshots, JSON.stringify(r), Math.round(performance.now() - t));
  }
});
