/**
 * When to sample, how long a window is, and what becomes of one. Sampling rests while the main thread idles (a resting
 * sampler costs more than the rest of the agent), stands back while a debugger is attached (two clients of one inspector
 * see each other's profiles), and wakes for activity, a hang, or somebody who looks.
 */
import { SampleState } from '../../assembly/layout';
import type { CoreTables } from '../core';
import type { AgentOptions } from '../options';
import { HANG_BLOCKED, HANG_JS, HANG_NATIVE, HANG_UNKNOWN } from '../wire/schema';
import type { Cost } from './cost';
import type { Dictionary } from './dictionary';
import { Governor } from './governor';
import { InlinedCallees } from './inlined-callees';
import { MainSession } from './main-session';
import type { Outgoing } from './outgoing';
import { readProfile, type TickWindow, type V8Profile } from './profile-reader';
import { type Culprit, RecentWindows } from './recent-windows';
import { Recompile } from './recompile';
import { Sampler, type SamplerSession, type SamplerState } from './sampler';
import { ScriptFiles } from './script-files';
import { WindowPacer } from './window-pacer';
import { periodOf, WindowQueue } from './window-queue';
import { WorkerSampling } from './worker-sampling';

/** CPU share of the main thread up to which it counts as idle, twice what the sampler itself takes, and above which a resting sampler wakes. */
const IDLE_SHARE = 0.01;
const WAKE_SHARE = 0.02;
/** Looks at the share in the time after which the sampler rests: one is longer than a rotation is felt. */
const IDLE_LOOKS = 6;
/** A window shorter than this may hold no tick without anything being wrong, µs. */
const STUCK_WINDOW_MICROS = 1e6;
const STUCK_WINDOW_PERIODS = 10;
/** Windows are not looked at more often than this, ms. */
const LOOK_AGAIN_MIN_MILLIS = 40;
/** The longest pause that a stop and start of the sampler may cost main, µs; where the loop hangs anyway, so much of its time. */
const RESTART_PAUSE_MAX_MICROS = 50e3;
const RESTART_HANG_SHARE = 0.02;
/** A hang ends a rest for the budget's sake so often at most, and rests are told so often, µs. */
const HANG_WAKES_EVERY_MICROS = 60e6;
const REST_TOLD_EVERY_MICROS = 600e6;
/** The same for the one early restart that saves a program with deep stacks from paying for them ever after, µs. */
const EARLY_RESTART_PAUSE_MAX_MICROS = 80e3;
/** What a hang is stuck in now: the ticks of so long, µs. */
const NEWEST_MICROS = 2e6;
/** What led into native code: the last ticks seen before it, as long before the last of them, µs. */
const LED_MICROS = 100e3;
/** How long the end of a capture waits for the windows of worker threads, µs. */
const WORKERS_PATIENCE_MICROS = 400e3;
/** How long somebody who wants the newest ticks waits for them, ms. */
const UP_TO_DATE_MILLIS = 300;
/** Whether the debugger has gone is looked at so often, µs. */
const FOREIGN_RETRY_MICROS = 30e6;

export type SamplingHost = {
  options: AgentOptions;
  /** Why sampling must not start, or ''. */
  refused: string;
  startWallMillis: number;
  tables: CoreTables;
  dictionary: Dictionary;
  cost: Cost;
  outgoing: Outgoing;
  nowMicros(): number;
  note(text: string): void;
  /** Says under which labels its ticks were taken. */
  addLabels(window: TickWindow): void;
  /** Since when main's loop hangs, µs; 0 while it turns. */
  hangsSinceMicros(): number;
  /** A rest for the budget's sake ends: what is told until now belongs to it. */
  restEnds(): void;
  /** A window came in; watched: somebody waits for it. */
  onWindow(window: TickWindow, watched: boolean): void;
};

/** Who waits for a capture: a request of the collector by its number, or somebody on this side. */
export type Asker = number | object;

