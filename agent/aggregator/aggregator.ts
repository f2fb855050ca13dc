/**
 * All that runs on the agent thread, in one loop of ticks: ping main and see whether it answers, drain the rings, rotate
 * the sampling window, join, send. Ticks are 150 ms apart while main works and 250 ms while it rests; a resting main is
 * not even pinged, because its CPU clock tells that it did nothing.
 */
import { randomBytes } from 'node:crypto';
import { AgentState, ControlCell } from '../../assembly/layout';
import { attachReader, attachWriter, createTables } from '../core';
import { messageOf, say } from '../stderr';
import { ownThreadId, threadState } from '../thread-cpu';
import {
  type AgentThreadData,
  type AsyncPage,
  type ListenerWarning,
  LOOK_PING,
  RECORD_NOW,
  type ThreadBegun,
  type WaitStack,
} from '../thread-data';
import { STALL_BRIEF, STALL_TIERS_MILLIS } from '../wire/event-loop';
import { gcTypeOf } from '../wire/gc';
import {
  type ControlMessage,
  EVENT_HANG,
  EVENT_NOTE,
  EVENT_SUSPENDED,
  type EventTuple,
  HANG_KINDS,
  HANG_NATIVE,
  HANG_STACK_WITHIN,
  HANG_STARVED,
} from '../wire/schema';
import { AsyncWatch } from './async-watch';
import { Cost } from './cost';
import { Dictionary } from './dictionary';
import { environmentFacts } from './environment-facts';
import { EnvironmentWatch } from './environment-watch';
import { Feed } from './feed';
import { GcLedger } from './gc-ledger';
import { HangWatch } from './hang-watch';
import { Heap } from './heap/heap';
import { LabelTrack } from './label-track';
import { Link } from './link';
import { ListenerLints } from './listener-lints';
import { LoopPings } from './loop-pings';
import { LoopTurns } from './loop-turns';
import { MainPage } from './main-page';
import { letGoOfMain } from './main-session';
import { OnDemand } from './on-demand';
import { Outgoing } from './outgoing';
import { OwnHeap } from './own-heap';
import { OwnSeries } from './own-series';
import { ownToken } from './own-token';
import type { PauseLimits } from './pause-baseline';
import type { TickWindow } from './profile-reader';
import type { ProfileContext } from './profiles/context';
import { FlightRecorder } from './recorder/flight-recorder';
import { Sampling } from './sampling';
import { Shipper } from './shipper';
import { joinableUntil } from './slow-requests';
import { StackSums, summedFrames } from './stack-sums';
import { Stalls } from './stalls';
import { Standalone } from './standalone';
import { identityTuple, Status, threadMemoryBytes } from './status';
import { TurnWaits } from './turn-waits';
import { Waits } from './waits';

/** Between ticks while main works, while it rests, and while it owes an answer, ms. A wake-up is what costs here. */
const BUSY_TICK_MILLIS = 150;
const REST_TICK_MILLIS = 250;
const OWED_TICK_MILLIS = 50;
/** Answering a ping costs main no more than this, µs: so little work right after one is our own doing. */
const PONG_MICROS = 300;
/** The rings are emptied at least so often while main works, µs. */
const DRAIN_MICROS = 400e3;
/** A main thread that seems to rest is pinged this often all the same, µs. */
const PING_AT_LEAST_MICROS = 2e6;
/** Main used less CPU than this since the last tick: it rests. */
const REST_SHARE = 0.005;
/** The agent thread was away this much longer than it slept, without using CPU itself: the process stood still. */
const SUSPENDED_MICROS = 500e3;
const SUSPENDED_CPU_SHARE = 0.1;
/** The program's other threads used more of a core than this in the last second. */
const OTHERS_BUSY_SHARE = 0.1;
/** Main waited for a core for this much of a stall: the machine was busy, not the program. */
const STARVED_SHARE = 0.6;
/** Less CPU than this cannot have logged much: what the console keeps alive is let go after more, µs. */
const RELEASE_MICROS = 1000;
/** How often a resting process sends, ms. */
const REST_FLUSH_MILLIS = 5000;
/** Ways out of a closing agent thread: for the last window, and for the kernel to take the last bytes, ms. */
const LAST_WINDOW_MILLIS = 100;
const LAST_BYTES_MILLIS = 150;
/** A ping that is open for longer is worth looking at what main does, µs. */
const SILENT_MICROS = 100e3;
const KEEP_ALIVE_MILLIS = 60_000;
/** Why a collector will never take us. That none is there, or has made no token yet, is nothing to speak of. */
const REFUSALS = /ERR_WIRE_(PROOF|VERSION)|wire version|does not know the token/;

