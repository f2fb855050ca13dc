/**
 * Timers, histograms, counters and gauges for the program's own use. Each finds its series in shared memory on first
 * use; before start(), after stop() and where the agent is off, a call costs one comparison and does nothing. None of
 * them throws, whatever it is given: what cannot be used is ignored, counted in stats().refused and told once on stderr
 * for each cause. Numbers are numbers: neither strings nor objects are converted, because that would run the host's code.
 */
import { types } from 'node:util';
import { RecordKind, SeriesKind } from '../assembly/layout';
import { nowMicros } from './clock';
import type { CoreWriter } from './core';
import { type MethodTimer, methodTimer } from './method-timer';
import { isText } from './options';
import { refuse } from './refusal';
import { type Binding, currentBinding } from './registration';
import { tally } from './tally';
import { UNIT_MICROS } from './wire/schema';

export type Labels = Readonly<Record<string, string>>;
export type InstrumentOptions = { labels?: Labels | undefined };
export type HistogramOptions = InstrumentOptions & { unit?: string | undefined };
/** spans: each measurement also becomes an event of its own, to be seen beside samples; rings hold some thousands. */
export type TimerOptions = InstrumentOptions & { spans?: boolean | undefined };

const LABEL_PAIRS_MAX = 32;
const INT31_MAX = 0x7fff_ffff;
/** Taken hold of at load: what a program may later put in its place is not ours to call. */
const promiseThen = Promise.prototype.then;

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

  constructor(kind: SeriesKind, name: string, unit: unknown, labels: unknown) {
    const flat = flatLabels(labels);
    this.#kind = kind;
    this.#name = name;
    this.#unit = typeof unit === 'string' ? unit : '';
    this.#labels = flat ?? [];
    this.#usable = isText(name) && (unit === '' || isText(unit)) && flat !== null && labelsUsable(flat);
    if (!this.#usable) {
      refuse(
        'instrument',
        `an instrument's name, unit and labels must be 1 to 255 printable characters and at most ${LABEL_PAIRS_MAX} labels`,
        name,
        'it records nothing',
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
  constructor(name: string, options?: HistogramOptions) {
    super(SeriesKind.Histogram, name, optionOf(options, 'unit') ?? '', optionOf(options, 'labels'));
  }

  /** value: any number. NaN, negative and infinite ones are counted apart, with the series. */
  record(value: number): void {
    if (typeof value === 'number') this.writer()?.record(this.series, value);
    else refuse('histogram', 'a histogram records numbers', value);
  }
}

export class Counter extends Instrument {
  constructor(name: string, options?: InstrumentOptions) {
    super(SeriesKind.Counter, name, '', optionOf(options, 'labels'));
  }

  /** delta: finite and not negative. */
  add(delta = 1): void {
    if (Number.isFinite(delta) && delta >= 0) this.writer()?.add(this.series, delta);
    else refuse('counter', 'a counter only adds finite amounts from 0 up', delta);
  }
}

export class Gauge extends Instrument {
  constructor(name: string, options?: InstrumentOptions) {
    super(SeriesKind.Gauge, name, '', optionOf(options, 'labels'));
  }

  /** value: finite. */
  set(value: number): void {
    if (Number.isFinite(value)) this.writer()?.set(this.series, value);
    else refuse('gauge', 'a gauge is set to finite numbers', value);
  }
}

/** Durations, in a histogram of microseconds. */
export class Timer extends Instrument {
  readonly #spans: boolean;

  constructor(name: string, options?: TimerOptions) {
    super(SeriesKind.Histogram, name, UNIT_MICROS, optionOf(options, 'labels'));
    this.#spans = optionOf(options, 'spans') === true;
  }

  /** A token for stop(): a plain number, so that measuring allocates nothing. */
  start(): number {
    return this.writer() === null ? 0 : nowMicros();
  }

  /** Ends what start() began. A token of 0 (taken while the agent was off) is ignored. */
  stop(token: number): void {
    const writer = token === 0 ? null : this.writer();
    if (writer === null) return;
    const micros = typeof token === 'number' && token > 0 ? nowMicros() - token : Number.NaN;
    if (micros >= 0) this.#record(writer, token, micros);
    else refuse('timer', 'a timer stops with what its start() returned', token);
  }

  /** @internal Ends a wait, which is in the mutex profile, too. stack: of waitStack(). */
  stopWait(token: number, stack: number): void {
    const writer = token === 0 ? null : this.writer();
    if (writer === null) return;
    const micros = nowMicros() - token;
    if (!(micros >= 0)) return refuse('timer', 'a wait began before it ended', token);
    this.#record(writer, token, micros);
    if (stack >= 0 && writer.push(RecordKind.Wait, this.series, stack, token, micros) < 0) tally.dropped++;
  }

  #record(writer: CoreWriter, startMicros: number, micros: number): void {
    if (micros < INT31_MAX) writer.recordInt(this.series, micros | 0);
    else writer.record(this.series, micros);
    if (this.#spans && writer.push(RecordKind.Span, this.series, 0, startMicros, micros) < 0) tally.dropped++;
  }

  /**
   * Measures a call, whether it returns or throws; with a native promise, until that settles.
   *
   * Handle the promise that time() gives back: it is one of its own that settles as the function's does, one step
   * later, as with performance.timerify. To give back the function's own promise and only watch it beside the host is
   * not possible without harm: whoever watches a promise has handled it, so that a rejection which nobody else handles
   * would no longer end the program. So the rejection travels on to the promise given back, and its fate is that one's:
   * handled where the host handles it, unhandled, with the same reason and exit code, where the host ignores it. A host
   * that keeps the function's promise elsewhere and handles only that must use start() and stop().
   *
   * Other thenables (query builders that begin when awaited, promises of another class or with properties of their
   * own) are given back untouched, and only the call is measured: `time(async () => await query)` measures all of it.
   */
  time<T>(run: () => T): T {
    if (typeof run !== 'function') {
      refuse('time', 'a timer times functions', run);
      return undefined as T;
    }
    const token = this.start();
    let result: T;
    try {
      result = run();
    } catch (error) {
      this.stop(token);
      throw error;
    }
    if (token !== 0 && isPlainPromise(result)) return this.#untilSettled(result, token) as T;
    this.stop(token);
    return result;
  }

  #untilSettled(promise: Promise<unknown>, token: number): Promise<unknown> {
    return promiseThen.call(
      promise,
      (value) => {
        this.stop(token);
        return value;
      },
      (reason) => {
        this.stop(token);
        throw reason;
      },
    );
  }

  /** The same function, measured as by time(): this, arguments, result and exceptions pass through. What is no function is given back as it is. */
  wrap<A extends unknown[], R, This>(run: (this: This, ...args: A) => R): (this: This, ...args: A) => R {
    const timer = this;
    if (typeof run !== 'function') {
      refuse('wrap', 'a timer wraps functions', run, 'given back as it is');
      return run;
    }
    const timed = function (this: This, ...args: A): R {
      return timer.time(() => Reflect.apply(run, this, args));
    };
    for (const property of ['name', 'length']) copyProperty(run, timed, property);
    return timed;
  }

  /** The same as a decorator of a method, standard or experimental: `@queries.method`, `@(timer('db.query').method)`. */
  get method(): MethodTimer {
    return methodTimer((method) => this.wrap(method));
  }
}

/** Options may be null, a primitive or have getters that throw: those that cannot be read are false, which is no unit and no labels. */
export function optionOf(options: object | null | undefined, name: string): unknown {
  try {
    return (options as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return false;
  }
}

/** Options of an instrument that is one of several of the same thing: with a label that names it. */
export function labelled(
  options: InstrumentOptions | null | undefined,
  label: string,
  name: string,
): InstrumentOptions {
  const labels = optionOf(options, 'labels');
  if (labels === undefined || labels === null) return { labels: { [label]: name } };
  if (typeof labels !== 'object' || Array.isArray(labels)) return { labels: labels as Labels };
  try {
    return { labels: { ...(labels as Labels), [label]: name } };
  } catch {
    // Refused by the instrument, as it cannot read them either.
    return { labels: labels as Labels };
  }
}

/** Sorted by key, so that the same labels are the same series however they were written; null when not readable. */
export function flatLabels(labels: unknown): string[] | null {
  if (labels === undefined || labels === null) return [];
  if (typeof labels !== 'object' || Array.isArray(labels)) return null;
  try {
    return Object.entries(labels as Labels)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flat();
  } catch {
    return null;
  }
}

export function labelsUsable(flat: string[]): boolean {
  return flat.length <= LABEL_PAIRS_MAX * 2 && flat.every((part) => isText(part));
}

/** A native promise that another one can stand in for. Own symbols do not count: async_hooks leaves some. Never throws. */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  try {
    return (
      types.isPromise(value) &&
      Object.getPrototypeOf(value) === Promise.prototype &&
      Object.getOwnPropertyNames(value).length === 0
    );
  } catch {
    return false;
  }
}

function copyProperty(from: object, to: object, name: string): void {
  try {
    Object.defineProperty(to, name, Object.getOwnPropertyDescriptor(from, name)!);
  } catch {
    // A function that hides its name is measured without one.
  }
}
