/**
 * Sampling of the host's worker threads: each has a sampler and windows of its own. A worker whose windows hold nothing
 * but idling is left alone for a while, ever longer; somebody who looks wakes it, and so does CPU that is
 * used while all of them rest. It is on by default only on
 * Node.js lines where a soak has shown that V8 stands it when sampled workers are terminated.
 */
import { threadId as ownThreadId } from 'node:worker_threads';
import type { AgentOptions } from '../options';
import type { Cost } from './cost';
import type { Dictionary } from './dictionary';
import type { InlinedCallees } from './inlined-callees';
import { readProfile, type TickWindow, type V8Profile } from './profile-reader';
import { Sampler } from './sampler';
import { type WorkerSession, WorkerSessions } from './worker-session';

/** Node.js lines on which 30,000 sampled workers were terminated without harm. On 20 and 24 V8 crashed before that. */
const SAFE_MAJORS = [22];
/** Workers sampled at once; more are counted as not sampled. */
const WORKERS_MAX = 32;
const WINDOW_FIRST_MICROS = 2e6;
const WINDOW_MIN_MICROS = 200e3;
const WATCHED_MICROS = 1e6;
/** How long an idle worker is left alone: at first, and at most, µs. */
const REST_FIRST_MICROS = 30e6;
const REST_MAX_MICROS = 480e6;

/** A worker that is being terminated is gone by then. */
const NOTE_AFTER_MILLIS = 1000;

export type WorkerSamplingHost = {
  options: AgentOptions;
  dictionary: Dictionary;
  callees: InlinedCallees;
  cost: Cost;
  nowMicros(): number;
  note(text: string): void;
  onWindow(window: TickWindow, intervalMicros: number): void;
};

type Sampled = {
  threadId: number;
  sampler: Sampler;
  beganMicros: number;
  windowMicros: number;
  lastEndMicros: number;
  idleSinceMicros: number;
  restUntilMicros: number;
  restMicros: number;
};

export class WorkerSampling {
  readonly #host: WorkerSamplingHost;
  readonly #workers = new Map<number, Sampled>();
  #sessions: WorkerSessions | null = null;
  #toldMany = false;

  constructor(host: WorkerSamplingHost) {
    this.#host = host;
  }

  /** RINGTAIL_WORKERS, or, where that is not set, what the Node.js line is known to stand. */
  static isWanted(sampleWorkers: 'auto' | 'on' | 'off', nodeVersion = process.version): boolean {
    if (sampleWorkers !== 'auto') return sampleWorkers === 'on';
    return SAFE_MAJORS.includes(Number.parseInt(nodeVersion.slice(1), 10));
  }