/** What main posts, see AgentThreadData.pings. */
type MainNews = number | ThreadBegun | WaitStack | ListenerWarning;

export class Aggregator {
  readonly #page: MainPage;
  readonly #cost = new Cost();
  readonly #outgoing = new Outgoing();
  readonly #dictionary: Dictionary;
  readonly #feed: Feed;
  readonly #labels = new LabelTrack();
  readonly #sampling: Sampling;
  readonly #heap: Heap;
  readonly #hangs: HangWatch;
  readonly #link: Link;
  readonly #shipper: Shipper;
  readonly #context: ProfileContext;
  readonly #flight: FlightRecorder;
  readonly #onDemand: OnDemand;
  readonly #standalone: Standalone;
  readonly #blocked = new StackSums();
  readonly #locks = new StackSums();
  readonly #turnWaits = new TurnWaits(this.#locks);
  readonly #threads = new StackSums();
  readonly #environment: string[];
  readonly #environmentWatch: EnvironmentWatch;
  readonly #listeners = new ListenerLints((text) => this.#note(text));
  readonly #own: OwnSeries;
  readonly #status: Status;
  readonly #pings: LoopPings;
  readonly #ownHeap: OwnHeap | null;
  readonly #gc: GcLedger;
  readonly #waits: Waits;
  readonly #turns = new LoopTurns();
  readonly #async: AsyncWatch | null;
  #timer: NodeJS.Timeout | null = null;
  #closing = false;
  #tickAtMicros = 0;
  #tickMillis = 0;
  /** CPU of main as of the last tick, µs; the loop's active time where that is not known. */
  #mainCpuMicros = 0;
  /** CPU of the process at the last second's end, µs. */
  #processCpuMicros = 0;
  #secondAtMicros = 0;
  #mainCpuAtSecondMicros = 0;
  #othersBusy = false;
  #mainCpuAtReleaseMicros = 0;
  #flushAtMicros = 0;
  #drainedAtMicros = 0;
  readonly #stalls: Stalls;
  #ownMicros = 0;
  #turnsBefore = { turns: 0, events: 0, waiting: 0 };
  #faultsBefore = 0;
  #saidRefusal = false;

