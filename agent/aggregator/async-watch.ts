/**
 * When asynchronous resources are followed: for good where that is cheap or wanted, else in windows that a request opens.
 * Once a second what it costs is held against the budget; over it, hooks go off, and that is told. How many resources
 * the runtime counts by type, and what looks like a leak, is told all the time.
 */
import { AsyncBit, AsyncCell, AsyncWord } from '../../assembly/layout';
import type { AsyncPage } from '../thread-data';
import { AsyncBudget } from './async-budget';
import { AsyncLints } from './async-lints';
import { AsyncPageReader } from './async-page';

/** After hooks have gone off by themselves they are tried again so much later, µs. */
const RETRY_MICROS = 600e6;
/** Who has not proven the token may have windows of so long in twice the time, µs. */
const UNPROVEN_MICROS = 60e6;
/** Main does what is wanted within so long, unless it hangs, ms. */
const ANSWER_MILLIS = 500;
const POLL_MILLIS = 10;

export type AsyncWatchHost = {
  page: AsyncPage;
  budgetPercent: number;
  nowMicros(): number;
  /** Makes main look at what is wanted. */
  wake(): void;
  note(text: string): void;
  /** Sets nodejs.active_resources of a type. */
  gauge(type: string, count: number): void;
};

export class AsyncWatch {
  readonly page: AsyncPageReader;
  readonly #host: AsyncWatchHost;
  readonly #budget: AsyncBudget;
  readonly #lints: AsyncLints;
  /** Windows that requests have opened, each until then, µs. */
  readonly #windows = new Set<{ untilMicros: number }>();
  #windowBits = 0;
  /** Since when hooks are off although they should stay on, µs; 0 while they are not. */
  #offSinceMicros = 0;
  #unprovenLeftMicros = UNPROVEN_MICROS;
  #secondAtMicros: number;
  #before = { events: 0, captures: 0, captureMicros: 0, generation: 0, looks: 0 };
  #gauges = new Set<string>();
  /** Of the hooks' calls so far, µs: what the callbacks themselves do not measure. */
  eventMicros = 0;
  /** Why hooks went off by themselves last, or ''. */
  offReason = '';

  constructor(host: AsyncWatchHost) {
    this.#host = host;
    this.page = new AsyncPageReader(host.page.buffer);
    this.#budget = new AsyncBudget(host.budgetPercent);
    this.#lints = new AsyncLints(this.page, host.note);
    this.#secondAtMicros = host.nowMicros();
    this.#want();
  }

  get state(): number {
    return this.page.word(AsyncWord.State);
  }

  /** Since when resources are followed, µs; 0 while they are not. */
  get sinceMicros(): number {
    return (this.state & AsyncBit.Hooks) === 0 ? 0 : this.page.cell(AsyncCell.SinceMicros);
  }

  /** What looks like a leak now, a sentence each. */
  get findings(): readonly string[] {
    return this.#lints.findings;
  }