export class Sampling {
  readonly queue: WindowQueue;
  /** Told of every window that holds ticks, while its stack ids mean something. */
  readonly listeners = new Set<(window: TickWindow, periodNanos: number, lostTicks: number) => void>();
  readonly recent = new RecentWindows();
  readonly #sampler: Sampler;
  readonly #pacer: WindowPacer;
  readonly #governor: Governor;
  readonly #callees: InlinedCallees;
  readonly #recompile: Recompile;
  readonly #workers: WorkerSampling | null;
  #beganMicros = 0;
  #loop: { idleMicros: number; activeMicros: number } | null = null;
  #lastEndMicros = 0;
  /** CPU of main as of the last tick, and when the running window began; the wall clock where it is not known, µs. */
  #workMicros = 0;
  #workAtBeginMicros = 0;
  /** Of the last window that ended. */
  #windowMicros = 0;
  #windowWorkMicros = 0;
  #watchedUntilMicros = 0;
  /** Captures that run, by whoever asked; the first to end first. */
  #captures: { asker: Asker; endMicros: number }[] = [];
  /** When the workers' windows were cut for the capture that ends, µs; 0 for not yet. */
  #workersCutMicros = 0;
  #busyAtMicros = 0;
  /** When main's share was looked at last, and its CPU by then, µs. */
  #lookAtMicros = 0;
  #lookWorkMicros = 0;
  #foreignTriedMicros = 0;
  /** Ticks of the window that the rotation at hand ended; -1 when it ended none. */
  #endedTicks = -1;
  #tickAtMicros = 0;
  /** When V8 had ended its sampler for a rest, µs. */
  #restsSinceMicros = 0;
  /** When a rest for the budget's sake was told last, when a hang ended one, when the present one began; and all of them together, µs. */
  #restToldMicros = Number.NEGATIVE_INFINITY;
  /** Of the second that ended last: when, and what the rate had cost by then. */
  #governedMicros = 0;
  #rateMicros = 0;
  #hangWokeMicros = Number.NEGATIVE_INFINITY;
  #savesSinceMicros = 0;
  #savedMicros = 0;
  /** What main burnt meanwhile, and its CPU when the present rest began, µs. */
  #savedCpuMicros = 0;
  #savesSinceCpuMicros = 0;

