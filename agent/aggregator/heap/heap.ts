/**
 * What lives on main's heap, watched over time: V8's sampler from the agent's start, a capture on a schedule where its
 * pause fits the budget, and one when the heap comes near its limit. What captures are made of is loaded at the first.
 */
import type { AgentOptions } from '../../options';
import type { Captures } from './captures';
import { HeapSampler } from './heap-sampler';
import { LimitWatch, oldLimitBytes } from './limit-watch';
import { PauseBudget } from './pause-budget';
import { SamplingCost } from './sampling-cost';

export type HeapHost = {
  options: AgentOptions;
  /** Why the inspector must not be used, or ''. */
  refused: string;
  nowMicros(): number;
  /** As of main's last answer. */
  usedBytes(): number;
  limitBytes(): number;
  note(text: string): void;
  /** The heap is near its limit: a capture is due. */
  onNearLimit(usedBytes: number, limitBytes: number): Promise<void>;
};

/** What the loop of ticks knows of main. */
export type MainNow = {
  /** A debugger is attached. */
  foreign: boolean;
  /** Its event loop has not turned for a while, but it may be interrupted. */
  isSilent: boolean;
  hangs: boolean;
  /** CPU of main so far, µs. */
  cpuMicros: number;
};

/** Kinds of perf_hooks. */
const GC_MINOR = 1;
const GC_MAJOR = 4;
/** A start that failed is tried again after so long, µs. */
const RETRY_MICROS = 30e6;
/** Main is asked for its old space this often at the most, µs. */
const ASK_MICROS = 300e3;
/** Less CPU than this share since the last capture: the heap is what it was. */
const RESTED_SHARE = 0.002;

export class Heap {
  readonly sampler: HeapSampler;
  readonly budget = new PauseBudget();
  /** Scheduled captures that were not made, and why the last one was not. */
  skipped = { count: 0, reason: '' };
  readonly cost: SamplingCost;
  readonly #watch: LimitWatch;
  readonly #everyMicros: number;
  #captures: Promise<Captures> | null = null;
  #startAtMicros = 0;
  #dueMicros: number;
  #cpuAtDueMicros = 0;
  #askAtMicros = 0;
  #oldLimitBytes = 0;
  #busy = false;
  #failure = '';

  constructor(readonly host: HeapHost) {
    const { options, refused, nowMicros } = host;
    this.sampler = new HeapSampler(options.heapSampleBytes, nowMicros);
    this.cost = new SamplingCost(options.budgetPercent);
    this.#watch = new LimitWatch(options.heapLimitPercent);
    this.#everyMicros = options.heapEverySeconds * 1e6;
    this.#dueMicros = nowMicros() + this.#everyMicros;
    if (refused !== '' || options.heapSampleBytes === 0) this.sampler.state = 'none';
  }

  /** Why there is no heap profile, or ''. */
  get refusal(): string {
    const { refused, options } = this.host;
    if (options.heapSampleBytes === 0) return 'heap sampling is off (RINGTAIL_HEAP_SAMPLE_BYTES=0)';
    if (refused !== '') return `heap sampling is off: ${refused}`;
    if (this.sampler.state === 'foreign') return 'heap sampling stands back: a debugger is attached';
    return this.sampler.state === 'off'
      ? `heap sampling does not run: ${this.#failure || 'it starts now'}`
      : '';
  }

  /** kind: of perf_hooks. */
  sawCollection(kind: number, startMicros: number, pauseMicros: number): void {
    if (kind === GC_MINOR) this.cost.sawMinor(startMicros);
    else if (kind === GC_MAJOR) this.budget.sawMajor(pauseMicros);
  }

