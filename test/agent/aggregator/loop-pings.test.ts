import { describe, expect, it } from 'vitest';
import { HangWatch } from '../../../agent/aggregator/hang-watch';
import { LoopPings, type PingHost } from '../../../agent/aggregator/loop-pings';
import { LoopTurns } from '../../../agent/aggregator/loop-turns';
import { ControlCell } from '../../../assembly/layout';

const STALL_MICROS = 200e3;

/** A main thread that answers when it is told to. */
function made() {
  const posted: number[] = [];
  const delays: number[][] = [];
  const ended: number[][] = [];
  const cells = new Map<ControlCell, number>();
  const page = {
    pongSequence: 0,
    sendPing: () => {},
    cell: (cell: ControlCell) => cells.get(cell) ?? 0,
  };
  const cost = { mainWaitedMicros: 0, mainCpuMicros: () => 0 };
  const hangs = new HangWatch(STALL_MICROS, STALL_MICROS, {
    cut: () => true,
    openSinceMicros: () => 0,
    kindOf: () => 0,
    tell: () => {},
    ended: (...stall) => ended.push(stall),
  });
  const pings = new LoopPings({
    page,
    cost,
    hangs,
    turns: new LoopTurns(),
    post: (sequence) => posted.push(sequence),
    onDelay: (...delay) => delays.push(delay),
  } as unknown as PingHost);
  const answer = (atMicros: number, turns: number) => {
    cells.set(ControlCell.PongAtMicros, atMicros).set(ControlCell.LoopTurns, turns);
    page.pongSequence = posted.at(-1)!;
  };
  return { pings, hangs, cost, posted, delays, ended, answer };
}

describe('pings', () => {
  it('tell how late each was answered, once', () => {
    const { pings, hangs, delays, answer } = made();
    pings.send(1000);
    pings.read();
    expect(delays).toEqual([]);
    answer(1700, 12);
    pings.read();
    pings.read();
    expect(delays).toEqual([[1700, 700, 12]]);
    expect([pings.sentAtMicros, pings.answeredAtMicros, hangs.pingAtMicros]).toEqual([1000, 1700, 0]);
  });

  it('know the answer before while a late one ends a stall', () => {
    const { pings, hangs, ended, answer } = made();
    pings.send(1000);
    answer(1100, 1);
    pings.read();
    pings.send(2000);
    let answeredBefore = 0;
    const { ended: end } = hangs.host;
    hangs.host.ended = (...stall) => {
      answeredBefore = pings.answeredAtMicros;
      end(...stall);
    };
    answer(2000 + 2 * STALL_MICROS, 2);
    pings.read();
    expect([ended.length, answeredBefore]).toEqual([1, 1100]);
  });

  it('know how long main has waited for a core since the newest', () => {
    const { pings, cost } = made();
    cost.mainWaitedMicros = 500;
    pings.send(1000);
    cost.mainWaitedMicros = 800;
    expect(pings.waitedMicros()).toBe(300);
  });

  it('that stay open at the end are a stall where they have been open for long enough', () => {
    const late = made();
    late.pings.send(1000);
    expect(late.pings.end(1000 + STALL_MICROS, STALL_MICROS)).toBe(STALL_MICROS);
    const brief = made();
    brief.pings.send(1000);
    expect(brief.pings.end(1000 + STALL_MICROS - 1, STALL_MICROS)).toBe(0);
    const answered = made();
    answered.pings.send(1000);
    answered.answer(1500, 3);
    expect(answered.pings.end(9e6, STALL_MICROS)).toBe(0);
    expect(answered.delays).toEqual([[1500, 500, 3]]);
    expect(made().pings.end(9e6, STALL_MICROS)).toBe(0);
  });
});