  constructor(readonly host: SamplingHost) {
    const { options, tables, startWallMillis } = host;
    this.queue = new WindowQueue(tables);
    this.#callees = new InlinedCallees(new ScriptFiles(startWallMillis));
    this.#pacer = new WindowPacer(options.maxWindowMillis * 1000, options.pauseBudgetMicros);
    this.#governor = new Governor(options.cpuHz, options.budgetPercent);
    this.#sampler = new Sampler(
      host.nowMicros,
      {
        onProfile: (profile) => this.#profileCame(profile),
        onRotated: (ownMicros, pauseMicros) => this.#rotated(ownMicros, pauseMicros),
        onNote: (text) => host.note(text),
        onRestart: () => {
          host.outgoing.lost('sampler-restart', 1, host.nowMicros());
          host.cost.samplers.change();
          this.#lastEndMicros = 0;
        },
      },
      () => new MainSession() as SamplerSession,
      () => {
        host.cost.mainCpuMicros();
        return host.cost.mainWaitedMicros;
      },
    );
    this.#recompile = new Recompile({
      mode: options.recompile,
      cost: host.cost,
      nowMicros: host.nowMicros,
      note: (text) => host.note(text),
      session: () => this.#sampler.session,
      mayHide: (frame, line, children) => this.#callees.mayHide(frame, line, children),
      startMicros: () => this.#sampler.restartMicros,
    });
    this.#workers =
      this.#maySample && WorkerSampling.isWanted(options.sampleWorkers)
        ? new WorkerSampling({
            options,
            dictionary: host.dictionary,
            callees: this.#callees,
            cost: host.cost,
            nowMicros: host.nowMicros,
            note: (text) => host.note(text),
            onWindow: (window, intervalMicros) => this.#windowCame(window, intervalMicros),
          })
        : null;
    this.#busyAtMicros = host.nowMicros();
  }

  /** When to look again whether the window is due, ms: sooner where little work fits into one. busyShare: 0..1. */
  lookAgainMillis(busyShare: number): number {
    if (!this.#sampler.running) return Number.POSITIVE_INFINITY;
    if (this.#workersCutMicros !== 0) return LOOK_AGAIN_MIN_MILLIS;
    const leftMicros = this.#pacer.workLeftMicros(this.#workMicros - this.#workAtBeginMicros);
    return Math.max(LOOK_AGAIN_MIN_MILLIS, leftMicros / Math.max(0.01, busyShare) / 1000);
  }

  get state(): SamplerState {
    return this.#maySample ? this.#sampler.state : 'none';
  }

  /** Up to when the ticks of the main thread are in; 0 after a start. */
  get ticksUntilMicros(): number {
    return this.#lastEndMicros;
  }

  get rateHz(): number {
    return this.#sampler.running ? this.#governor.rateHz : 0;
  }

  /** Of the running windows, and of the last ones once they have stopped, µs. */
  get intervalMicros(): number {
    return this.#sampler.intervalMicros;
  }

  get windowMillis(): number {
    return Math.round(this.#windowMicros / 1000);
  }

  /** Since when main owes the inspector an answer, µs; 0 for not at all. */
  get openSinceMicros(): number {
    return this.#sampler.openSinceMicros;
  }

  /** Time without sampling for the budget's sake, so far, µs. */
  get savedMicros(): number {
    const running = this.state === 'saving' ? this.host.nowMicros() - this.#savesSinceMicros : 0;
    return this.#savedMicros + running;
  }

  /** CPU of main in that time, so far, µs; 0 where the system does not tell. */
  get savedCpuMicros(): number {
    const now = this.host.cost.mainCpuMicros();
    return (
      this.#savedCpuMicros + (this.state === 'saving' && now !== null ? now - this.#savesSinceCpuMicros : 0)
    );
  }

  watched(nowMicros: number): boolean {
    return nowMicros < this.#watchedUntilMicros || this.#captures.length > 0;
  }

  /** Begins to sample unless it must not or already does. */
  start(): void {
    const { nowMicros, cost } = this.host;
    if (!this.#maySample || this.#sampler.running) return;
    if (this.state === 'saving') {
      this.host.restEnds();
      this.#savedMicros = this.savedMicros;
      this.#savedCpuMicros = this.savedCpuMicros;
    }
    this.#busyAtMicros = nowMicros();
    this.#lastEndMicros = 0;
    cost.samplers.change();
    this.#sampler.start(this.#periodMicros(), () => this.#beginWindow());
  }

  /** Ends the running window now; its ticks come in a millisecond or two where main can be interrupted. */
  cut(): boolean {
    if (!this.#sampler.running && this.#mayWake()) this.start();
    const began = this.#sampler.rotate();
    if (began) this.#beginWindow();
    return began;
  }

  /** Cuts the running window and waits for its ticks, for a while: main may be where it cannot be interrupted. */
  async upToDate(): Promise<void> {
    if (!this.#sampler.running || !this.cut()) return;
    await new Promise<void>((resolve) => {
      const done = (window?: TickWindow) => {
        if (window !== undefined && window.threadId !== 0) return;
        clearTimeout(timer);
        this.listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(() => done(), UP_TO_DATE_MILLIS);
      this.listeners.add(done);
    });
  }

  /** Somebody looks on, for so long: that wakes an idle sampler, and not one that rests for the budget's sake. */
  watch(nowMicros: number, seconds: number): void {
    this.#watchedUntilMicros = Math.max(this.#watchedUntilMicros, nowMicros + seconds * 1e6);
    if (this.state !== 'saving') this.start();
  }

  /** The program has started a worker thread. */
  workerStarted(): void {
    this.#workers?.open();
  }

  /** A capture of [now, now + seconds): cuts here, 1 s windows, cuts there. It ends a rest, and none begins while it lasts. */
  capture(nowMicros: number, seconds: number, asker: Asker): void {
    this.start();
    this.cut();
    this.#workers?.cut();
    this.#captures.push({ asker, endMicros: nowMicros + seconds * 1e6 });
    this.#captures.sort((a, b) => a.endMicros - b.endMicros);
  }

  /** Whoever asked for a capture does not wait for it any more. */
  cancel(asker: Asker): void {
    this.#keepCaptures((capture) => capture.asker !== asker);
  }

  /** The connection is gone, and with it all requests; the next one numbers its own from the beginning. */
  cancelRequests(): void {
    this.#keepCaptures(({ asker }) => typeof asker !== 'number');
  }

  #keepCaptures(keeps: (capture: { asker: Asker }) => boolean): void {
    const [first] = this.#captures;
    this.#captures = this.#captures.filter(keeps);
    // The workers' windows were cut for the one that would have ended first.
    if (this.#captures[0] !== first) this.#workersCutMicros = 0;
  }

  /** mainShare: CPU of the main thread since the last tick, 0..1; mainCpuMicros: so far. othersBusy: so are other threads of the program. */
  tick(nowMicros: number, mainShare: number, mainCpuMicros: number, othersBusy = false): void {
    this.#workMicros = mainCpuMicros;
    const previousTick = this.#tickAtMicros;
    this.#tickAtMicros = nowMicros;
    this.#workers?.tick(nowMicros, othersBusy, this.watched(nowMicros));
    this.#lookForWork(nowMicros);
    if (this.state === 'saving') return;
    if (!this.#sampler.running) {
      if (this.state === 'foreign' && nowMicros - this.#foreignTriedMicros < FOREIGN_RETRY_MICROS) return;
      this.#foreignTriedMicros = nowMicros;
      // The share is of the time since the tick before: the sampler's own end may be in it.
      if (mainShare > WAKE_SHARE && previousTick >= this.#restsSinceMicros) this.start();
      return;
    }
    if (nowMicros - this.#busyAtMicros > this.host.options.idleAfterMillis * 1000 && this.#mayRestart)
      return this.#rest();
    const captureDue = (this.#captures[0]?.endMicros ?? Number.POSITIVE_INFINITY) <= nowMicros;
    const lengthMicros = nowMicros - this.#beganMicros;
    const due = this.#pacer.isDue(
      lengthMicros,
      this.#workMicros - this.#workAtBeginMicros,
      this.watched(nowMicros),
    );
    if (!captureDue && !due) return;
    if (captureDue && this.#workersOwe(nowMicros)) return;
    if (!this.cut() || !captureDue) return;
    this.#workersCutMicros = 0;
    this.#captures = this.#captures.filter(({ endMicros }) => endMicros > nowMicros);
    // The last window of a capture is waited for.
    this.watch(nowMicros, 1);
  }

  /** The workers' last windows of a capture must be in before main's, which the asker waits for; for a while. */
  #workersOwe(nowMicros: number): boolean {
    if (this.#workers === null || this.#workers.covers(this.#captures[0]!.endMicros)) return false;
    if (this.#workersCutMicros === 0) {
      this.#workersCutMicros = nowMicros;
      this.#workers.cut();
    }
    return nowMicros - this.#workersCutMicros < WORKERS_PATIENCE_MICROS;
  }

  /** Over a span, because a rotation alone makes main look busy for as long as it is. */
  #lookForWork(nowMicros: number): void {
    const spanMicros = nowMicros - this.#lookAtMicros;
    if (spanMicros < (this.host.options.idleAfterMillis * 1000) / IDLE_LOOKS) return;
    const busy = this.#workMicros - this.#lookWorkMicros > spanMicros * IDLE_SHARE;
    if (busy || this.watched(nowMicros)) this.#busyAtMicros = nowMicros;
    this.#lookAtMicros = nowMicros;
    this.#lookWorkMicros = this.#workMicros;
  }

  /** Once a second: what the agent cost, percent of a core. */
  govern(nowMicros: number, costPercent: number): void {
    const rateMicros = this.host.cost.rateMicros();
    const ratePercent =
      (100 * (rateMicros - this.#rateMicros)) / Math.max(1, nowMicros - this.#governedMicros);
    this.#rateMicros = rateMicros;
    this.#governedMicros = nowMicros;
    if (!this.#maySample) return;
    const { state } = this;
    const hangsSince = this.host.hangsSinceMicros();
    const hangMicros = hangsSince === 0 ? 0 : nowMicros - hangsSince;
    const step = this.#governor.observe(nowMicros, costPercent, {
      sampling: state === 'on' || state === 'saving' ? state : 'other',
      ratePercent: Math.min(costPercent, Math.max(0, ratePercent)),
      restartMicros: this.#sampler.restartMicros,
      restartMaxMicros: Math.max(RESTART_PAUSE_MAX_MICROS, RESTART_HANG_SHARE * hangMicros),
      held: this.#captures.length > 0,
    });
    this.#pacer.stretch = this.#governor.stretch;
    const reason = `the agent cost ${costPercent.toFixed(2)} % of a core`;
    if (step?.step === 'rate') this.#changeRate(step.hz, reason);
    else if (step?.step === 'rest') this.#save(nowMicros, reason);
    else if (step?.step === 'wake') this.start();
  }

  /**
   * How long the loop waited and worked in the windows that came in since the last call, µs, by ticks; null when none
   * did. The runtime's own figure is of no use meanwhile: each of the sampler's signals ends a wait in libuv's poll, and
   * what it then books as idle time is next to nothing.
   */
  takeLoop(): { idleMicros: number; activeMicros: number } | null {
    const loop = this.#loop;
    this.#loop = null;
    return loop;
  }

  #windowCame(window: TickWindow, intervalMicros: number): void {
    this.host.addLabels(window);
    this.queue.add(window, intervalMicros);
    const { periodNanos, lostTicks } = periodOf(window, intervalMicros);
    for (const listener of this.listeners) listener(window, periodNanos, lostTicks);
    this.host.onWindow(window, this.watched(this.host.nowMicros()));
  }

  #countLoop({ startMicros, endMicros, atMicros, idleTicks }: TickWindow): void {
    const idleMicros = ((endMicros - startMicros) * idleTicks) / atMicros.length;
    this.#loop ??= { idleMicros: 0, activeMicros: 0 };
    this.#loop.idleMicros += idleMicros;
    this.#loop.activeMicros += endMicros - startMicros - idleMicros;
  }

  releaseConsole(): void {
    this.#sampler.discardConsole();
  }

  culprit(fromMicros: number, toMicros: number): Culprit {
    return this.recent.culprit(fromMicros, toMicros, (stack) => this.host.dictionary.parentOf(stack));
  }

  /** What ticks since `sinceMicros`, of the last two seconds at most, say about a hang: a HANG_* kind, or 0 while there are none. */
  hangKind(sinceMicros: number): number {
    const now = this.host.nowMicros();
    const { ticks, state } = this.culprit(Math.max(sinceMicros, now - NEWEST_MICROS), now);
    if (ticks === 0) return this.#sampler.running ? 0 : HANG_UNKNOWN;
    return state === SampleState.Blocked ? HANG_BLOCKED : HANG_JS;
  }

  /**
   * The stack of a hang that began at `sinceMicros`, and whether it was seen since then. In native code no ticks come in:
   * the last ones within the hang tell what led into it, and only without any those before it.
   */
  hangStack(kind: number, sinceMicros: number): { stack: number; within: boolean } {
    const now = this.host.nowMicros();
    const last = kind === HANG_NATIVE ? this.recent.lastStackMicros(sinceMicros, now) : now;
    const newest = kind === HANG_NATIVE ? LED_MICROS : NEWEST_MICROS;
    const { stack } = this.culprit(Math.max(sinceMicros, last - newest), last);
    if (stack !== 0 || kind !== HANG_NATIVE) return { stack, within: stack !== 0 };
    return { stack: this.culprit(sinceMicros - NEWEST_MICROS, sinceMicros).stack, within: false };
  }

  /** Ends sampling for good. `then`: V8 has handed over the last window, which lastWindow reads. */
  end(then: () => void): void {
    this.#workers?.disconnect();
    this.#sampler.end(then);
  }

  /** Reads what came in since the end, which may take longer than main should wait with its sessions open. */
  lastWindow(): void {
    this.#sampler.tellLast();
  }

  disconnect(): void {
    this.#workers?.disconnect();
    this.#sampler.disconnect();
  }

  get #maySample(): boolean {
    return this.host.refused === '' && this.host.options.cpuHz !== 0;
  }

  #rest(): void {
    this.#restsSinceMicros = Number.POSITIVE_INFINITY;
    this.host.cost.samplers.change();
    this.#sampler.stop('idle', () => {
      this.#restsSinceMicros = this.host.nowMicros();
    });
  }

  #save(nowMicros: number, reason: string): void {
    this.#savesSinceMicros = nowMicros;
    this.#savesSinceCpuMicros = this.host.cost.mainCpuMicros() ?? 0;
    this.host.cost.samplers.change();
    this.#sampler.stop('saving');
    if (nowMicros - this.#restToldMicros < REST_TOLD_EVERY_MICROS) return;
    this.#restToldMicros = nowMicros;
    const { budgetPercent } = this.host.options;
    this.host.note(
      `sampling rests for part of the time from now on: ${reason} at ${this.#governor.rateHz} Hz, the budget is ${budgetPercent} %`,
    );
  }

  /** A hang is worth its stack, but a program that hangs all the time must not keep the sampler from its rest. */
  #mayWake(): boolean {
    if (this.state !== 'saving') return true;
    const now = this.host.nowMicros();
    if (now - this.#hangWokeMicros < HANG_WAKES_EVERY_MICROS) return false;
    this.#hangWokeMicros = now;
    return true;
  }

  /** A program with much code is not worth the pause of a restart, neither for a lower rate nor for rest. */
  get #mayRestart(): boolean {
    return this.#sampler.restartMicros <= RESTART_PAUSE_MAX_MICROS;
  }

  #changeRate(hz: number, reason: string): void {
    const { host } = this;
    host.cost.samplers.change();
    host.note(`sampling rate set to ${hz} Hz: ${reason}, the budget is ${host.options.budgetPercent} %`);
    this.#lastEndMicros = 0;
    this.#sampler.changeInterval(this.#periodMicros());
  }

  #periodMicros(): number {
    return Math.round(1e6 / this.#governor.rateHz);
  }

  #beginWindow(): void {
    const now = this.host.nowMicros();
    this.#windowMicros = now - this.#beganMicros;
    this.#windowWorkMicros = this.#workMicros - this.#workAtBeginMicros;
    this.#beganMicros = now;
    this.#workAtBeginMicros = this.#workMicros;
  }

  /** V8 hands the window's profile over before it answers the rotation that ended it. */
  #rotated(ownMicros: number, pauseMicros: number): void {
    const { cost } = this.host;
    if (!cost.samplers.known) cost.samplers.find();
    cost.rotations++;
    cost.rotationMicros += ownMicros;
    cost.rotationPauseMicros += pauseMicros;
    this.#recompile.windowRuns();
    if (this.#endedTicks < 0) return;
    const rotation = {
      ticks: this.#endedTicks,
      pauseMicros: ownMicros,
      workMicros: this.#windowWorkMicros,
      lengthMicros: this.#windowMicros,
    };
    this.#endedTicks = -1;
    this.#pacer.observe(rotation.workMicros, ownMicros, this.#sampler.intervalMicros);
    const hz = this.#governor.observeRotation(
      this.host.nowMicros(),
      rotation,
      this.#sampler.restartMicros <= EARLY_RESTART_PAUSE_MAX_MICROS,
    );
    if (hz > 0)
      this.#changeRate(
        hz,
        `a rotation cost main ${(ownMicros / 1000).toFixed(1)} ms for ${rotation.ticks} ticks`,
      );
  }

  #profileCame(profile: V8Profile): void {
    const { host } = this;
    const window = readProfile(profile, this.#lastEndMicros, host.dictionary, this.#callees);
    const lengthMicros = profile.endTime - profile.startTime;
    this.#lastEndMicros = profile.endTime;
    this.#endedTicks = window.atMicros.length;
    this.#recompile.see(profile);
    if (window.atMicros.length > 0) {
      this.recent.add(window);
      this.#countLoop(window);
      this.#windowCame(window, this.#sampler.intervalMicros);
    } else if (
      lengthMicros > Math.max(STUCK_WINDOW_MICROS, STUCK_WINDOW_PERIODS * this.#sampler.intervalMicros)
    ) {
      this.#lastEndMicros = 0;
      this.#sampler.restartStuck();
    }
  }
}
