/**
 * When the event loop is known to have turned, and how often it did between: each answered ping is a turn and brings
 * libuv's count of them. That tells a row of busy ticks that is one long turn from a row of many short ones.
 */
const PONGS_MAX = 512;
/** Intervals between pings that tell what is usual: the newest so many, and of their rates this quantile, because those with a long turn in them have few. */
const USUAL_INTERVALS = 96;
const USUAL_QUANTILE = 0.75;
/** One turn, give or take. */
const ONE_TURN = 1.5;
/** Up to this share of the turns that so much time usually has, what is left is put down to chance. */
const CHANCE_SHARE = 0.5;

/** A turn is long when it takes so many times the mean of those around it. */
const LONG_TIMES = 8;

type Pong = { atMicros: number; turns: number };

export class LoopTurns {
  #pongs: Pong[] = [];

  /** A ping was answered. turns: libuv's count so far; 0 where the runtime does not tell. */
  add(atMicros: number, turns: number): void {
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
   * Whether [from, to], in which the loop was busy and answered no ping, was one turn. What the loop turned in the whole
   * time between two answers, less what it usually turns in the rest of that time, must leave it no more; and it must be
   * far longer than the turns around it, because where turns are few chance would do. False where nobody counted.
   * busyMicros: how long the loop was busy between two times.
   */
  isOneTurn(from: number, to: number, busyMicros: (from: number, to: number) => number): boolean {
    const before = this.#pongs.findLast(({ atMicros }) => atMicros <= from);
    const after = this.#pongs.find(({ atMicros }) => atMicros >= to);
    if (before === undefined || after === undefined || after.turns === 0) return false;
    const lengthMicros = to - from;
    const usual = this.#usualRate(after);
    const turns = after.turns - before.turns;
    const restMicros = after.atMicros - before.atMicros - lengthMicros;
    // The answer itself was a turn, after this one.
    const inside = turns - 1 - usual * restMicros;
    if (inside > Math.max(ONE_TURN, usual * lengthMicros * CHANCE_SHARE)) return false;
    const otherMicros = Math.max(0, busyMicros(before.atMicros, after.atMicros) - lengthMicros);
    return lengthMicros * Math.max(1, turns - 1) >= otherMicros * LONG_TIMES;
  }

  /** Turns a µs before that answer. */
  #usualRate(until: Pong): number {
    const end = this.#pongs.indexOf(until);
    const rates: number[] = [];
    for (let index = Math.max(1, end - USUAL_INTERVALS); index <= end; index++) {
      const [last, next] = [this.#pongs[index - 1]!, this.#pongs[index]!];
      const spanMicros = next.atMicros - last.atMicros;
      if (spanMicros > 0) rates.push((next.turns - last.turns) / spanMicros);
    }
    rates.sort((a, b) => a - b);
    return rates[Math.floor(rates.length * USUAL_QUANTILE)] ?? 0;
  }
}
