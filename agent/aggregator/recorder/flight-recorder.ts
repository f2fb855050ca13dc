/**
 * The flight recorder: what happened in the last seconds, written down when something goes wrong. It lives on the agent
 * thread, so it also answers while the main thread hangs.
 *
 * A stall or a hang, a collection far over its baseline, an exit with a nonzero code, or the signal that was asked for
 * makes a dump: in a file of RINGTAIL_RECORD_DIR, else the last one is kept in memory. Those that nobody asked for come
 * once a minute at most; what was left out is counted and told with the next. What makes dumps is loaded at the first.
 */
import type { StackNames } from '../../../collector/profile/stack-table';
import type { AgentOptions } from '../../options';
import { say } from '../../stderr';
import {
  EVENT_HANG,
  EVENT_NOTE,
  EVENT_STALL,
  EVENT_SUSPENDED,
  type EventTuple,
  HANG_KINDS,
} from '../../wire/schema';
import type { Hang } from '../hang-watch';
import type { TickWindow } from '../profile-reader';
import type { ProfileContext } from '../profiles/context';
import type { Sampling } from '../sampling';
import type { Dumps } from './dumps';
import { folderProblem } from './folder-problem';
import type { RecordedIncident } from './recorded';
import { RECORDER_BYTES, Recorder } from './recorder';
import { stackWords } from './stack-words';

export type DumpReason = 'stall' | 'hang' | 'gc' | 'exit' | 'signal' | 'request';

/** Dumps that nobody asked for are so far apart, µs. */
const DUMP_EVERY_MICROS = 60e6;
/** A hang that lasts is dumped without waiting for its end, µs. */
const HANG_MICROS = 5e6;

export type FlightHost = {
  options: AgentOptions;
  identity: { service: string; instance: string };
  sampling: Pick<Sampling, 'upToDate' | 'listeners'>;
  dictionary: StackNames;
  nowMicros(): number;
  /** Brings in what lies in the rings. */
  drain(): void;
  note(text: string): void;
  /** For what a dump says of the agent and of what the program runs on. */
  context(): ProfileContext;
};

export class FlightRecorder {
  readonly recorder: Recorder;
  readonly #host: FlightHost;
  #dumps: Promise<Dumps> | null = null;
  #dumpedMicros = Number.NEGATIVE_INFINITY;
  #leftOut = 0;
  #busy = false;
  /** The hang that lasts, as it was told last. */
  #hang: RecordedIncident | null = null;
  /** The hang that was dumped while it lasted, by when it began. */
  #dumpedHang = 0;
  #turns = 0;

  constructor(host: FlightHost) {
    this.#host = host;
    const { recordSeconds, recordDir } = host.options;
    const keepMicros = recordSeconds * 1e6;
    this.recorder = new Recorder({ keepMicros, bytes: RECORDER_BYTES });
    host.sampling.listeners.add((window: TickWindow, periodNanos: number) =>
      this.recorder.window(window, periodNanos / 1000, host.dictionary),
    );
    const problem = recordDir === '' || recordSeconds === 0 ? '' : folderProblem(recordDir);
    if (problem !== '') say(`RINGTAIL_RECORD_DIR: dumps will not get into ${recordDir}: ${problem}`);
  }

