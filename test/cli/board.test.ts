import { describe, expect, it } from 'vitest';
import { Board } from '../../collector/cli/board';
import { NOON_MILLIS, STALLED, second } from './tail-fixtures';

describe('what the live view remembers', () => {
  it('adds up losses and keeps the newest stalls first', () => {
    const board = new Board();
    board.add(STALLED);
    board.add({ ...STALLED, stalls: STALLED.stalls.map((stall) => ({ ...stall, forMillis: 999 })) });
    const [entry] = board.entries(NOON_MILLIS);
    expect(entry?.lost).toEqual(new Map([['ring-full', 34]]));
    expect(entry?.stalls.map((stall) => stall.forMillis)).toEqual([999, 352]);
  });

  it('is bounded: the instance that was silent longest gives way', () => {
    const board = new Board();
    for (let i = 0; i < 200; i++) board.add(second({ instance: `i${i}`, atMillis: NOON_MILLIS + i }));
    const names = board.entries(NOON_MILLIS).map((entry) => entry.instance);
    expect(names).toHaveLength(64);
    expect(names).toContain('i199');
    expect(names).not.toContain('i0');
  });
});