  constructor(readonly data: AgentThreadData) {
    const { core, control, options, identity, samplingRefused } = data;
    const now = nowMicros();
    this.#page = new MainPage(control);
    this.#environment = environmentFacts(identity.flags, identity.poolThreads);
    this.#environmentWatch = new EnvironmentWatch(this.#environment, (text) => this.#note(text));
    const tables = createTables({ forceTwin: core.kind === 'twin', like: core });
    this.#dictionary = new Dictionary(tables);
    this.#own = new OwnSeries(attachWriter(core, 0));
    this.#ownHeap = samplingRefused === '' ? new OwnHeap(now) : null;
    this.#async = data.async === null ? null : this.#watchAsync(data.async);
    this.#sampling = new Sampling({
      options,
      refused: samplingRefused,
      startWallMillis: identity.startWallMillis,
      tables,
      dictionary: this.#dictionary,
      cost: this.#cost,
      outgoing: this.#outgoing,
      nowMicros,
      note: (text) => this.#note(text),
      addLabels: (window) => this.#addLabels(window),
      hangsSinceMicros: () => this.#hangs.current?.sinceMicros ?? 0,
      restEnds: () => this.#flush(nowMicros()),
      onWindow: (window, watched) => this.#windowCame(window, watched),
    });
    this.#flight = new FlightRecorder({
      options,
      identity,
      sampling: this.#sampling,
      dictionary: this.#dictionary,
      nowMicros,
      drain: () => this.#drain(nowMicros()),
      note: (text) => this.#note(text),
      context: () => this.#context,
    });
    this.#waits = new Waits(this.#dictionary, this.#blocked, this.#locks, options.stallMillis * 1000);
    this.#sampling.listeners.add((window, periodNanos) => this.#waits.add(window, periodNanos));
    this.#heap = new Heap({
      options,
      refused: samplingRefused,
      nowMicros,
      usedBytes: () => this.#page.cell(ControlCell.HeapUsedBytes),
      limitBytes: () => this.#page.cell(ControlCell.HeapLimitBytes),
      note: (text) => this.#note(text),
      onNearLimit: (usedBytes, limitBytes) => this.#nearHeapLimit(usedBytes, limitBytes),
    });
    this.#gc = new GcLedger({
      sampling: this.#sampling,
      own: this.#own,
      tell: (event) => {
        const [, threadId, startMicros, durationMicros, kind] = event;
        if (threadId === 0) this.#heap.sawCollection(kind, startMicros, durationMicros);
        this.#outgoing.event(event);
      },
      onExcess: (event, times, limits) => {
        const words = excessText(event, times, limits);
        this.#note(words);
        this.#flight.dump('gc', words);
      },
      heapUsedBytes: () => this.#page.cell(ControlCell.HeapUsedBytes),
      externalBytes: () => this.#page.cell(ControlCell.ExternalBytes),
      rssBytes: () => process.memoryUsage.rss(),
    });
    this.#feed = new Feed(
      attachReader(core),
      this.#outgoing,
      (text) => this.#dictionary.idOf(text),
      this.#gc,
      this.#labels,
      this.#flight.recorder,
      this.#turnWaits,
    );
    this.#gc.listen(([, threadId, startMicros, durationMicros, kind, flags]) =>
      this.#flight.recorder.collection(threadId, startMicros, durationMicros, kind, flags),
    );
    this.#stalls = new Stalls(options.stallMillis * 1000, {
      sampling: this.#sampling,
      turns: this.#turns,
      entryOf: (stack) => this.#dictionary.entryOf(stack),
      tell: (event, asEvent) => this.#stallOver(event, asEvent),
    });
    this.#hangs = new HangWatch(options.stallMillis * 1000, this.#lateMicros(options.stallMillis * 1000), {
      cut: () => this.#sampling.cut(),
      openSinceMicros: () => this.#sampling.openSinceMicros,
      kindOf: (since) => this.#sampling.hangKind(since),
      tell: (kind, since, duration) => this.#tellHang(kind, since, duration),
      ended: (kind, startMicros, durationMicros) => this.#stallEnded(kind, startMicros, durationMicros),
    });
    this.#pings = new LoopPings({
      page: this.#page,
      hangs: this.#hangs,
      turns: this.#turns,
      cost: this.#cost,
      post: (sequence) => data.pings.postMessage(sequence),
      onDelay: (atMicros, delayMicros, turns) => {
        this.#own.delay(delayMicros);
        this.#flight.delay(atMicros, delayMicros, turns);
      },
    });
    this.#link = new Link({
      url: options.collectorUrl,
      agentId: randomBytes(16),
      token: () => ownToken(data.tokenEnvironment),
      identity: () => identityTuple(data, this.#environment, nowMicros()),
      epoch: () => this.#shipper.epoch,
      dictionary: () => this.#shipper.dictionary(),
      onControl: (message) => this.#control(message),
      queueBytes: options.queueBytes,
      onRefused: (sequence, code, ticks) => {
        this.#outgoing.lost('refused', Math.max(1, ticks), nowMicros());
        this.#note(`the collector refused batch ${sequence} twice (${code}); its ${ticks} ticks are lost`);
      },
      onEpochRefused: () => this.#shipper.newEpoch(),
      onAcknowledged: () => this.#shipper.acknowledged(),
      onUp: () => this.#flush(nowMicros()),
      onDown: (reason) => {
        this.#onDemand.giveUp();
        this.#sampling.cancelRequests();
        this.#sayRefusal(reason);
      },
    });
    this.#status = new Status({
      page: this.#page,
      cost: this.#cost,
      sampling: this.#sampling,
      sentBytes: () => this.#link.sentBytes,
      hang: () => this.#hangs.current,
      onMemory: (heapUsedBytes, rssBytes) =>
        this.#flight.recorder.memory(nowMicros(), heapUsedBytes, rssBytes),
    });
    this.#shipper = new Shipper(
      {
        link: this.#link,
        dictionary: this.#dictionary,
        feed: this.#feed,
        outgoing: this.#outgoing,
        windows: this.#sampling.queue,
        takeStatus: () => this.#status.take(),
        onEpochEnds: () => this.#flight.recorder.epochEnds(this.#dictionary),
        onNewEpoch: () => {
          this.#sampling.recent.clear();
          this.#stalls.clear();
        },
      },
      now,
    );
    this.#context = {
      data,
      identity,
      environment: this.#environment,
      dictionary: this.#dictionary,
      sampling: this.#sampling,
      heap: this.#heap,
      gc: this.#gc,
      blocked: this.#blocked,
      locks: this.#locks,
      flight: this.#flight,
      threads: this.#threads,
      async: this.#async,
      listeners: this.#listeners,
      nowMicros,
      mainCpuMicros: () => this.#cost.mainCpuMicros(),
      unsampledCpuMicros: () => this.#sampling.savedCpuMicros,
      stuckSinceMicros: () => {
        const hang = this.#hangs.current;
        return hang?.kind === HANG_NATIVE ? hang.sinceMicros : 0;
      },
      cost: () => ({
        ownMicros: this.#ownCostMicros(),
        sinceMicros: now,
        rotations: this.#cost.rotations,
        rotationPauseMicros: this.#cost.rotationPauseMicros,
        savedMicros: this.#sampling.savedMicros,
        memoryBytes: threadMemoryBytes(process.memoryUsage()),
        sentBytes: this.#link.sentBytes,
        losses: this.#outgoing.lostSoFar,
      }),
      note: (text) => this.#note(text),
    };
    this.#onDemand = new OnDemand(this.#context, nowMicros);
    this.#standalone = new Standalone(this.#context, () => this.#onDemand.profiles());
    this.#tickAtMicros = this.#secondAtMicros = this.#flushAtMicros = now;
  }

  run(): void {
    this.#page.setThread(ownThreadId());
    this.#page.setState(AgentState.Ready);
    this.data.pings.on('message', (message: MainNews) => this.#mainNews(message));
    this.#page.onWake(() => this.#close(this.#page.exitRequested ? 'exit' : 'stop'));
    // Main has left without waiting, because this thread was not ready: nothing may be taken hold of.
    if (this.#closing) return;
    if (this.data.samplingRefused !== '') this.#note(`not sampling: ${this.data.samplingRefused}`);
    this.#mainShare(nowMicros());
    // At once, also in a program that does nothing yet: what V8 compiles before, Node 20's sampler may never see.
    this.#sampling.start();
    this.#heap.start();
    this.#link.dial();
    this.#standalone.open();
    this.#schedule(BUSY_TICK_MILLIS);
  }

  #watchAsync(page: AsyncPage): AsyncWatch {
    return new AsyncWatch({
      page,
      budgetPercent: this.data.options.budgetPercent,
      nowMicros,
      wake: () => this.data.pings.postMessage(LOOK_PING),
      note: (text) => this.#note(text),
      gauge: (type, count) => this.#own.activeResources(type, count),
    });
  }

  /** CPU and pauses that the agent has cost so far, µs. */
  #ownCostMicros(): number {
    const onMain = this.#page.cell(ControlCell.SelfMicros) + (this.#async?.eventMicros ?? 0);
    return this.#cost.ownMicros() + onMain;
  }

  #mainNews(message: MainNews): void {
    if (message === RECORD_NOW) {
      this.#standalone.signalled();
      return this.#flight.dump('signal', `${this.data.options.recordSignal} came`);
    }
    if (typeof message === 'number') {
      this.#environmentWatch.workerEnded();
      return this.#feed.reader.markDead(message);
    }
    if ('waitStack' in message) return this.#turnWaits.define(message);
    if ('listeners' in message) return this.#listeners.add(message.listeners, nowMicros());
    this.#threads.addFrames(summedFrames(message.frames), '', 1, 0);
    this.#environmentWatch.workerBegan();
    this.#sampling.workerStarted();
  }

  #schedule(millis: number): void {
    this.#tickMillis = millis;
    this.#timer = setTimeout(() => this.#tick(), millis);
  }

  #tick(): void {
    if (this.#closing) return;
    const now = nowMicros();
    this.#findSuspension(now);
    this.#pings.read();
    const share = this.#mainShare(now);
    const resting = share < REST_SHARE;
    const deaf = this.#page.pingsEnded;
    if (deaf) this.#hangs.forget();
    const owed = this.#hangs.pingAtMicros !== 0;
    if (!owed && !deaf && (share !== 0 || now - this.#pings.sentAtMicros > PING_AT_LEAST_MICROS))
      this.#pings.send(now);
    this.#hangs.check(now);
    this.#flight.tick(now, this.#hangs.current);
    this.#sampling.tick(now, share, this.#mainCpuMicros, this.#othersBusy);
    if (share !== 0 && now - this.#drainedAtMicros > DRAIN_MICROS) this.#drain(now);
    this.#heap.tick(now, {
      foreign: this.#sampling.state === 'foreign',
      hangs: this.#hangs.current !== null,
      isSilent:
        owed && now - this.#hangs.pingAtMicros > SILENT_MICROS && this.#hangs.current?.kind !== HANG_NATIVE,
      cpuMicros: this.#mainCpuMicros,
    });
    this.#stalls.join(now);
    this.#gc.join(now);
    if (now - this.#secondAtMicros >= 1e6) this.#everySecond(now);
    this.#ownHeap?.tick(now, this.#sampling.state !== 'on');
    if (now - this.#flushAtMicros >= this.#flushMillis(now, resting) * 1000) this.#flush(now);
    this.#tickAtMicros = now;
    this.#schedule(
      owed && this.#hangs.current === null
        ? OWED_TICK_MILLIS
        : resting && this.#hangs.pingAtMicros === 0
          ? REST_TICK_MILLIS
          : Math.min(BUSY_TICK_MILLIS, this.#sampling.lookAgainMillis(share)),
    );
  }

  /** While somebody watches, every window of main brings a flush, and this one only fills in when none comes. */
  #flushMillis(now: number, resting: boolean): number {
    const { flushMillis } = this.data.options;
    if (this.#sampling.watched(now)) return this.#sampling.state === 'on' ? flushMillis * 1.5 : flushMillis;
    return resting && !this.#outgoing.hasNews && this.#sampling.queue.length === 0
      ? REST_FLUSH_MILLIS
      : flushMillis;
  }

  /** A tick that came far too late while the process used next to no CPU: nobody ran. */
  #findSuspension(now: number): void {
    const lateMicros = now - this.#tickAtMicros - this.#tickMillis * 1000;
    if (lateMicros < SUSPENDED_MICROS) return;
    const usedMicros = processCpuMicros() - this.#processCpuMicros;
    if (usedMicros > lateMicros * SUSPENDED_CPU_SHARE) return;
    const lostMicros = lateMicros - usedMicros;
    this.#hangs.suspended(lostMicros);
    this.#tell([EVENT_SUSPENDED, 0, now - lostMicros, lostMicros, 0, 0, 0]);
  }

  /**
   * CPU share of main since the last tick; 0 when it did nothing but answer us. Where the system does not tell, the time
   * that the event loop was active, as of the last answer.
   */
  #mainShare(now: number): number {
    const cpu = this.#cost.mainCpuMicros() ?? this.#page.cell(ControlCell.LoopActiveMillis) * 1000;
    const before = this.#mainCpuMicros;
    this.#mainCpuMicros = cpu;
    const used = cpu - before - (this.#pings.sentAtMicros >= this.#tickAtMicros ? PONG_MICROS : 0);
    return Math.max(0, used) / Math.max(1, now - this.#tickAtMicros);
  }

  #everySecond(now: number): void {
    this.#async?.everySecond(now);
    this.#listeners.everySecond(now);
    this.#environmentWatch.everySecond(this.#page.cell(ControlCell.HeapLimitBytes));
    const ownMicros = this.#ownCostMicros();
    this.#sampling.govern(
      now,
      (100 * Math.max(0, ownMicros - this.#ownMicros)) / (now - this.#secondAtMicros),
    );
    const usedMicros = processCpuMicros();
    const othersMicros =
      usedMicros -
      this.#processCpuMicros -
      (ownMicros - this.#ownMicros) -
      (this.#mainCpuMicros - this.#mainCpuAtSecondMicros);
    this.#othersBusy = othersMicros > OTHERS_BUSY_SHARE * (now - this.#secondAtMicros);
    this.#mainCpuAtSecondMicros = this.#mainCpuMicros;
    this.#ownMicros = ownMicros;
    this.#processCpuMicros = usedMicros;
    this.#secondAtMicros = now;
    if (this.#mainCpuMicros - this.#mainCpuAtReleaseMicros < RELEASE_MICROS) return;
    this.#mainCpuAtReleaseMicros = this.#mainCpuMicros;
    this.#sampling.releaseConsole();
    this.#heap.discardConsole();
  }

  #flush(now: number): void {
    this.#flushAtMicros = now;
    this.#drain(now);
    const faults = this.#page.hostFaults;
    this.#outgoing.lost('host-fault', faults - this.#faultsBefore, now);
    this.#faultsBefore = faults;
    this.#countTurns();
    this.#shipper.flush(now, this.#requestsUntil(now));
  }

  /** Whoever watches asks what a request did as soon as it is told. */
  #requestsUntil(now: number): number {
    const waits = !this.#closing && this.#sampling.state === 'on' && this.#sampling.watched(now);
    return waits ? joinableUntil(this.#sampling.ticksUntilMicros, now) : Number.POSITIVE_INFINITY;
  }

  #countTurns(): void {
    const turns = this.#page.cell(ControlCell.LoopTurns);
    const events = this.#page.cell(ControlCell.LoopEvents);
    const waiting = this.#page.cell(ControlCell.LoopEventsWaiting);
    const before = this.#turnsBefore;
    this.#own.turns(turns - before.turns, events - before.events, waiting - before.waiting);
    this.#turnsBefore = { turns, events, waiting };
  }

  #drain(now: number): void {
    this.#drainedAtMicros = now;
    this.#feed.drain();
    this.#gc.sample(now);
  }

  /** Switches of labels that lie in the ring yet belong to the window's ticks. */
  #addLabels(window: TickWindow): void {
    if (!this.#labels.used) return;
    this.#drain(nowMicros());
    const texts = this.#labels.of(window);
    if (texts !== null) window.label = Uint32Array.from(texts, (text) => this.#dictionary.idOf(text));
  }

  #windowCame(window: TickWindow, watched: boolean): void {
    const now = nowMicros();
    this.#stalls.join(now);
    if (window.threadId === 0) this.#stalls.look(window, this.#sampling.intervalMicros);
    this.#gc.join(now);
    // What comes with a worker's window would come without main's ticks, which are due within a second.
    if (watched && (window.threadId === 0 || this.#sampling.state !== 'on')) this.#flush(now);
  }

  /** What is told of it leaves at once: the process may not live to the next flush. */
  async #nearHeapLimit(usedBytes: number, limitBytes: number): Promise<void> {
    const { captureNearLimit } = await import('./heap/near-limit.js');
    try {
      await captureNearLimit(this.#context, usedBytes, limitBytes);
    } finally {
      this.#flush(nowMicros());
    }
  }

  #tellHang(kind: number, sinceMicros: number, durationMicros: number): void {
    const { stack, within } = this.#sampling.hangStack(kind, sinceMicros);
    const letter = kind === HANG_NATIVE ? threadState(process.pid).charCodeAt(0) || 0 : 0;
    const state = letter + (within ? HANG_STACK_WITHIN : 0);
    this.#tell([EVENT_HANG, 0, sinceMicros, durationMicros, kind, state, stack]);
    this.#flush(nowMicros());
  }

  #stallEnded(known: number, startMicros: number, durationMicros: number): void {
    const kind = this.#pings.waitedMicros() > durationMicros * STARVED_SHARE ? HANG_STARVED : known;
    const turnedMicros = Math.min(startMicros, this.#pings.answeredAtMicros);
    this.#stalls.add({ kind, startMicros, durationMicros, turnedMicros }, nowMicros());
  }

  /** An answer so late may be the end of a stall: the ping left up to a tick into it. */
  #lateMicros(stallMicros: number): number {
    return Math.min(STALL_TIERS_MILLIS[0] * 1000, stallMicros - BUSY_TICK_MILLIS * 1000);
  }

  #endOpenPing(): void {
    const delayMicros = this.#pings.end(nowMicros(), this.data.options.stallMillis * 1000);
    if (delayMicros > 0) this.#own.delay(delayMicros);
  }

  /** A brief stall that is a synchronous wait is in the sums already. */
  #stallOver(event: EventTuple, asEvent: boolean): void {
    const [, , , durationMicros, kind, brief, stack] = event;
    const name = HANG_KINDS[kind as keyof typeof HANG_KINDS] ?? '';
    if (brief !== STALL_BRIEF || !this.#waits.isWait(stack, kind))
      this.#blocked.add(this.#dictionary, stack, name, 1, durationMicros);
    this.#own.stall(durationMicros);
    if (asEvent) this.#tell(event);
  }

  #control([, requestId, command, argument, text]: ControlMessage): void {
    const now = nowMicros();
    if (command === 'collect') return this.#onDemand.collect(this.#link, requestId, text);
    if (command === 'watch') this.#sampling.watch(now, argument);
    else if (command === 'capture') this.#sampling.capture(now, argument, requestId);
    else if (command === 'cancel') this.#cancel(argument);
    else return this.#link.reply(requestId, 1, now, `unknown command ${command}`);
    this.#link.reply(requestId, 0, now, '');
    this.#flush(now);
  }

  #cancel(requestId: number): void {
    this.#onDemand.cancel(this.#link, requestId);
    this.#sampling.cancel(requestId);
  }

  /** A collector that is not there is nothing to speak of; one that will never take us is, once. */
  #sayRefusal(reason: string): void {
    if (this.#saidRefusal || !REFUSALS.test(reason)) return;
    this.#saidRefusal = true;
    say(`not connected to ${this.data.options.collectorUrl}: ${reason}; trying on`);
  }

  #note(text: string): void {
    this.#tell([EVENT_NOTE, 0, nowMicros(), 0, this.#dictionary.idOf(text), 0, 0]);
  }

  /** What is rare and telling. */
  #tell(event: EventTuple): void {
    this.#outgoing.event(event);
    this.#flight.tell(event);
  }

  /**
   * Last window, last batch, goodbye; then the state that main waits for. Main is let go of first: nothing is read, and
   * nothing closed that can wait, while a session is open, because this thread may get little of the machine.
   */
  #close(reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#page.setState(AgentState.Closing);
    this.#heap.close(reason === 'exit');
    once(LAST_WINDOW_MILLIS, (windowIn) => this.#sampling.end(windowIn))
      .then(() => {
        this.#sampling.disconnect();
        letGoOfMain();
        this.#page.setState(AgentState.LetGo);
        this.#onDemand.giveUp();
        this.#sampling.lastWindow();
        this.#feed.drain();
        this.#endOpenPing();
        this.#stalls.join(Number.POSITIVE_INFINITY);
        this.#gc.join(Number.POSITIVE_INFINITY);
        this.#standalone.close();
        this.#flush(nowMicros());
        return reason === 'exit' && this.#page.exitCode !== 0
          ? this.#flight.exits(this.#page.exitCode)
          : null;
      })
      .catch(sayFault)
      .then(() => {
        this.#flush(nowMicros());
        return once(LAST_BYTES_MILLIS, (sent) =>
          this.#link.close(this.#shipper.epoch, this.#shipper.lastSequence, reason, sent),
        );
      })
      .catch(sayFault)
      .then(() => {
        // Main still handles the inspector's last message: this thread must be there until main ends it.
        setInterval(() => {}, KEEP_ALIVE_MILLIS);
        this.#page.setState(AgentState.Closed);
      });
  }
}

function excessText([, , , durationMicros, kind]: EventTuple, times: number, limits: PauseLimits): string {
  const took = `a ${gcTypeOf(kind)} collection took ${(durationMicros / 1000).toFixed(1)} ms`;
  return `${took}, ${times.toFixed(1)} times the usual p95 of ${(limits.p95 / 1000).toFixed(1)} ms at this heap`;
}

/** A fault of ours at the end costs what was left to be told, not the time until main goes without us. */
function sayFault(error: unknown): void {
  say(`what was left at the end is not all told: ${messageOf(error)}`);
}

function processCpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CLOCK_MONOTONIC, µs: the clock of V8's profiles. */
function nowMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** Resolves when `begin` calls back, or after `millis`. */
function once(millis: number, begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    begin(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