  /** What the recorder holds of the last seconds, gzipped. */
  async take(): Promise<Uint8Array> {
    const dumps = await this.#load();
    await this.#bringIn();
    return dumps.make('request', this.#host.options.recordSeconds);
  }

  /** The last dump that was not asked for; null where there is none. */
  async last(): Promise<Uint8Array | null> {
    return (await this.#dumps)?.last() ?? null;
  }

  /** Of [from, to], gzipped; for `trace`. */
  async between(fromMicros: number, toMicros: number): Promise<Uint8Array> {
    const dumps = await this.#load();
    this.#host.drain();
    return dumps.between('trace', fromMicros, toMicros);
  }

  /** What leaves as an event is recorded, and may be a reason to dump. */
  tell(event: EventTuple): void {
    const { options } = this.#host;
    const [kind, , startMicros, durationMicros] = event;
    const incident = this.#incidentOf(event);
    if (kind === EVENT_HANG) this.#hang = incident;
    else if (incident !== null) this.recorder.incident(incident);
    if (kind !== EVENT_STALL || durationMicros < options.recordStallMillis * 1000) return;
    if (Math.abs(startMicros - this.#dumpedHang) > durationMicros)
      this.dump('stall', `a stall of ${(durationMicros / 1e6).toFixed(2)} s`);
  }

  delay(atMicros: number, delayMicros: number, turns: number): void {
    this.recorder.delay(atMicros, delayMicros, Math.max(0, turns - this.#turns));
    this.#turns = turns;
  }

  /** At every tick. */
  tick(nowMicros: number, hang: Hang | null): void {
    if (hang === null) this.#hang = null;
    if (hang === null || hang.sinceMicros === this.#dumpedHang) return;
    const lastsMicros = nowMicros - hang.sinceMicros;
    if (lastsMicros < Math.max(HANG_MICROS, this.#host.options.recordStallMillis * 1000)) return;
    this.#dumpedHang = hang.sinceMicros;
    this.dump('hang', `a hang that has lasted ${(lastsMicros / 1e6).toFixed(0)} s`);
  }

  /** Begins a dump, unless one was made a moment ago. words: why, for people. */
  dump(reason: DumpReason, words: string): void {
    if (!this.recorder.on) return;
    const now = this.#host.nowMicros();
    const rationed = reason !== 'signal' && now - this.#dumpedMicros < DUMP_EVERY_MICROS;
    if (this.#busy || rationed) {
      this.#leftOut++;
      return;
    }
    this.#dumpedMicros = now;
    this.#busy = true;
    this.#dump(reason, words)
      .catch((error: Error) => this.#host.note(`the flight recorder could not be dumped: ${error.message}`))
      .finally(() => {
        this.#busy = false;
      });
  }

  /** At an exit with a nonzero code, when the last window is in. Where no file can be left, there is nothing to do. */
  async exits(code: number): Promise<void> {
    if (!this.recorder.on || this.#host.options.recordDir === '') return;
    const dumps = await this.#load();
    this.#note(dumps.keep(dumps.make('exit', this.#host.options.recordSeconds), 'exit'), `exit code ${code}`);
  }

  async #dump(reason: DumpReason, words: string): Promise<void> {
    const dumps = await this.#load();
    await this.#bringIn();
    this.#note(dumps.keep(dumps.make(reason, this.#host.options.recordSeconds), reason), words);
  }

  /** Ticks and ring records up to now, as far as main can be interrupted. */
  async #bringIn(): Promise<void> {
    await this.#host.sampling.upToDate();
    this.#host.drain();
  }

  #note(where: string, words: string): void {
    if (where === '') return;
    const more = this.#leftOut === 0 ? '' : `; ${this.#leftOut} more reasons since the last dump`;
    this.#leftOut = 0;
    this.#host.note(`flight recorder dumped ${where}: ${words}${more}`);
  }

  #load(): Promise<Dumps> {
    this.#dumps ??= import('./dumps.js').then(
      ({ Dumps }) => new Dumps({ ...this.#host, recorder: this.recorder, hang: () => this.#hang }),
    );
    return this.#dumps;
  }

  #incidentOf([kind, , startMicros, durationMicros, a, , stack]: EventTuple): RecordedIncident | null {
    const { dictionary } = this.#host;
    const at = { startMicros, durationMicros };
    if (kind === EVENT_NOTE) return { kind: 'note', ...at, text: dictionary.string(a), stack: [] };
    if (kind === EVENT_SUSPENDED) return { kind: 'suspended', ...at, text: 'suspended', stack: [] };
    if (kind !== EVENT_STALL && kind !== EVENT_HANG) return null;
    const words = stackWords(dictionary, stack);
    const name = HANG_KINDS[a as keyof typeof HANG_KINDS] ?? 'unknown';
    const leaf = words[words.length - 1];
    const text = leaf === undefined ? name : `${name}: ${leaf}`;
    return kind === EVENT_STALL
      ? { kind: 'stall', ...at, text, stack: words }
      : { kind: 'hang', ...at, text: `still hangs, ${text}`, stack: words };
  }
}
