/**
 * Timers, histograms, counters and gauges for the program's own use. Each finds its series in shared memory on first
 * use; before start(), after stop() and where the agent is off, a call costs one comparison and does nothing. None of
 * them throws: a name or value that cannot be used is told once on stderr and ignored.
 */
import { RecordKind, SeriesKind } from '../assembly/layout';
import { nowMicros } from './clock';
import type { CoreWriter } from './core';
import { isText } from './options';
import { type Binding, currentBinding } from './registration';
import { shown } from './shown';
import { sayOnce } from './stderr';
import { tally } from './tally';
import { UNIT_MICROS } from './wire/schema';

export type Labels = Readonly<Record<string, string>>;
export type InstrumentOptions = { labels?: Labels | undefined };
export type HistogramOptions = InstrumentOptions & { unit?: string | undefined };
/** spans: each measurement also becomes an event of its own, to be seen beside samples; rings hold some thousands. */
export type TimerOptions = InstrumentOptions & { spans?: boolean | undefined };

const LABEL_PAIRS_MAX = 32;
const INT31_MAX = 0x7fff_ffff;

class Instrument {
  readonly #kind: SeriesKind;
  readonly #name: string;
  readonly #unit: string;
  readonly #labels: string[];
  readonly #usable: boolean;
  #binding: Binding = currentBinding();
  #generation = -1;
  /** Handle of the series; valid after writer() returned one. */
  protected series = 0;

  constructor(kind: SeriesKind, name: string, unit: string, labels: Labels | undefined) {
    this.#kind = kind;
    this.#name = name;
    this.#unit = unit;
    const flat = flatLabels(labels);
    this.#labels = flat ?? [];
    this.#usable = isText(name) && (unit === '' || isText(unit)) && flat !== null && labelsUsable(flat);
    if (!this.#usable) {
      sayOnce(
        'instrument',
        `an instrument's name, unit and labels must be 1 to 255 printable characters and at most ${LABEL_PAIRS_MAX} labels, got ${shown(name)}: it records nothing`,
      );
    }
  }

  protected writer(): CoreWriter | null {
    const { writer, generation } = this.#binding;
    return writer === null || generation === this.#generation ? writer : this.#bind();
  }

  #bind(): CoreWriter | null {
    this.#binding = currentBinding();
    const { writer, generation } = this.#binding;
    if (writer === null || !this.#usable) return null;
    this.series = writer.series(this.#kind, this.#name, this.#unit, this.#labels);
    this.#generation = generation;
    tally.series++;
    return writer;
  }
}

export class Histogram extends Instrument {
  constructor(name: string, { unit = '', labels }: HistogramOptions = {}) {
    super(SeriesKind.Histogram, name, unit, labels);
  }

  record(value: number): void {
    this.writer()?.record(this.series, value);
  }
}

export class Counter extends Instrument {
  constructor(name: string, { labels }: InstrumentOptions = {}) {
    super(SeriesKind.Counter, name, '', labels);
  }

  /** delta: finite and not negative. */
  add(delta = 1): void {
    if (delta >= 0 && delta < Number.POSITIVE_INFINITY) this.writer()?.add(this.series, delta);
    else sayOnce('counter', `a counter only adds finite amounts from 0 up, got ${shown(delta)}: ignored`);
  }
}

export class Gauge extends Instrument {
  constructor(name: string, { labels }: InstrumentOptions = {}) {
    super(SeriesKind.Gauge, name, '', labels);
  }

  set(value: number): void {
    this.writer()?.set(this.series, value);
  }
}

/** Durations, in a histogram of microseconds. */
export class Timer extends Instrument {
  readonly #spans: boolean;

  constructor(name: string, { labels, spans = false }: TimerOptions = {}) {
    super(SeriesKind.Histogram, name, UNIT_MICROS, labels);
    this.#spans = spans;
  }

  /** A token for stop(): a plain number, so that measuring allocates nothing. */
  start(): number {
    return this.writer() === null ? 0 : nowMicros();
  }

  /** Ends what start() began. A token of 0 (taken while the agent was off) is ignored. */
  stop(token: number): void {
    const writer = token > 0 ? this.writer() : null;
    if (writer === null) return;
    const micros = nowMicros() - token;
    if (micros < INT31_MAX) writer.recordInt(this.series, micros | 0);
    else writer.record(this.series, micros);
    if (this.#spans && writer.push(RecordKind.Span, this.series, 0, token, micros) < 0) tally.dropped++;
  }

  /** Measures a call, whether it returns or throws; with a native promise, until that settles. */
  time<T>(run: () => T): T {
    const token = this.start();
    let result: T;
    try {
      result = run();
    } catch (error) {
      this.stop(token);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.stop(token)) as T;
    this.stop(token);
    return result;
  }

  /** The same function, measured: this, arguments, result and exceptions pass through. */
  wrap<A extends unknown[], R, This>(run: (this: This, ...args: A) => R): (this: This, ...args: A) => R {
    const timer = this;
    const timed = function (this: This, ...args: A): R {
      return timer.time(() => run.apply(this, args));
    };
    return Object.defineProperties(timed, {
      name: { value: run.name, configurable: true },
      length: { value: run.length, configurable: true },
    });
  }
}

/** Sorted by key, so that the same labels are the same series however they were written; null when not readable. */
function flatLabels(labels: Labels | undefined): string[] | null {
  try {
    return Object.entries(labels ?? {})
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flat();
  } catch {
    return null;
  }
}

function labelsUsable(flat: string[]): boolean {
  return flat.length <= LABEL_PAIRS_MAX * 2 && flat.every((part) => isText(part));
}