  captures(): Promise<Captures> {
    this.#captures ??= import('./captures.js').then(
      ({ Captures }) => new Captures(this.sampler, this.budget),
    );
    return this.#captures;
  }

  start(): void {
    if (this.sampler.state === 'none') return;
    this.#startAtMicros = this.host.nowMicros() + RETRY_MICROS;
    this.sampler.start().catch((error: Error) => {
      if (this.sampler.state !== 'foreign' && error.message !== this.#failure)
        this.host.note(`no heap sampling yet: ${error.message}`);
      this.#failure = error.message;
    });
  }

  tick(nowMicros: number, main: MainNow): void {
    const { state } = this.sampler;
    if (state === 'none') return;
    if (main.foreign && state !== 'foreign') return this.sampler.disconnect('foreign');
    if (state === 'off' || state === 'foreign') {
      if (!main.foreign && nowMicros >= this.#startAtMicros) this.start();
      return;
    }
    if (this.#busy || state !== 'live') return;
    this.#lookAtLimit(nowMicros, main);
    if (this.cost.isDue(nowMicros) && !main.isSilent) this.#alone(this.#lookAtCost(nowMicros));
    if (this.#everyMicros > 0 && nowMicros >= this.#dueMicros && !main.hangs)
      this.#scheduled(nowMicros, main);
  }

  discardConsole(): void {
    this.sampler.discardConsole();
  }

  /** processEnds: main waits in its exit handshake. */
  close(processEnds: boolean): void {
    if (this.sampler.state !== 'none') this.sampler.disconnect('none', processEnds);
  }

  /** Main is asked only when its last answer was near the limit, or stays out. */
  #lookAtLimit(nowMicros: number, main: MainNow): void {
    const { host } = this;
    const limitBytes = host.limitBytes();
    if (this.#watch.percent === 0 || limitBytes === 0 || nowMicros < this.#askAtMicros) return;
    this.#oldLimitBytes ||= oldLimitBytes(limitBytes);
    if (!main.isSilent && !this.#watch.isNear(host.usedBytes(), this.#oldLimitBytes)) return;
    this.#askAtMicros = nowMicros + ASK_MICROS;
    this.#alone(this.#judge(nowMicros));
  }

  async #judge(nowMicros: number): Promise<void> {
    const { oldBytes } = await this.sampler.spaces();
    if (this.#watch.isDue(nowMicros, oldBytes, this.#oldLimitBytes))
      await this.host.onNearLimit(oldBytes, this.#oldLimitBytes);
  }

  async #lookAtCost(nowMicros: number): Promise<void> {
    const { sampler, host } = this;
    const { youngBytes } = await sampler.spaces();
    const intervalBytes = this.cost.look(nowMicros, youngBytes, sampler.intervalBytes);
    if (intervalBytes === 0) return;
    await sampler.restart(intervalBytes);
    host.note(
      `the program allocates much: one allocation in ${intervalBytes} bytes of the heap is sampled from now on, and what was allocated before is not known any more`,
    );
  }

  #scheduled(nowMicros: number, { cpuMicros }: MainNow): void {
    const { host, budget, sampler } = this;
    const rested = cpuMicros - this.#cpuAtDueMicros < this.#everyMicros * RESTED_SHARE;
    this.#dueMicros = nowMicros + this.#everyMicros;
    this.#cpuAtDueMicros = cpuMicros;
    if (rested) return;
    const limits = { pauseMicros: host.options.heapPauseMillis * 1000, everyMicros: this.#everyMicros };
    const reason = budget.refusal(host.usedBytes(), sampler.forcesCollection, limits);
    if (reason !== '') {
      if (this.skipped.count++ === 0) host.note(`scheduled heap captures are skipped: ${reason}`);
      this.skipped.reason = reason;
      return;
    }
    this.#alone(
      this.captures().then(async (captures) => {
        await captures.live('scheduled');
        for (const text of captures.takeNewSuspects()) host.note(text);
      }),
    );
  }

  /** One thing at a time; what fails is tried when it is due again. */
  #alone(work: Promise<void>): void {
    this.#busy = true;
    work
      .catch((error: Error) => {
        this.#failure = error.message;
      })
      .finally(() => {
        this.#busy = false;
      });
  }
}
