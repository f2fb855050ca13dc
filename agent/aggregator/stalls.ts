/**
 * Stalls that are over, from the late answer that revealed them to the event that names their stack. They wait here for
 * the ticks of their time: V8's samples and our pings are on one clock, so what ran during a stall is what was sampled
 * during it.
 */
import { EVENT_STALL, type EventTuple, HANG_UNKNOWN } from '../wire/schema';
import type { Sampling } from './sampling';

/** A stall waits so long for the window that covers it, which is cut for it, µs. */
const PATIENCE_MICROS = 2e6;
/** One that is a stall only together with the time before its ping waits for its window without cutting it, µs. */
const UNSURE_PATIENCE_MICROS = 12e6;

/** kind: a HANG_* or 0. startMicros: when the ping left. turnedMicros: when the loop was last known to turn. */
export type Stall = { kind: number; startMicros: number; durationMicros: number; turnedMicros: number };

export class Stalls {
  #waiting: (Stall & { foundMicros: number })[] = [];

  constructor(
    readonly stallMicros: number,
    readonly sampling: Sampling,
    readonly tell: (event: EventTuple) => void,
  ) {}

  add(stall: Stall, nowMicros: number): void {
    this.#waiting.push({ ...stall, foundMicros: nowMicros });
  }

  /** Those whose ticks are in, or that waited long enough, leave. */
  join(nowMicros: number): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((stall) => {
      const covered = this.sampling.recent.covers(stall.startMicros + stall.durationMicros);
      const sure = stall.durationMicros >= this.stallMicros;
      const patience = sure ? PATIENCE_MICROS : UNSURE_PATIENCE_MICROS;
      if (!covered && nowMicros - stall.foundMicros < patience && this.sampling.state === 'on') {
        if (sure) this.sampling.cut();
        return true;
      }
      this.#leave(stall, covered);
      return false;
    });
  }

  /** A ping leaves some time into a stall: the stall began after the last idle tick since the loop last turned. */
  #leave({ kind, startMicros, durationMicros, turnedMicros }: Stall, covered: boolean): void {
    const end = startMicros + durationMicros;
    const start = covered ? this.sampling.recent.lastIdleMicros(turnedMicros, startMicros) : startMicros;
    if (end - start < this.stallMicros) return;
    const { stack } = this.sampling.culprit(start, end);
    this.tell([
      EVENT_STALL,
      0,
      start,
      end - start,
      kind || this.sampling.hangKind(start) || HANG_UNKNOWN,
      0,
      stack,
    ]);
  }
}
