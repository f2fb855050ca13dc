/**
 * Tells from pings whether main's event loop still turns. The agent thread posts a ping and looks for the answer on the
 * control page; an answer that stays out for `stallMillis` is a hang, told while it lasts. Time in which the agent
 * thread itself stood still (SIGSTOP, a freezer, a throttled cgroup) is taken off: a suspension is never a stall.
 */
import { HANG_NATIVE } from '../wire/schema';

/** A hang that goes on is told again after a second, then ever more rarely, µs. */
const TELL_FIRST_MICROS = 1e6;
const TELL_LAST_MICROS = 10e6;
/** So much of its length so far passes before a hang is told again. */
const TELL_SHARE = 0.2;
/** Main owes an answer to the inspector for this long: it is in native code, µs. */
const NATIVE_AFTER_MICROS = 100e3;

export type HangHost = {
  /** Cut the running window now, so that its ticks come in; false when main still owes an answer. */
  cut(): boolean;
  /** Since when main owes the inspector an answer, µs; 0 for not at all. */
  openSinceMicros(): number;
  /** What ticks since `sinceMicros` say, the newest ones if there are many: a HANG_* kind, or 0 while there are none. */
  kindOf(sinceMicros: number): number;
  tell(kind: number, sinceMicros: number, durationMicros: number): void;
  ended(kind: number, startMicros: number, durationMicros: number): void;
};

export type Hang = { kind: number; sinceMicros: number };

export class HangWatch {
  /** The hang that lasts right now. */
  current: Hang | null = null;
  #pingAtMicros = 0;
  #suspendedMicros = 0;
  /** The window was cut for the next telling. */
  #cut = false;
  #nextMicros = 0;

  constructor(
    readonly stallMicros: number,
    /** An answer this late is told as ended: it is a stall, or the end of one that the ping left in the middle of. */
    readonly lateMicros: number,
    readonly host: HangHost,
  ) {}

  /** When the open ping was sent, µs; 0 when none is open. */
  get pingAtMicros(): number {
    return this.#pingAtMicros;
  }

  pinged(nowMicros: number): void {
    this.#pingAtMicros = nowMicros;
    this.#suspendedMicros = 0;
    this.#nextMicros = 0;
    this.#cut = false;
  }

  /** The whole process stood still for so long. */
  suspended(micros: number): void {
    if (this.#pingAtMicros !== 0) this.#suspendedMicros += micros;
  }

  /** Nobody answers any more: what is open says nothing. */
  forget(): void {
    this.#pingAtMicros = 0;
    this.current = null;
  }

  /** The open ping was answered at `atMicros`. Gives the loop's delay, µs, suspensions taken off. */
  answered(atMicros: number): number {
    const delay = Math.max(0, atMicros - this.#pingAtMicros - this.#suspendedMicros);
    if (delay >= this.lateMicros) {
      const kind = this.current?.kind || this.host.kindOf(this.#pingAtMicros);
      this.host.ended(kind, this.#pingAtMicros, delay);
    }
    this.#pingAtMicros = 0;
    this.current = null;
    return delay;
  }

  /** Called at every tick while a ping is open. First the window is cut, then, when its ticks are in, the hang is told. */
  check(nowMicros: number): void {
    const waited = nowMicros - this.#pingAtMicros - this.#suspendedMicros;
    if (this.#pingAtMicros === 0 || waited < this.stallMicros || nowMicros < this.#nextMicros) return;
    if (!this.#cut) {
      this.#cut = this.host.cut();
      if (this.#cut) return;
    }
    const open = this.host.openSinceMicros();
    const native = open !== 0 && nowMicros - open > NATIVE_AFTER_MICROS;
    const kind = native ? HANG_NATIVE : this.host.kindOf(this.#pingAtMicros);
    if (kind === 0) {
      this.#cut &&= open !== 0;
      return;
    }
    this.current = { kind, sinceMicros: this.#pingAtMicros };
    this.#cut = false;
    this.#nextMicros =
      nowMicros + Math.min(TELL_LAST_MICROS, Math.max(TELL_FIRST_MICROS, waited * TELL_SHARE));
    this.host.tell(kind, this.#pingAtMicros, waited);
  }
}
