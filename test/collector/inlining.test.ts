import { describe, expect, it } from 'vitest';
import { inliningComments } from '../../collector/profile/inlining';

const comments = (nodeVersion: string, repairedTicks: number, unnamedTicks: number) =>
  inliningComments({ jsTicks: 200, repairedTicks, unnamedTicks }, nodeVersion);

describe('comments on inlining', () => {
  it('tell what was repaired and, where there is any, what cannot be named', () => {
    expect(comments('v20.20.0', 3, 0)).toEqual(['inlined leaves repaired: 1.5 % of JS ticks']);
    expect(comments('v26.1.0', 3, 1)).toEqual([
      'inlined leaves repaired: 1.5 % of JS ticks; 0.5 % stand under the caller of a function that cannot be named',
    ]);
  });

  it('tell that nothing had to be repaired, and nothing at all where V8 names what it inlined', () => {
    for (const nodeVersion of ['v20.20.0', 'v24.1.0', ''])
      expect(comments(nodeVersion, 0, 0)).toEqual([
        'inlined leaves repaired: 0.0 % of JS ticks (none was seen that needs it)',
      ]);
    for (const nodeVersion of ['v26.0.0', 'v27.3.1']) expect(comments(nodeVersion, 0, 0)).toEqual([]);
  });
});
