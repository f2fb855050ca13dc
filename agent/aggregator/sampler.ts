/**
 * V8's sampler of one thread, driven from the agent thread by an inspector session. Commands run on that thread by
 * interrupt, also in the middle of a busy loop. Windows overlap: the next console profile starts before the last one
 * ends, so V8 keeps its code map and a rotation costs about a millisecond where a stop and start costs ten.
 *
 * One function text and two titles are used for ever: every new source text would leak in V8. The titles' random prefix
 * tells our profiles from other people's, which come to us too and are ignored.
 *
 * A debugger and we would see each other's profiles: while one is attached (inspector.url() on main), we stand back.
 *
 * A sampler whose window holds no tick at all is stuck (a known race in V8): the session is renewed, and after
 * RESTARTS_MAX renewals in RESTARTS_WITHIN_MICROS sampling is switched off for good.
 */
import { randomBytes } from 'node:crypto';
import { MAIN_INSPECTOR_TEXT } from './main-inspector';
import { ROTATION_FUNCTION, type V8Profile } from './profile-reader';
import { ROTATION_FIXED_MICROS } from './window-pacer';

/** What a start costs more for each byte of compiled code, µs: 10 to 40 ms were seen with 0.5 MB, 110 to 200 with 4 MB, 430 to 460 with 9 MB. */
const START_MICROS_PER_CODE_BYTE = 0.04;
/** What V8 takes at least to end a window, for each node of its tree, µs. */
const NODE_MICROS = 4;
const RESTARTS_MAX = 3;
const RESTARTS_WITHIN_MICROS = 600e6;

/** What the rotation answers instead of its pause when a debugger is attached: then it began no window. */
const DEBUGGED = -1;

/** Everything that main does for a rotation is inside the time it measures. Code size: space statistics, which are counters (code statistics walk the heap). */
const ROTATION_TEXT = `function ${ROTATION_FUNCTION}(next,last){var from=this.now(),debugged=this.url()!==undefined,code=0;if(next&&!debugged)this.console.profile(next);if(last)this.console.profileEnd(last);this.spaces().forEach(function(s){if(s.space_name.indexOf('code')===0)code+=s.space_used_size});return[debugged?${DEBUGGED}:Number(this.now()-from)/1e3,code]}`;
const HOLDER_TEXT = `(function(i,v){return{console:i.console,url:i.url,now:process.hrtime.bigint,spaces:v.getHeapSpaceStatistics}})(${MAIN_INSPECTOR_TEXT},process.getBuiltinModule('v8'))`;

/** saving: off for the CPU budget's sake. */
export type SamplerState = 'on' | 'idle' | 'saving' | 'off' | 'foreign' | 'none';

export type SamplerEvents = {
  /** A window of ours ended. */
  onProfile(profile: V8Profile): void;
  /** A rotation was answered: time main spent in it, µs, waits for a core left out; and how long it held main up in all. */
  onRotated(ownMicros: number, pauseMicros: number): void;
  /** Something worth telling the reader of the data. */
  onNote(text: string): void;
  onRestart(): void;
};

/** What an evaluation on main answered; an exception in it is no error of the protocol. */
type Evaluated = {
  result?: { value?: unknown };
  exceptionDetails?:
    | { text: string; exception?: { description?: string | undefined } | undefined }
    | undefined;
};

/** What the sampler needs of an inspector's Session: one to the main thread or to a worker. */
export interface SamplerSession {
  post(
    method: string,
    parameters?: object,
    callback?: (error: Error | null, result: SessionResult) => void,
  ): void;
  on(event: 'Profiler.consoleProfileFinished', listener: (message: ConsoleProfile) => void): void;
  disconnect(): void;
}

/** What a command answered; which of it there is depends on the command. */
export type SessionResult = Evaluated & { result?: { objectId?: string } };

export type ConsoleProfile = { params: { title?: string | undefined; profile: unknown } };

export class Sampler {
  state: SamplerState = 'idle';
  /** When the command that main has not answered yet was sent, µs; 0 when none is open. */
  openSinceMicros = 0;
  /** The interval of the running windows, and of the last ones once it has stopped. */
  intervalMicros = 0;
  #session: SamplerSession | null = null;
  #holder = '';
  #running = '';
  #restarts: number[] = [];
  #generation = 0;
  #started = { pauseMicros: 0, codeBytes: 0 };
  #codeBytes = 0;
  /** Of the window that came last. */
  #endedNodes = 0;
  #toldForeign = false;
  #ended = false;
  /** The window that was running at the end. */
  #last: V8Profile | null = null;
  readonly #titles: [string, string];

