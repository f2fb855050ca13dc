import { describe, expect, it } from 'vitest';
import { StackSums } from '../../../agent/aggregator/stack-sums';
import { TurnWaits } from '../../../agent/aggregator/turn-waits';
import { WaitBits } from '../../../assembly/layout';

const bitsOf = (stack: number, shift: number) => (stack << WaitBits.StackShift) | shift;
const seen = (sums: StackSums) =>
  [...sums].map(({ label, frames, count, amount }) => [
    label,
    frames.map(({ name }) => name).join(';'),
    count,
    amount,
  ]);

describe('waits for a turn', () => {
  it('are summed by stack, each for as many as it stands for, also those read before their stack is known', () => {
    const sums = new StackSums();
    const waits = new TurnWaits(sums);
    waits.add('pool a', bitsOf(1, 3), 10);
    waits.add('pool b', bitsOf(1, 0), 1);
    expect(seen(sums)).toEqual([]);
    waits.define({
      waitStack: 1,
      frames: [
        ['main', '/a.js', 1],
        ['asks', '/a.js', 2],
      ],
    });
    waits.add('pool a', bitsOf(1, 0), 5);
    waits.add('pool a', bitsOf(0, 1), 7);
    expect(seen(sums)).toEqual([
      ['pool a', 'main;asks', 9, 85],
      ['pool b', 'main;asks', 1, 1],
      ['pool a', '(no stack taken)', 2, 14],
    ]);
  });

  it('of a stack that never comes are kept in bounds, and then counted without', () => {
    const sums = new StackSums();
    const waits = new TurnWaits(sums);
    for (let i = 0; i < 3000; i++) waits.add('port p', bitsOf(9, 0), 1);
    expect(seen(sums)).toEqual([['port p', '(no stack taken)', 1976, 1976]]);
    waits.define({ waitStack: 9, frames: [['late', '', 0]] });
    expect(seen(sums)).toContainEqual(['port p', 'late', 1024, 1024]);
  });
});
