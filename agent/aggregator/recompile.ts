/**
 * Makes V8 throw its optimised code away, so that it compiles what is hot again while its sampler listens. At the start
 * of a profile V8 logs the code that exists, but not code that hangs only on a feedback vector: loops that were replaced
 * on the stack. Such a function stands with its caller for ever. Beginning a precise coverage deoptimises everything; it
 * is ended at once.
 *
 * It is done to the main thread alone, after the first start where the agent came into a running program, and else only
 * on evidence (dispatch-evidence.ts), because it has a price: V8 walks the heap, code is optimised again, and V8 forgets
 * no bytecode from then on in this process. An isolate has one coverage for all sessions, so it is never done where the
 * program may take one itself.
 */
import type { RecompileMode } from '../options';
import type { Cost } from './cost';
import { DispatchEvidence, type MayHide } from './dispatch-evidence';
import { MAIN_INSPECTOR_TEXT } from './main-inspector';
import type { V8Profile } from './profile-reader';
import type { SamplerSession, SessionResult } from './sampler';

/** The longest pause that the sampler's last start, and what is to come, may have cost main, µs; the second where somebody has asked for it. */
const PAUSE_MAX_MICROS = 50e3;
const ASKED_PAUSE_MAX_MICROS = 100e3;
/** V8 walks the heap twice: 1.0 to 1.9 ms for each MB of small objects were seen on a busy machine. */
const MICROS_PER_HEAP_BYTE = 0.0015;
const TIMES_MAX = 3;
const EVERY_MICROS = 600e6;

/** What main answers: why it must not be, or ''; and the bytes of its heap. */
export const GUARD_TEXT = `(function(p,i,v){var l=p.moduleLoadList,e=p.env.NODE_V8_COVERAGE;return[i.url()!==undefined?'a debugger is attached':e?'NODE_V8_COVERAGE is set':!Array.isArray(l)?'the runtime does not tell whether node:inspector is loaded':l.indexOf('NativeModule inspector')>=0?'the program has loaded node:inspector':'',v.getHeapStatistics().used_heap_size]})(process,${MAIN_INSPECTOR_TEXT},process.getBuiltinModule('v8'))`;
const NOW_TEXT = 'Number(process.hrtime.bigint())/1e3';
const COVERAGE = { callCount: false, detailed: false };

export type RecompileHost = {
  mode: RecompileMode;
  cost: Cost;
  nowMicros(): number;
  note(text: string): void;
  /** The session that samples main; null while none does. */
  session(): SamplerSession | null;
  mayHide: MayHide;
  /** What a start of the sampler costs main, µs. */
  startMicros(): number;
};

export class Recompile {
  readonly #evidence = new DispatchEvidence();
  #isDueAtStart: boolean;
  #times = 0;
  #nextMicros = Number.NEGATIVE_INFINITY;

  constructor(readonly host: RecompileHost) {
    this.#isDueAtStart = host.mode === 'start';
  }

  /** A window of main runs, whose start is paid for. */
  windowRuns(): void {
    if (!this.#isDueAtStart) return;
    this.#isDueAtStart = false;
    this.#ask('What ran hot before sampling began', ASKED_PAUSE_MAX_MICROS);
  }

  /** A window of main has ended, and the next one runs. */
  see(profile: V8Profile): void {
    if (this.host.mode === 'off' || this.#times >= TIMES_MAX || this.host.nowMicros() < this.#nextMicros)
      return;
    const evidence = this.#evidence.see(profile, this.host.mayHide);
    if (evidence === null || this.host.session() === null) return;
    // Not after the start's: what was being compiled right then may have slipped through.
    this.#nextMicros = this.host.nowMicros() + EVERY_MICROS;
    this.#ask(
      `${evidence.percent} % of the samples stand with ${evidence.name}: what it calls was hot before sampling began and`,
      PAUSE_MAX_MICROS,
    );
  }

  #ask(what: string, pauseMaxMicros: number): void {
    const { startMicros } = this.host;
    const session = this.host.session();
    if (session === null) return;
    this.#evidence.clear();
    this.#times++;
    const leave = (reason: string) =>
      this.host.note(`${what} may be shown under its caller; its code is left as it is: ${reason}`);
    const long = (micros: number) =>
      `to compile it again might hold main up for ${Math.round(micros / 1000)} ms`;
    if (startMicros() > PAUSE_MAX_MICROS) return leave(long(startMicros()));
    session.post('Runtime.evaluate', byValue(GUARD_TEXT), (error, reply) => {
      if (this.host.session() !== session) return;
      const [reason, heapBytes] = valuesOf(error, reply);
      if (typeof reason !== 'string' || typeof heapBytes !== 'number')
        return leave('the main thread has not told whether it may be');
      if (reason !== '') return leave(reason);
      const micros = heapBytes * MICROS_PER_HEAP_BYTE;
      if (micros > pauseMaxMicros) return leave(long(micros));
      this.#recompile(session, what);
    });
  }

  /** All commands leave together, so that main runs them in one go. */
  #recompile(session: SamplerSession, what: string): void {
    const { cost, note } = this.host;
    cost.mainCpuMicros();
    const waitedMicros = cost.mainWaitedMicros;
    let beganMicros: unknown;
    let failure = '';
    const failed = (error: Error | null) => {
      if (error !== null) failure ||= error.message;
    };
    session.post('Runtime.evaluate', byValue(NOW_TEXT), (error, reply) => {
      failed(error);
      beganMicros = reply?.result?.value;
    });
    session.post('Profiler.startPreciseCoverage', COVERAGE, failed);
    session.post('Profiler.stopPreciseCoverage', {}, failed);
    session.post('Runtime.evaluate', byValue(NOW_TEXT), (error, reply) => {
      failed(error);
      const pauseMicros = Number(reply?.result?.value) - Number(beganMicros);
      if (failure === '' && !Number.isFinite(pauseMicros)) failure = 'the main thread has not told the time';
      if (failure !== '') return note(`${what} may be shown under its caller: ${failure}`);
      cost.mainCpuMicros();
      const ownMicros = Math.max(0, pauseMicros - (cost.mainWaitedMicros - waitedMicros));
      cost.recompileMicros += ownMicros;
      cost.rotationPauseMicros += pauseMicros;
      note(
        `${what} would be shown under its caller: V8 was made to compile hot code again, so that it is named from now on; that held main up for ${(pauseMicros / 1000).toFixed(1)} ms`,
      );
    });
  }
}

function byValue(expression: string): object {
  return { expression, silent: true, returnByValue: true };
}

function valuesOf(error: Error | null, reply: SessionResult | undefined): unknown[] {
  const value = reply?.result?.value;
  return error === null && reply?.exceptionDetails === undefined && Array.isArray(value) ? value : [];
}