  /** A worker has started: from now on there is something to attach to. */
  open(): void {
    this.#sessions ??= new WorkerSessions(ownThreadId, {
      attached: (threadId, session) => this.#attached(threadId, session),
      detached: (threadId) => this.#forget(threadId),
    });
  }

  /** busy: threads other than main use CPU. watched: somebody looks, so windows are of a second. */
  tick(nowMicros: number, busy: boolean, watched: boolean): void {
    const allRest = busy && [...this.#workers.values()].every(({ sampler }) => !sampler.running);
    for (const worker of this.#workers.values()) {
      if (!worker.sampler.running) {
        if (watched || allRest || nowMicros >= worker.restUntilMicros) this.#start(worker);
        continue;
      }
      const length = nowMicros - worker.beganMicros;
      if (length >= (watched ? Math.min(WATCHED_MICROS, worker.windowMicros) : worker.windowMicros))
        this.#rotate(worker);
    }
  }

  /** True when the windows of all workers that are sampled have come in up to `micros`. */
  covers(micros: number): boolean {
    for (const { sampler, lastEndMicros } of this.#workers.values())
      if (sampler.running && lastEndMicros < micros) return false;
    return true;
  }

  /** Ends all running windows now. */
  cut(): void {
    for (const worker of this.#workers.values()) this.#rotate(worker);
  }

  disconnect(): void {
    this.#workers.clear();
    this.#sessions?.disconnect();
    this.#sessions = null;
  }

  #attached(threadId: number, session: WorkerSession): void {
    if (this.#workers.size >= WORKERS_MAX) {
      session.disconnect();
      if (!this.#toldMany)
        this.#host.note(`more than ${WORKERS_MAX} worker threads: the others are not sampled`);
      this.#toldMany = true;
      return;
    }
    const host = this.#host;
    const now = host.nowMicros();
    const worker: Sampled = {
      threadId,
      beganMicros: now,
      windowMicros: WINDOW_FIRST_MICROS,
      lastEndMicros: 0,
      idleSinceMicros: 0,
      restUntilMicros: 0,
      restMicros: REST_FIRST_MICROS,
      sampler: new Sampler(
        host.nowMicros,
        {
          onProfile: (profile) => this.#profileCame(worker, profile),
          onRotated: (pauseMicros) => this.#rotated(worker, pauseMicros),
          onNote: (text) => this.#noteUnlessEnding(worker, text),
          onRestart: () => {
            worker.lastEndMicros = 0;
          },
        },
        // Resting lets go of the profiler and not of the worker: nobody attaches to a worker twice.
        () => ({
          post: (method, parameters, callback) => session.post(method, parameters, callback),
          on: (event, listener) => session.on(event, listener),
          disconnect: () => session.post('Profiler.disable'),
        }),
      ),
    };
    this.#workers.set(threadId, worker);
    this.#start(worker);
  }

  /** Calls into a worker fail while it is being terminated: that is no news. */
  #noteUnlessEnding(worker: Sampled, text: string): void {
    const { threadId } = worker;
    setTimeout(() => {
      if (this.#workers.get(threadId) === worker) this.#host.note(`worker ${threadId}: ${text}`);
    }, NOTE_AFTER_MILLIS).unref();
  }

  #start(worker: Sampled): void {
    worker.beganMicros = this.#host.nowMicros();
    worker.lastEndMicros = 0;
    worker.idleSinceMicros = 0;
    this.#host.cost.samplers.change();
    worker.sampler.start(Math.round(1e6 / this.#host.options.cpuHz));
  }

  #rotate(worker: Sampled): void {
    if (!worker.sampler.running || !worker.sampler.rotate()) return;
    worker.beganMicros = this.#host.nowMicros();
    worker.sampler.discardConsole();
  }

  #forget(threadId: number): void {
    const worker = this.#workers.get(threadId);
    this.#workers.delete(threadId);
    if (worker === undefined) return;
    this.#host.cost.samplers.change();
  }

  #rotated(worker: Sampled, pauseMicros: number): void {
    const { cost, options } = this.#host;
    cost.workerPauseMicros += pauseMicros;
    if (pauseMicros > options.pauseBudgetMicros)
      worker.windowMicros = Math.max(
        WINDOW_MIN_MICROS,
        (0.8 * worker.windowMicros * options.pauseBudgetMicros) / pauseMicros,
      );
    else if (pauseMicros < options.pauseBudgetMicros / 2)
      worker.windowMicros = Math.min(options.maxWindowMillis * 1000, worker.windowMicros * 1.5);
  }

  #profileCame(worker: Sampled, profile: V8Profile): void {
    const { dictionary, callees, options } = this.#host;
    const window = readProfile(profile, worker.lastEndMicros, dictionary, callees, worker.threadId);
    worker.lastEndMicros = profile.endTime;
    const ticks = window.atMicros.length;
    if (ticks === 0) return;
    this.#host.onWindow(window, worker.sampler.intervalMicros);
    if (window.idleTicks < ticks) {
      worker.idleSinceMicros = 0;
      worker.restMicros = REST_FIRST_MICROS;
      return;
    }
    worker.idleSinceMicros ||= window.startMicros;
    if (window.endMicros - worker.idleSinceMicros < options.idleAfterMillis * 1000) return;
    worker.restUntilMicros = this.#host.nowMicros() + worker.restMicros;
    worker.restMicros = Math.min(REST_MAX_MICROS, worker.restMicros * 2);
    this.#host.cost.samplers.change();
    worker.sampler.stop('idle');
  }
}
