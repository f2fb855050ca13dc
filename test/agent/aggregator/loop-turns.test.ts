import { describe, expect, it } from 'vitest';
import { LoopTurns } from '../../../agent/aggregator/loop-turns';

const MS = 1000;
const PING_MILLIS = 150;

/** The same for the same seed, 0..1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

type Turn = { fromMillis: number; toMillis: number };

/**
 * A loop whose turns take so long each, with rests between, and one long turn every second; pings are answered by the
 * first turn after they were sent. Gives the long turns, and the answers to LoopTurns.
 */
function simulate(seed: number, turnMillis: number, restMillis: number, longMillis: number) {
  const random = seeded(seed);
  const loop = new LoopTurns();
  const turns: Turn[] = [];
  const long: Turn[] = [];
  let [at, nextPing, nextLong] = [0, 0, 500];
  while (at < 20_000) {
    const isLong = longMillis > 0 && at >= nextLong;
    const length = isLong ? longMillis : turnMillis * (0.5 + random());
    const turn = { fromMillis: at, toMillis: at + length };
    turns.push(turn);
    if (isLong) {
      long.push(turn);
      nextLong += 1000;
    }
    at = turn.toMillis;
    if (at >= nextPing) {
      loop.add(at * MS, turns.length + 1);
      turns.push({ fromMillis: at, toMillis: at });
      nextPing = at + PING_MILLIS;
    }
    at += restMillis * (0.5 + random());
  }
  const busyMicros = (from: number, to: number) =>
    turns.reduce(
      (sum, turn) =>
        sum + Math.max(0, Math.min(to, turn.toMillis * MS) - Math.max(from, turn.fromMillis * MS)),
      0,
    );
  const isOneTurn = ({ fromMillis, toMillis }: Turn) =>
    loop.isOneTurn(fromMillis * MS, toMillis * MS, busyMicros);
  return { loop, turns, long, isOneTurn };
}

/** Rows of short turns between two answers that take `millis` together: what busy ticks cannot tell from one turn. */
function rows(loop: LoopTurns, turns: readonly Turn[], millis: number): Turn[] {
  const found: Turn[] = [];
  for (let first = 0; first < turns.length; first++) {
    const { fromMillis } = turns[first]!;
    const last = turns.findIndex((turn, index) => index > first && turn.toMillis - fromMillis >= millis);
    if (last < 0) break;
    const row = { fromMillis, toMillis: turns[last]!.toMillis };
    if (last - first > 1 && loop.within(row.fromMillis * MS, row.toMillis * MS).length === 0) found.push(row);
    first = last;
  }
  return found;
}

describe('LoopTurns', () => {
  it.each([
    ['rests most of the time', 1, 40],
    ['works half of the time', 2, 2],
    ['turns thousands of times', 0.2, 0.2],
  ])('knows a long turn of a loop that %s', (_what, turnMillis, restMillis) => {
    const { long, isOneTurn } = simulate(7, turnMillis, restMillis, 80);
    const known = long.slice(1, -1).filter(isOneTurn);
    expect(known.length / (long.length - 2)).toBeGreaterThan(0.85);
  });

  it.each([1, 5, 12, 20])('takes a row of turns of %s ms for what it is', (turnMillis) => {
    const { loop, turns, isOneTurn } = simulate(11, turnMillis, 0, 0);
    const short = rows(loop, turns, 60);
    expect(short.length).toBeGreaterThan(50);
    const mistaken = short.filter(isOneTurn);
    expect(mistaken.length / short.length).toBeLessThan(0.1);
  });

  it('claims nothing where the runtime does not count, or no answer is near', () => {
    const loop = new LoopTurns();
    expect(loop.isOneTurn(100 * MS, 200 * MS, () => 0)).toBe(false);
    loop.add(50 * MS, 0);
    loop.add(250 * MS, 0);
    expect(loop.isOneTurn(100 * MS, 200 * MS, () => 0)).toBe(false);
    expect(loop.within(40 * MS, 250 * MS)).toEqual([50 * MS]);
  });
});
