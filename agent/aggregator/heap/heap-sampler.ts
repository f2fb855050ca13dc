/**
 * V8's sampling heap profiler on the main thread: about one allocation in `intervalBytes` is kept with its stack, for as
 * long as the object lives. It runs from the start of the agent; without allocations it costs nothing (no thread, no
 * timer), a sample costs 5 to 25 µs by the depth of its stack.
 *
 * Reading it: through the inspector V8 collects all garbage first (about 1 ms for each MB of live heap, main stands
 * still), and there is no way around; where the runtime has v8.startHeapProfile (Node 26) the same read costs a
 * millisecond and collects nothing.
 *
 * An isolate has one such profiler. To count objects that were collected it must be stopped and started in another mode,
 * in which V8 keeps every record until the end: a window. What lived before a window is not known after it.
 *
 *   off ──start──► live ──window──► window ──► live          foreign: a debugger is attached
 */
import v8 from 'node:v8';
import { MAIN_INSPECTOR_TEXT } from '../main-inspector';
import { HeapSession, MainSilent } from './heap-session';

export type V8HeapNode = {
  callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number };
  id: number;
  children: V8HeapNode[];
};

/** size: of the object times the number of objects that the sample stands for. ordinal: the samples taken until then. */
export type V8HeapProfile = {
  head: V8HeapNode;
  samples: { size: number; nodeId: number; ordinal: number }[];
};

export type HeapReading = {
  profile: V8HeapProfile;
  intervalBytes: number;
  /** When V8 began to sample what is in it, and when it was read, µs. */
  sinceMicros: number;
  atMicros: number;
  /** How long main stood still for it, µs. */
  pauseMicros: number;
  usedBytesBefore: number;
  usedBytesAfter: number;
  externalBytes: number;
  /** Garbage was collected first: everything in it lives. */
  collected: boolean;
};

/** live: what lived when the window began. */
export type HeapWindow = { live: HeapReading; allocated: HeapReading };

export type HeapSamplerState = 'off' | 'live' | 'window' | 'foreign' | 'none';

/** A debugger is attached: two clients of one profiler would read each other's data. */
export class HeapForeign extends Error {
  constructor() {
    super('a debugger is attached: heap sampling stands back');
  }
}

/** Main answers a probe within a millisecond unless it is in native code. */
const PROBE_MILLIS = 1000;
/** Nobody waits for a start: a program that loads its modules may not answer for long. */
const START_MILLIS = 60_000;
/** A full collection of a large heap, ms. */
const READ_MILLIS = 14_000;
const COLLECT_MILLIS = 5000;
const STACK_DEPTH = 64;
const COLLECTED_TOO = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };

const HOLDER_TEXT = `(function(i,v){return{url:i.url,now:process.hrtime.bigint,heap:v.getHeapStatistics,spaces:v.getHeapSpaceStatistics,start:v.startHeapProfile}})(${MAIN_INSPECTOR_TEXT},process.getBuiltinModule('v8'))`;
const PROBE_TEXT = `function ringtailHeapProbe(){var h=this.heap(),o=0,y=0;this.spaces().forEach(function(s){if(s.space_name==='new_space')y=s.space_used_size+s.space_available_size;else if(s.space_name!=='new_large_object_space')o+=s.space_used_size});return[this.url()!==undefined,Number(this.now())/1e3,h.used_heap_size,h.external_memory,o,y]}`;
const START_TEXT = `function ringtailHeapStart(o){this.start(o)}`;

type Probe = [
  debugged: boolean,
  nowMicros: number,
  usedBytes: number,
  externalBytes: number,
  oldBytes: number,
  youngBytes: number,
];

export class HeapSampler {
  state: HeapSamplerState = 'off';
  /** Reading collects all garbage first, whether wanted or not. */
  readonly forcesCollection = !('startHeapProfile' in v8);
  #session: HeapSession | null = null;
  #holder = '';
  /** V8 samples because we asked it to: where that is not tied to the session, it must be ended. */
  #begun = false;
  #sinceMicros = 0;
  /** Main does one thing after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    public intervalBytes: number,
    readonly nowMicros: () => number,
  ) {}

  /** Begins to sample what lives. Does nothing where it already does. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.state === 'live' || this.state === 'none') return;
      try {
        await this.#begin(false, this.intervalBytes, START_MILLIS);
        this.state = 'live';
      } catch (error) {
        if (this.state === 'off') this.disconnect('off');
        throw error;
      }
    });
  }

  /** What lives now. gc: collect garbage first, also where reading does not. */
  read(gc: boolean): Promise<HeapReading> {
    return this.#inTurn(() => this.#read(gc));
  }

