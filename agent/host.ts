/**
 * The agent's half in the host's main thread: it makes the shared memory, starts the agent thread, opens the sources
 * and says goodbye at exit. Nothing in here keeps the process alive, listens for signals or errors of the host, or
 * lets an exception out; when something is missing, the agent is off and the program runs on.
 */
import { join, resolve } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { AgentState, AsyncRegion } from '../assembly/layout';
import { nowMicros } from './clock';
import { ControlPage, isOver } from './control';
import { attachWriter, type CoreMemory, createCoreMemory } from './core';
import { ExitHandshake } from './exit-handshake';
import { identityOf, isHeapTaken, samplingRefusal, tokenEnvironment } from './identity';
import { LabelContext } from './label-context';
import type { AgentOptions, Environment } from './options';
import { onRecordSignal } from './record-signal';
import { type AgentStats, type Binding, type RunningAgent, shareMemory, unregister } from './registration';
import { type GivenRoute, RequestRoutes } from './routes/request-routes';
import { SourceGuard } from './source-guard';
import { AsyncResources, hooksCanSparePromises } from './sources/async';
import { openEventLoop } from './sources/event-loop';
import { openFastify } from './sources/fastify';
import { openGc } from './sources/gc';
import { openHttp } from './sources/http';
import { openListeners } from './sources/listeners';
import { openOutbound } from './sources/outbound';
import type { OpenSource, SourceContext } from './sources/source';
import { openThreads } from './sources/threads';
import { messageOf, sayOnce } from './stderr';
import { tally } from './tally';
import { type AgentThreadData, type AsyncPage, RECORD_NOW } from './thread-data';
import { WaitStacks } from './wait-stacks';

const THREAD_FILE = join(__dirname, 'thread.js');
/** The agent thread's share of memory: a leak of ours ends it, not the program. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 48 };
const STOP_DEADLINE_MILLIS = 2000;
/** What an exit may take longer where files were asked for: the profile of the run; the flight recorder's dump after a failure. */
const OUT_MILLIS = 1500;
const RECORD_MILLIS = 500;
const STOP_POLL_MILLIS = 10;

/** Taken hold of at load: fake timers of the program never end. */
const { setTimeout } = globalThis;
const pause = (millis: number) => new Promise<void>((done) => setTimeout(done, millis));

const STATE_NAMES = ['booting', 'ready', 'closing', 'closed', 'failed', 'closing'] as const;

export class Host implements RunningAgent {
  readonly binding: Binding;
  readonly #control = new ControlPage();
  readonly #memory: CoreMemory = createCoreMemory();
  readonly #channel = new MessageChannel();
  readonly #worker: Worker;
  readonly #exit: ExitHandshake;
  readonly #guards: SourceGuard[] = [];
  readonly #routes: RequestRoutes;
  readonly labels = new LabelContext(() => this.binding.writer);
  readonly waits = new WaitStacks(
    (stack) => this.#channel.port1.postMessage(stack),
    (micros) => this.addSelfMicros(micros),
  );
  readonly #async: AsyncPage | null;
  #look: () => void = () => {};
  #on = true;
  #stopping: Promise<void> | null = null;

