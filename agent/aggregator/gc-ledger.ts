/**
 * Every collection on its way to the wire. Short minor ones leave at once. Those that people ask about, major ones and
 * long ones, wait for the window of their time, because V8 gives collection no stack: theirs is what ran within two
 * sampling periods of them, with no rest of the loop between. Pauses also teach the baseline what is usual; one far
 * beyond it is told.
 */
import { gcTypeOf } from '../wire/gc';
import { EVENT_GC, type EventTuple } from '../wire/schema';
import type { OwnSeries } from './own-series';
import { PauseBaseline, type PauseLimits } from './pause-baseline';
import type { Sampling } from './sampling';

/** From here on a pause is long, whatever is usual, µs. */
const LONG_MICROS = 5e3;
/** A pause of so many times the limit is told. */
const EXCESS = 3;
/** Pauses are told at most so often, µs. */
const TELL_AGAIN_MICROS = 30e6;
/** Collections that wait for their window, and for how long, µs. */
const WAITING_MAX = 256;
const PATIENCE_MICROS = 12e6;
/** How far from a collection its stack is looked for, sampling periods. */
const NEIGHBOUR_PERIODS = 2;
const KIBIBYTE = 1024;

export type GcHost = {
  sampling: Pick<Sampling, 'recent' | 'state' | 'intervalMicros'>;
  own: OwnSeries;
  tell(event: EventTuple): void;
  /** A pause far beyond what is usual: `times` its limit. */
  onExcess(event: EventTuple, times: number, limits: PauseLimits): void;
  /** Heap that objects use, as of the last look, and what they own outside it, bytes. */
  heapUsedBytes(): number;
  externalBytes(): number;
  rssBytes(): number;
};

export class GcLedger {
  readonly baseline = new PauseBaseline();
  readonly #listeners = new Set<(event: EventTuple) => void>();
  #waiting: EventTuple[] = [];
  #toldMicros = Number.NEGATIVE_INFINITY;

  constructor(readonly host: GcHost) {}

  /** Every collection from now on, in order, before its stack is known. Gives how to end it. */
  listen(listener: (event: EventTuple) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** a: perf_hooks' kind, b: its flags. */
  collection(threadId: number, startMicros: number, durationMicros: number, a: number, b: number): void {
    const event: EventTuple = [EVENT_GC, threadId, startMicros, durationMicros, a, b, 0];
    for (const listener of this.#listeners) listener(event);
    const type = gcTypeOf(a);
    const limits = this.baseline.limits(type);
    this.baseline.add(type, durationMicros);
    const times = limits === null ? 0 : durationMicros / limits.p95;
    if (
      durationMicros >= LONG_MICROS &&
      times >= EXCESS &&
      startMicros - this.#toldMicros > TELL_AGAIN_MICROS
    ) {
      this.#toldMicros = startMicros;
      this.host.onExcess(event, times, limits!);
    }
    const asked = type === 'major' || durationMicros >= LONG_MICROS || times >= EXCESS;
    if (asked && threadId === 0 && this.#waiting.length < WAITING_MAX) this.#waiting.push(event);
    else this.host.tell(event);
  }

  /** The heap in the turn after a major collection, KiB. */
  heapAfterMajor(usedKibibytes: number, committedKibibytes: number): void {
    const { own, externalBytes, rssBytes } = this.host;
    own.majorMemory({
      used: usedKibibytes * KIBIBYTE,
      committed: committedKibibytes * KIBIBYTE,
      external: externalBytes(),
      rss: rssBytes(),
    });
  }

  /** To be called now and then: the baseline looks at the heap when that is due. */
  sample(nowMicros: number): void {
    if (!this.baseline.sample(nowMicros, this.host.heapUsedBytes())) return;
    for (const type of ['minor', 'major']) {
      const limits = this.baseline.limits(type);
      if (limits !== null) this.host.own.baseline(type, limits);
    }
  }

  /** Those whose window is in, or that waited long enough, leave. */
  join(nowMicros: number): void {
    if (this.#waiting.length === 0) return;
    const { sampling, tell } = this.host;
    const slackMicros = NEIGHBOUR_PERIODS * sampling.intervalMicros;
    this.#waiting = this.#waiting.filter((event) => {
      const [, , startMicros, durationMicros] = event;
      const endMicros = startMicros + durationMicros;
      const covered = sampling.recent.covers(endMicros + slackMicros);
      if (!covered && sampling.state === 'on' && nowMicros - endMicros < PATIENCE_MICROS) return true;
      event[6] = sampling.recent.neighbour(startMicros, endMicros, slackMicros);
      tell(event);
      return false;
    });
  }
}
