import { describe, expect, it } from 'vitest';
import { ListenerLints } from '../../../agent/aggregator/listener-lints';

describe('listeners that become more', () => {
  it('are told at once, then how many such emitters there were, every ten minutes', () => {
    const notes: string[] = [];
    const lints = new ListenerLints((text) => notes.push(text));
    lints.add('11 data listeners added to [Socket]', 0);
    lints.add('11 data listeners added to [Socket]', 1e6);
    lints.add('11 abort listeners added to [AbortSignal]', 2e6);
    lints.everySecond(3e6);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toBe('listeners become more and none is removed: 11 data listeners added to [Socket]');
    lints.everySecond(601e6);
    lints.everySecond(602e6);
    lints.everySecond(1300e6);
    expect(notes.slice(2)).toEqual([
      'listeners become more and none is removed (2 such emitters): 11 data listeners added to [Socket]',
    ]);
    expect(lints.findings).toHaveLength(2);
  });

  it('are of so many kinds at most', () => {
    const lints = new ListenerLints(() => {});
    for (let i = 0; i < 1000; i++) lints.add(`kind ${i}`, 0);
    expect(lints.findings).toHaveLength(65);
    expect(lints.findings.at(-1)).toContain('(936 such emitters): of other kinds');
  });
});