  constructor(
    readonly nowMicros: () => number,
    readonly events: SamplerEvents,
    /** Connects to the thread that is sampled. */
    readonly connect: () => SamplerSession,
    /** How long that thread has been ready while others had the core, µs so far; 0 where it is not known. */
    readonly waitedMicros: () => number = () => 0,
  ) {
    const prefix = randomBytes(6).toString('hex');
    this.#titles = [`ringtail-${prefix}-a`, `ringtail-${prefix}-b`];
  }

  /**
   * What main would be held up by a stop and start now, µs: V8 logs all compiled code at a start, so the last start's
   * pause grows with the code there is.
   */
  get restartMicros(): number {
    const { pauseMicros, codeBytes } = this.#started;
    return pauseMicros + Math.max(0, this.#codeBytes - codeBytes) * START_MICROS_PER_CODE_BYTE;
  }

  /** The session that samples; null while none does. */
  get session(): SamplerSession | null {
    return this.state === 'on' ? this.#session : null;
  }

  /** True while a window is open or about to be. */
  get running(): boolean {
    return this.state === 'on';
  }

  /** Opens the first window. `done` tells whether V8 samples now. */
  start(intervalMicros: number, done: (started: boolean) => void = () => {}): void {
    if (this.#ended || this.state === 'off' || this.state === 'on') return done(this.state === 'on');
    this.intervalMicros = intervalMicros;
    const generation = ++this.#generation;
    this.state = 'on';
    this.openSinceMicros = this.nowMicros();
    const fail = (error: Error | null): boolean => {
      if (generation !== this.#generation) return true;
      if (error === null) return false;
      this.events.onNote(`sampling refused by the runtime: ${error.message}`);
      this.#release('off');
      done(false);
      return true;
    };
    try {
      const session = this.#connect();
      session.post('Profiler.enable', {}, (error) => fail(error));
      session.post('Profiler.setSamplingInterval', { interval: intervalMicros }, (error) => fail(error));
      session.post('Runtime.evaluate', { expression: HOLDER_TEXT, silent: true }, (error, reply) => {
        if (fail(error)) return;
        this.#holder = reply.exceptionDetails === undefined ? (reply.result?.objectId ?? '') : '';
        if (this.#holder === '') return void fail(new Error(exceptionText(reply)));
        this.openSinceMicros = 0;
        this.rotate();
        done(true);
      });
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Ends the running window and begins the next; false when main still owes an answer. */
  rotate(): boolean {
    if (this.state !== 'on' || this.openSinceMicros !== 0) return false;
    const last = this.#running;
    this.#running = last === this.#titles[0] ? this.#titles[1] : this.#titles[0];
    this.#call(this.#running, last);
    return true;
  }

  /** Ends sampling; the last window still arrives. `then` runs when main has answered. */
  stop(state: 'idle' | 'saving' | 'foreign' | 'off', then: () => void = () => {}): void {
    if (this.state !== 'on') {
      this.state = this.state === 'off' ? 'off' : state;
      return then();
    }
    const last = this.#running;
    this.#running = '';
    const generation = this.#generation;
    this.state = state;
    this.#call('', last, () => {
      this.discardConsole();
      if (generation === this.#generation) this.#release(state);
      then();
    });
  }

  /** Ends sampling for good. The last window is kept until it is asked for: the session must not wait while it is read. */
  end(then: () => void): void {
    this.#ended = true;
    this.stop('idle', then);
  }

  tellLast(): void {
    const last = this.#last;
    this.#last = null;
    if (last !== null) this.events.onProfile(last);
  }

  /** Stops and starts at another rate: V8 refuses to change it while profiling. */
  changeInterval(intervalMicros: number): void {
    this.stop('idle', () => this.start(intervalMicros));
  }

  /** Lets go of what the host logged since the last call: a connected session keeps the arguments alive. */
  discardConsole(): void {
    this.#session?.post('Runtime.discardConsoleEntries');
  }

  /** The sampler does not do what it should: start afresh, or give up when that happens too often. */
  restartStuck(): void {
    const now = this.nowMicros();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTARTS_WITHIN_MICROS);
    this.#restarts.push(now);
    this.events.onRestart();
    this.#release('idle');
    if (this.#restarts.length < RESTARTS_MAX) return this.start(this.intervalMicros);
    this.state = 'off';
    this.events.onNote(`sampling switched off: V8's sampler failed ${RESTARTS_MAX} times within ten minutes`);
  }

  /** Cuts the connection without waiting for anybody. */
  disconnect(): void {
    this.#release(this.state === 'on' ? 'idle' : this.state);
  }

  #connect(): SamplerSession {
    if (this.#session !== null) return this.#session;
    const session = this.connect();
    session.on('Profiler.consoleProfileFinished', ({ params }) => {
      if (!this.#titles.includes(params.title ?? '')) return;
      const profile = params.profile as V8Profile;
      this.#endedNodes = profile.nodes.length;
      if (this.#ended) this.#last = profile;
      else this.events.onProfile(profile);
    });
    this.#session = session;
    return session;
  }

  #call(next: string, last: string, then: () => void = () => {}): void {
    const session = this.#session;
    if (session === null || this.#holder === '') return then();
    const waitedBefore = this.waitedMicros();
    const generation = this.#generation;
    this.openSinceMicros = this.nowMicros();
    const parameters = {
      objectId: this.#holder,
      functionDeclaration: ROTATION_TEXT,
      arguments: [{ value: next }, { value: last }],
      silent: true,
      returnByValue: true,
    };
    session.post('Runtime.callFunctionOn', parameters, (failure: Error | null, answer?: object) => {
      const reply: Evaluated = answer ?? {};
      if (generation === this.#generation) {
        this.openSinceMicros = 0;
        const [pauseMicros, codeBytes] = figuresOf(failure, reply);
        if (!Number.isFinite(pauseMicros) || !Number.isFinite(codeBytes))
          this.#rotationFailed(failure?.message ?? exceptionText(reply));
        else if (pauseMicros === DEBUGGED) this.#standBack();
        else {
          this.#toldForeign = false;
          // What the rotation itself took. A machine that is short of cores makes it longer, and would make a small program
          // look as if it were not worth a restart; but the wait may have come before, so what it must have cost stays.
          const waited = this.waitedMicros() - waitedBefore;
          const leastMicros =
            last === ''
              ? codeBytes * START_MICROS_PER_CODE_BYTE
              : ROTATION_FIXED_MICROS + this.#endedNodes * NODE_MICROS;
          const ownMicros = Math.min(pauseMicros, Math.max(pauseMicros - waited, leastMicros));
          if (last === '') this.#started = { pauseMicros: ownMicros, codeBytes };
          this.#codeBytes = codeBytes;
          this.events.onRotated(ownMicros, pauseMicros);
        }
      }
      then();
    });
  }

  /** Nobody knows which window runs now: the session is of no use any more. */
  #rotationFailed(reason: string): void {
    this.events.onNote(`a rotation failed, sampling starts afresh: ${reason}`);
    this.restartStuck();
  }

  #standBack(): void {
    if (!this.#toldForeign) this.events.onNote('sampling paused: a debugger is attached');
    this.#toldForeign = true;
    this.#release('foreign');
  }

  #release(state: SamplerState): void {
    this.#generation++;
    this.#running = '';
    this.#holder = '';
    this.openSinceMicros = 0;
    this.state = state;
    const session = this.#session;
    this.#session = null;
    session?.disconnect();
  }
}

/** Pause (µs) and code size (bytes) that a rotation answered; NaN where it threw. */
function figuresOf(failure: Error | null, reply: Evaluated): [number, number] {
  if (failure !== null || reply.exceptionDetails !== undefined || !Array.isArray(reply.result?.value)) {
    return [Number.NaN, Number.NaN];
  }
  const [pauseMicros, codeBytes] = reply.result.value as unknown[];
  return [Number(pauseMicros), Number(codeBytes)];
}

function exceptionText({ exceptionDetails }: Evaluated): string {
  const description = exceptionDetails?.exception?.description ?? exceptionDetails?.text ?? 'no answer';
  return description.split('\n', 1)[0]!;
}