  /** Throws when this runtime cannot have an agent; then nothing of it is left behind. */
  constructor(options: AgentOptions, environment: Environment, binding: Binding, threadFile = THREAD_FILE) {
    this.binding = binding;
    this.#routes = new RequestRoutes(options.httpPaths);
    if (process.permission?.has('worker') === false) {
      throw new Error('the permission model forbids worker threads (--allow-worker allows them)');
    }
    this.#async = asyncPageOf(options);
    this.#worker = this.#startThread(options, environment, threadFile);
    this.#exit = new ExitHandshake(
      this.#control,
      () => void this.#worker.terminate(),
      nowMicros,
      (exitCode) => writingMillis(options, exitCode),
      () => sayNothingWritten(options),
    );
    try {
      this.#worker.on('error', (error) => this.#failed(messageOf(error)));
      this.#worker.on('exit', (code) => this.#failed(`exit code ${code}`));
      this.#worker.unref();
      this.#openSources(options);
      shareMemory(this.#memory);
      this.#exit.arm();
      if (options.recordSignal !== '') onRecordSignal(options.recordSignal, () => this.#recordNow());
    } catch (error) {
      this.#switchOff();
      this.#exit.disarm();
      void this.#worker.terminate();
      throw error;
    }
  }

  stats(): AgentStats {
    return {
      state: this.#on || this.#stopping !== null ? STATE_NAMES[this.#control.state] : 'failed',
      core: this.#memory.kind,
      series: tally.series,
      dropped: tally.dropped,
      refused: tally.refused,
      faults: this.#control.hostFaults,
      selfMicros: this.#control.selfMicros,
    };
  }

  addSelfMicros(micros: number): void {
    this.#control.addSelfMicros(micros);
  }

  setRoute(request: object, route: GivenRoute): void {
    this.#routes.set(request, route);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #startThread(options: AgentOptions, environment: Environment, threadFile: string): Worker {
    const data: AgentThreadData = {
      core: this.#memory,
      control: this.#control.buffer,
      async: this.#async,
      pings: this.#channel.port2,
      options: {
        ...options,
        // The program may change its folder before there is anything to write.
        recordDir: options.recordDir === '' ? '' : resolve(options.recordDir),
        heapSampleBytes: isHeapTaken(process.execArgv, environment) ? 0 : options.heapSampleBytes,
      },
      tokenEnvironment: tokenEnvironment(environment),
      identity: identityOf(options, environment),
      samplingRefused: samplingRefusal(process.execArgv, environment),
    };
    const worker = new Worker(threadFile, {
      name: 'ringtail',
      workerData: data,
      transferList: [this.#channel.port2],
      execArgv: [],
      env: {},
      // Taken but never read: piping them would open the host's own process.stdout and process.stderr.
      stdout: true,
      stderr: true,
      resourceLimits: THREAD_LIMITS,
    });
    // Whatever the thread writes there (a warning of Node's) would make main's end read, and that holds the process.
    worker.stdout.destroy();
    worker.stderr.destroy();
    return worker;
  }

  #openSources(options: AgentOptions): void {
    const writer = attachWriter(this.#memory, 0);
    if (writer === null) throw new Error('the shared memory has no slot left for the main thread');
    this.binding.writer = writer;
    this.binding.generation++;
    const opens: Record<string, OpenSource> = {
      'event-loop': (context) => openEventLoop(context, this.#channel.port1, () => this.#afterPong()),
      gc: openGc,
      http: (context) => openHttp(context, this.#routes, options.routeLabels ? this.labels : null),
      outbound: openOutbound,
      fastify: (context) => openFastify(context, this.#routes),
      threads: (context) => openThreads(context, this.#worker, this.#channel.port1),
      listeners: (context) => openListeners(context, this.#channel.port1),
    };
    const page = this.#async;
    if (page !== null) opens.async = (context) => this.#openAsync(context, page, options);
    for (const [name, open] of Object.entries(opens)) {
      const guard = new SourceGuard(name, this.#control, nowMicros);
      try {
        guard.opened(open({ writer, control: this.#control, guard, nowMicros }));
        this.#guards.push(guard);
      } catch (error) {
        this.#control.countFault();
        sayOnce('sources', `no ${name} figures: ${messageOf(error)}`);
      }
    }
  }

  #openAsync(context: SourceContext, page: AsyncPage, { async: mode }: AgentOptions): () => void {
    const resources = new AsyncResources(context, page, mode === 'window' || mode === 'on');
    this.#look = () => {
      try {
        resources.look();
      } catch (error) {
        context.guard.fault(error);
      }
    };
    return () => {
      this.#look = () => {};
      resources.close();
    };
  }

  /** Also where nothing was answered: the agent thread wants that main looks at what it has asked for. */
  #afterPong(): void {
    this.#exit.rearm();
    this.#look();
  }

  #recordNow(): void {
    if (this.#on) this.#channel.port1.postMessage(RECORD_NOW);
  }

  async #stop(): Promise<void> {
    if (!this.#on) return;
    this.#switchOff();
    unregister(this);
    this.#worker.ref();
    try {
      await this.#until(() => this.#control.state !== AgentState.Booting);
      if (this.#control.state !== AgentState.Booting) await this.#threadCloses();
      await this.#worker.terminate();
    } finally {
      this.#exit.disarm();
    }
  }

  async #threadCloses(): Promise<void> {
    this.#control.requestStop();
    await this.#until(() => isOver(this.#control.state));
  }

  async #until(done: () => boolean): Promise<void> {
    const deadlineMicros = nowMicros() + STOP_DEADLINE_MILLIS * 1000;
    while (!done() && nowMicros() < deadlineMicros) await pause(STOP_POLL_MILLIS);
  }

  /** Called by events of the worker: an exception in here would be the host's. */
  #failed(why: string): void {
    if (!this.#on) return;
    sayOnce('thread', `the agent thread has ended (${why}): profiling is off, the program runs on`);
    try {
      this.#switchOff();
      this.#exit.disarm();
    } catch {
      this.#control.countFault();
    }
  }

  /** Ends everything on this side but the exit handshake, which lasts as long as the thread; that drains what is left. */
  #switchOff(): void {
    if (!this.#on) return;
    this.#on = false;
    for (const guard of this.#guards) guard.close();
    this.labels.close();
    this.#channel.port1.close();
    shareMemory(null);
    this.binding.writer?.detach();
    this.binding.writer = null;
    this.binding.generation++;
  }
}

function writingMillis({ outFile, summary, recordDir }: AgentOptions, exitCode: number): number {
  return (
    (outFile !== '' || summary ? OUT_MILLIS : 0) + (recordDir !== '' && exitCode !== 0 ? RECORD_MILLIS : 0)
  );
}

function asyncPageOf({ async: mode }: AgentOptions): AsyncPage | null {
  if (mode === 'off') return null;
  return {
    buffer: new SharedArrayBuffer(AsyncRegion.End),
    stayOn: mode === 'on' || (mode === 'auto' && hooksCanSparePromises()),
  };
}

function sayNothingWritten({ outFile, summary }: AgentOptions): void {
  if (outFile === '' && !summary) return;
  sayOnce('early', 'the program has ended before the agent was ready: there is no profile of it');
}
