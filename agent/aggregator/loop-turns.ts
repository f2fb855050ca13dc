/**
 * When the event loop is known to have turned, and how often it did between: each answered ping is a turn and brings
 * libuv's count of them. That tells a row of busy ticks that is one long turn from a row of many short ones.
 */
const PONGS_MAX = 512;
/** Share of a new interval in the usual rate of turns: some ten seconds of pings. */
const RATE_SHARE = 0.02;
/** So few turns cannot fill a row of busy ticks without one of them being long. */
const FEW_TURNS = 4;
/** What the expected number of turns may be off by. */
const TURNS_SLACK = 3;
/** Share of a long turn that must be missing from the turns of its time. */
const MISSING_SHARE = 0.75;

type Pong = { atMicros: number; turns: number };

export class LoopTurns {
  #pongs: Pong[] = [];
  /** Turns a µs, as usual. */
  #rate = Number.NaN;

  /** A ping was answered. turns: libuv's count so far; 0 where the runtime does not tell. */
  add(atMicros: number, turns: number): void {
    const last = this.#pongs.at(-1);
    if (last !== undefined && atMicros > last.atMicros) {
      const rate = (turns - last.turns) / (atMicros - last.atMicros);
      this.#rate = Number.isNaN(this.#rate) ? rate : this.#rate + (rate - this.#rate) * RATE_SHARE;
    }
    this.#pongs.push({ atMicros, turns });
    if (this.#pongs.length > PONGS_MAX) this.#pongs.shift();
  }

  /** The times in (from, to) at which a ping was answered. */
  within(from: number, to: number): number[] {
    return this.#pongs
      .filter(({ atMicros }) => atMicros > from && atMicros < to)
      .map(({ atMicros }) => atMicros);
  }

  /**
   * Whether [from, to], in which the loop was busy and answered no ping, was most of it one turn: few turns were made
   * around it at all, or fewer than usual by what so long a turn keeps from happening. False where nobody counted.
   */
  isOneTurn(from: number, to: number): boolean {
    const before = this.#pongs.findLast(({ atMicros }) => atMicros <= from);
    const after = this.#pongs.find(({ atMicros }) => atMicros >= to);
    if (before === undefined || after === undefined || after.turns === 0) return false;
    const turns = after.turns - before.turns;
    if (turns <= FEW_TURNS) return true;
    const left = after.atMicros - before.atMicros - (to - from) * MISSING_SHARE;
    return turns <= this.#rate * left + TURNS_SLACK;
  }
}