  everySecond(nowMicros: number): void {
    const seconds = (nowMicros - this.#secondAtMicros) / 1e6;
    this.#secondAtMicros = nowMicros;
    this.#unprovenLeftMicros = Math.min(UNPROVEN_MICROS, this.#unprovenLeftMicros + seconds * 0.5e6);
    this.#closeWindows(nowMicros);
    if (this.#offSinceMicros !== 0 && nowMicros - this.#offSinceMicros > RETRY_MICROS) this.#retry();
    if (this.state & AsyncBit.Hooks) this.#holdBudget(seconds, nowMicros);
    if (this.page.word(AsyncWord.Looks) !== this.#before.looks) this.#tellActive();
    this.#lints.everySecond(nowMicros, this.state);
  }

  /**
   * Has resources and their waits followed for so long, or until the asker has gone, promises too where they may be;
   * resolves when main does, or after a moment when it hangs. false: not granted, because windows have had their share
   * of the time.
   */
  async open(micros: number, proven: boolean, signal: AbortSignal): Promise<boolean> {
    const now = this.#host.nowMicros();
    const more = Math.max(0, now + micros - Math.max(now, this.#windowUntilMicros));
    if (!proven && more > this.#unprovenLeftMicros) return false;
    if (!proven) this.#unprovenLeftMicros -= more;
    this.#windowBits = AsyncBit.Hooks | AsyncBit.Waits | AsyncBit.Promises;
    const window = { untilMicros: now + micros };
    this.#windows.add(window);
    signal.addEventListener('abort', () => {
      if (this.#windows.delete(window) && this.#windows.size === 0) this.#endWindows();
    });
    if (!this.#host.page.stayOn) this.offReason = '';
    this.#refill(this.#budget.quota(true));
    this.#want();
    await this.#until(() => (this.state & (AsyncBit.Waits | AsyncBit.Refused)) !== 0);
    return true;
  }

  /** Has main count its active resources, unless it hangs or has just done so. */
  async look(): Promise<void> {
    const looks = this.page.word(AsyncWord.Looks);
    const asked = this.page.word(AsyncWord.LookWanted) + 1;
    this.page.setWord(AsyncWord.LookWanted, asked);
    this.#host.wake();
    await this.#until(() => this.page.word(AsyncWord.Looks) !== looks, ANSWER_MILLIS / 5);
  }

  #want(): void {
    const steady = this.#host.page.stayOn && this.#offSinceMicros === 0 ? AsyncBit.Hooks : 0;
    const wanted = steady | this.#windowBits;
    if (this.page.word(AsyncWord.Wanted) === wanted) return;
    this.page.setWord(AsyncWord.Wanted, wanted);
    this.#host.wake();
  }

  get #windowUntilMicros(): number {
    return Math.max(0, ...Array.from(this.#windows, ({ untilMicros }) => untilMicros));
  }

  #closeWindows(nowMicros: number): void {
    if (this.#windows.size === 0) return;
    if (nowMicros >= this.#windowUntilMicros) return this.#endWindows();
    for (const window of this.#windows) if (nowMicros >= window.untilMicros) this.#windows.delete(window);
  }

  #endWindows(): void {
    this.#windows.clear();
    this.#windowBits = 0;
    this.#budget.reset();
    this.#want();
  }

  #retry(): void {
    this.#offSinceMicros = 0;
    this.offReason = '';
    this.#budget.reset();
    this.#want();
  }

  #holdBudget(seconds: number, nowMicros: number): void {
    const { page } = this;
    const now = {
      events: page.word(AsyncWord.Events),
      captures: page.word(AsyncWord.Captures),
      captureMicros: page.cell(AsyncCell.CaptureMicros),
      generation: page.word(AsyncWord.Generation),
      looks: this.#before.looks,
    };
    const before = this.#before;
    this.#before = now;
    const promises = (this.state & AsyncBit.Promises) !== 0;
    const spent = {
      seconds,
      events: (now.events - before.events) >>> 0,
      captures: (now.captures - before.captures) >>> 0,
      captureMicros: now.captureMicros - before.captureMicros,
    };
    this.eventMicros += this.#budget.eventMicros(spent.events, promises);
    const allowance = this.#budget.observe(spent, this.#windowBits !== 0, promises);
    this.#refill(allowance.quota);
    if (!allowance.over) return;
    const rate = Math.round(spent.events / seconds);
    const percent = allowance.costPercent.toFixed(1);
    this.offReason = `asynchronous resources are no longer followed: ${rate} events of them a second cost ${percent} % of a core`;
    this.#host.note(this.offReason);
    if (this.#host.page.stayOn) this.#offSinceMicros = nowMicros;
    this.#endWindows();
  }

  #refill(quota: number): void {
    this.page.setWord(AsyncWord.Quota, quota);
    this.page.setWord(AsyncWord.Refill, this.page.word(AsyncWord.Refill) + 1);
  }

  #tellActive(): void {
    this.#before.looks = this.page.word(AsyncWord.Looks);
    const active = this.page.active();
    for (const type of this.#gauges) if (!active.has(type)) this.#host.gauge(type, 0);
    for (const [type, count] of active) {
      this.#gauges.add(type);
      this.#host.gauge(type, count);
    }
  }

  async #until(done: () => boolean, millis = ANSWER_MILLIS): Promise<void> {
    const deadlineMicros = this.#host.nowMicros() + millis * 1000;
    while (!done() && this.#host.nowMicros() < deadlineMicros)
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}