  /** Everything that is allocated until `wait` settles, what is collected too. Where it rejects, so does this. */
  window(intervalBytes: number, wait: () => Promise<void>): Promise<HeapWindow> {
    return this.#inTurn(async () => {
      const live = await this.#read(false);
      this.state = 'window';
      try {
        this.#end();
        await this.#begin(true, intervalBytes, READ_MILLIS);
        const failure = await wait().then(
          () => null,
          (error: Error) => error,
        );
        const allocated = await this.#profile('HeapProfiler.stopSampling', intervalBytes);
        if (failure !== null) throw failure;
        return { live, allocated };
      } finally {
        await this.#liveAgain();
      }
    });
  }

  /** Runs `work` with the session while nothing else is asked of main. */
  withSession<Result>(work: (session: HeapSession) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      await this.#probe();
      return work(this.#connected());
    });
  }

  /** What lives, sampled anew at another interval. */
  restart(intervalBytes: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.state !== 'live') return;
      this.intervalBytes = intervalBytes;
      this.#end();
      await this.#liveAgain();
    });
  }

  /** What the heap uses without its young space, and what that holds; asked by interrupt, also when main does not turn. */
  async spaces(): Promise<{ oldBytes: number; youngBytes: number }> {
    const [, , , , oldBytes, youngBytes] = await this.#probe();
    return { oldBytes, youngBytes };
  }

  discardConsole(): void {
    this.#session?.discardConsole();
  }

  /** Without waiting for anybody. processEnds: what V8 keeps need not be given back. */
  disconnect(state: 'off' | 'foreign' | 'none', processEnds = false): void {
    this.state = state;
    const session = this.#session;
    this.#session = null;
    this.#holder = '';
    if (session === null) return;
    if (this.#begun && !this.forcesCollection && !processEnds) session.tell('HeapProfiler.stopSampling');
    this.#begun = false;
    session.disconnect();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #begin(collectedToo: boolean, intervalBytes: number, deadlineMillis: number): Promise<void> {
    await this.#probe(deadlineMillis);
    const session = this.#connected();
    const flags = collectedToo ? COLLECTED_TOO : {};
    this.#begun = true;
    if (this.forcesCollection) {
      const parameters = { samplingInterval: intervalBytes, ...flags };
      await session.ask('HeapProfiler.startSampling', parameters, deadlineMillis);
    } else {
      const options = { sampleInterval: intervalBytes, stackDepth: STACK_DEPTH, ...flags };
      await this.#startFreely(session, options, deadlineMillis);
    }
    this.#sinceMicros = this.nowMicros();
  }

  async #startFreely(session: HeapSession, options: object, deadlineMillis: number): Promise<void> {
    try {
      await session.call(this.#holder, START_TEXT, [options], deadlineMillis);
    } catch (error) {
      // It threw: the program has a heap profile of its own, which is not ours to end.
      if (!(error instanceof MainSilent)) this.#begun = false;
      throw error;
    }
  }

  /** Without reading it, which might collect. */
  #end(): void {
    this.#connected().tell(this.forcesCollection ? 'HeapProfiler.disable' : 'HeapProfiler.stopSampling');
  }

  async #liveAgain(): Promise<void> {
    try {
      await this.#begin(false, this.intervalBytes, READ_MILLIS);
      this.state = 'live';
    } catch {
      this.disconnect(this.state === 'foreign' ? 'foreign' : 'off');
    }
  }

  /** What fails without main being silent means that somebody else has ended our run: a new one begins. */
  async #read(gc: boolean): Promise<HeapReading> {
    if (this.state !== 'live') throw new Error(`heap sampling is ${this.state}`);
    try {
      return await this.#readLive(gc);
    } catch (error) {
      if (this.state === 'live' && !(error instanceof MainSilent)) this.disconnect('off');
      throw error;
    }
  }

  async #readLive(gc: boolean): Promise<HeapReading> {
    const before = await this.#probe();
    const collected = gc && !this.forcesCollection && (await this.#collect());
    const reading = await this.#profile('HeapProfiler.getSamplingProfile', this.intervalBytes);
    if (!collected) return reading;
    const pauseMicros = reading.atMicros - before[1];
    return { ...reading, pauseMicros, usedBytesBefore: before[2], collected };
  }

  /** False where main does not come to it: the runtime collects when the event loop turns, not by interrupt. */
  async #collect(): Promise<boolean> {
    try {
      await this.#connected().ask('HeapProfiler.collectGarbage', {}, COLLECT_MILLIS);
      return true;
    } catch (error) {
      if (error instanceof MainSilent) return false;
      throw error;
    }
  }

  /** All at once, so that main runs nothing of its own in between: the two probes' clocks enclose the pause. */
  async #profile(method: string, intervalBytes: number): Promise<HeapReading> {
    const session = this.#connected();
    const sinceMicros = this.#sinceMicros;
    const probe = () => session.call<Probe>(this.#holder, PROBE_TEXT, [], READ_MILLIS);
    const [before, { profile }, after] = await Promise.all([
      probe(),
      session.ask<{ profile: V8HeapProfile }>(method, {}, READ_MILLIS),
      probe(),
    ]);
    return {
      profile,
      intervalBytes,
      sinceMicros,
      atMicros: after[1],
      pauseMicros: after[1] - before[1],
      usedBytesBefore: before[2],
      usedBytesAfter: after[2],
      externalBytes: after[3],
      collected: this.forcesCollection,
    };
  }

  async #probe(deadlineMillis = PROBE_MILLIS): Promise<Probe> {
    const session = this.#connected();
    if (this.#holder === '') this.#holder = await session.hold(HOLDER_TEXT, deadlineMillis);
    const probe = await session.call<Probe>(this.#holder, PROBE_TEXT, [], deadlineMillis);
    if (!probe[0]) return probe;
    this.disconnect('foreign');
    throw new HeapForeign();
  }

  #connected(): HeapSession {
    if (this.state === 'none') throw new Error('the agent is closing');
    this.#session ??= new HeapSession();
    return this.#session;
  }
}
