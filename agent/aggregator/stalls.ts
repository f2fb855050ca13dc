/**
 * Stalls that are over, from what revealed them to the event that names their stack. Two things reveal them: an answer
 * that came late, and a row of busy ticks in which the loop did not turn. The first sees every stall that a ping fell
 * into, the second those between two pings. V8's samples and our pings are on one clock, so what ran during a stall is
 * what was sampled during it; a stall waits here for those ticks.
 *
 * From STALL_TIERS_MILLIS[0] on a stall counts. All are counted and summed by stack; so many a second leave as events.
 */
import { SampleState } from '../../assembly/layout';
import { STALL_BRIEF, STALL_TIERS_MILLIS } from '../wire/event-loop';
import { EVENT_STALL, type EventTuple, HANG_BLOCKED, HANG_JS, HANG_UNKNOWN } from '../wire/schema';
import { BusyRuns } from './busy-runs';
import type { LoopTurns } from './loop-turns';
import type { TickWindow } from './profile-reader';
import type { Culprit } from './recent-windows';
import type { Sampling } from './sampling';

/** A stall waits so long for the window that covers it, which is cut for it, µs. */
const PATIENCE_MICROS = 2e6;
/** One that is no hang waits for its window without cutting it, µs. */
const UNSURE_PATIENCE_MICROS = 12e6;
const WAITING_MAX = 256;
/** Stalls told last, lest they be told again. */
const TOLD_MAX = 64;
/** Brief stalls that leave as events, in so long, µs. */
const BRIEF_EVENTS_MAX = 10;
const BRIEF_EVENTS_MICROS = 1e6;

/** kind: a HANG_* or 0. startMicros: when the ping left. turnedMicros: when the loop was last known to turn. */
export type Stall = { kind: number; startMicros: number; durationMicros: number; turnedMicros: number };

export type StallHost = {
  sampling: Pick<Sampling, 'recent' | 'state' | 'intervalMicros' | 'cut' | 'culprit'>;
  turns: LoopTurns;
  entryOf(stack: number): number;
  /** asEvent: whether it may leave as an event; it counts in any case. */
  tell(event: EventTuple, asEvent: boolean): void;
};

type Span = { startMicros: number; endMicros: number };

export class Stalls {
  /** What is shorter is no stall, µs. */
  readonly leastMicros: number;
  readonly #runs: BusyRuns;
  #waiting: (Stall & { foundMicros: number })[] = [];
  #told: Span[] = [];
  #briefCount = 0;
  #briefSinceMicros = 0;

  /** stallMicros: from here on it is a hang. */
  constructor(
    readonly stallMicros: number,
    readonly host: StallHost,
  ) {
    this.leastMicros = Math.min(stallMicros, STALL_TIERS_MILLIS[0] * 1000);
    this.#runs = new BusyRuns(host.entryOf);
  }

  add(stall: Stall, nowMicros: number): void {
    if (this.#waiting.length >= WAITING_MAX) this.#leave(this.#waiting.shift()!, false);
    this.#waiting.push({ ...stall, foundMicros: nowMicros });
  }

  /** Those whose ticks are in, or that waited long enough, leave. */
  join(nowMicros: number): void {
    if (this.#waiting.length === 0) return;
    const { sampling } = this.host;
    this.#waiting = this.#waiting.filter((stall) => {
      const covered = sampling.recent.covers(stall.startMicros + stall.durationMicros);
      const sure = stall.durationMicros >= this.stallMicros;
      const patience = sure ? PATIENCE_MICROS : UNSURE_PATIENCE_MICROS;
      if (!covered && nowMicros - stall.foundMicros < patience && sampling.state === 'on') {
        if (sure) sampling.cut();
        return true;
      }
      this.#leave(stall, covered);
      return false;
    });
  }

  /** A window is in, after join(): what no ping fell into is found in it. */
  look(window: TickWindow, periodMicros: number): void {
    for (const run of this.#runs.add(window, periodMicros, this.leastMicros)) {
      const turned = this.host.turns.within(run.startMicros, run.endMicros);
      let from = run.startMicros;
      for (const to of [...turned, run.endMicros]) {
        this.#found({ startMicros: from, endMicros: to });
        from = to;
      }
    }
  }

  /** Stack ids are void from here on. */
  clear(): void {
    this.#runs.clear();
  }

  #found(span: Span): void {
    const { startMicros, endMicros } = span;
    const known = (other: Span) => other.startMicros < endMicros && other.endMicros > startMicros;
    const waits = this.#waiting.some((stall) =>
      known({ startMicros: stall.turnedMicros, endMicros: stall.startMicros + stall.durationMicros }),
    );
    if (endMicros - startMicros < this.leastMicros || waits || this.#told.some(known)) return;
    if (this.#isOneTurn(startMicros, endMicros)) this.#tell(span, 0);
  }

  /**
   * A ping leaves some time into a stall: the stall began after the last idle tick since the loop last turned, if that
   * time and the wait for the answer were one turn. A busy loop of short turns has no idle ticks either.
   */
  #leave({ kind, startMicros, durationMicros, turnedMicros }: Stall, covered: boolean): void {
    const endMicros = startMicros + durationMicros;
    const { sampling } = this.host;
    const began = covered ? sampling.recent.lastIdleMicros(turnedMicros, startMicros) : startMicros;
    const start = this.#isOneTurn(began, endMicros) ? began : startMicros;
    if (endMicros - start >= this.leastMicros) this.#tell({ startMicros: start, endMicros }, kind);
  }

  #isOneTurn(startMicros: number, endMicros: number): boolean {
    const { sampling, turns } = this.host;
    return turns.isOneTurn(startMicros, endMicros, (from, to) =>
      sampling.recent.busyMicros(from, to, sampling.intervalMicros),
    );
  }

  #tell(span: Span, kind: number): void {
    const { startMicros, endMicros } = span;
    const durationMicros = endMicros - startMicros;
    const culprit = this.host.sampling.culprit(startMicros, endMicros);
    const isBrief = durationMicros < this.stallMicros;
    this.#told.push(span);
    if (this.#told.length > TOLD_MAX) this.#told.shift();
    const event: EventTuple = [
      EVENT_STALL,
      0,
      startMicros,
      durationMicros,
      kind || kindOf(culprit),
      isBrief ? STALL_BRIEF : 0,
      culprit.stack,
    ];
    this.host.tell(event, !isBrief || this.#mayLeave(endMicros));
  }

  #mayLeave(atMicros: number): boolean {
    if (Math.abs(atMicros - this.#briefSinceMicros) >= BRIEF_EVENTS_MICROS) {
      this.#briefSinceMicros = atMicros;
      this.#briefCount = 0;
    }
    return ++this.#briefCount <= BRIEF_EVENTS_MAX;
  }
}

function kindOf({ ticks, state }: Culprit): number {
  if (ticks === 0) return HANG_UNKNOWN;
  return state === SampleState.Blocked ? HANG_BLOCKED : HANG_JS;
}
