/**
 * Pings to main and what comes of their answers: the loop's delay, its turns, and how long main had waited for a core
 * when one left. One is open at a time; whether one that stays open is a hang is for hang-watch.ts to tell.
 */
import { ControlCell } from '../../assembly/layout';
import type { Cost } from './cost';
import type { HangWatch } from './hang-watch';
import type { LoopTurns } from './loop-turns';
import type { MainPage } from './main-page';

/** onDelay: how late an answer was, µs, when it came, and the loop's turns by then. */
export type PingHost = {
  page: MainPage;
  hangs: HangWatch;
  turns: LoopTurns;
  cost: Cost;
  post(sequence: number): void;
  onDelay(atMicros: number, delayMicros: number, turns: number): void;
};

export class LoopPings {
  /** When the newest left, µs. */
  sentAtMicros = 0;
  /** When the newest answer came, µs. */
  answeredAtMicros = 0;
  readonly #host: PingHost;
  #sequence = 0;
  #waitedMicros = 0;

  constructor(host: PingHost) {
    this.#host = host;
  }

  send(nowMicros: number): void {
    const { page, hangs, cost, post } = this.#host;
    this.sentAtMicros = nowMicros;
    this.#waitedMicros = cost.mainWaitedMicros;
    page.sendPing(++this.#sequence, nowMicros);
    hangs.pinged(nowMicros);
    post(this.#sequence);
  }

  /** How long main has waited for a core since the newest ping left, µs. */
  waitedMicros(): number {
    const { cost } = this.#host;
    cost.mainCpuMicros();
    return cost.mainWaitedMicros - this.#waitedMicros;
  }

  /** Looks whether the open ping has been answered. */
  read(): void {
    const { page, hangs, turns, onDelay } = this.#host;
    if (hangs.pingAtMicros === 0 || page.pongSequence !== this.#sequence) return;
    const atMicros = page.cell(ControlCell.PongAtMicros);
    const turned = page.cell(ControlCell.LoopTurns);
    onDelay(atMicros, hangs.answered(atMicros), turned);
    this.answeredAtMicros = atMicros;
    turns.add(atMicros, turned);
  }

  /** Main leaves without having answered: what the loop did not turn for is over, too. Gives its delay, µs, or 0. */
  end(nowMicros: number, stallMicros: number): number {
    const { page, hangs } = this.#host;
    const { pingAtMicros } = hangs;
    if (pingAtMicros === 0) return 0;
    if (page.pongSequence === this.#sequence) {
      this.read();
      return 0;
    }
    return nowMicros - pingAtMicros >= stallMicros ? hangs.answered(nowMicros) : 0;
  }
}
