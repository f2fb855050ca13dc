/**
 * The goodbye between two threads: when the process leaves, main tells the agent thread and
 * waits until it has let go of the inspector and flushed, in slices short enough for the inspector's interrupts, and
 * never beyond a hard deadline. A thread that is not ready yet holds nothing that must be let go, so it is not awaited:
 * main requests the exit before it reads the state, the thread says that it is ready before it looks for the request,
 * so one of them sees the other, and no thread takes hold of the inspector behind main's back.
 */
import { AgentState } from '../assembly/layout';
import { type ControlPage, isOver } from './control';
import { ListenerRoom } from './listener-room';
import { LOOK_MICROS, readThreadFigures, Starvation, type ThreadFigures } from './starvation';

const DEADLINE_MILLIS = 350;
const SLICE_MILLIS = 1;
/** What a slice counts at the most, µs: as long as one takes where nobody else wants the core. */
const SLICE_COUNTS_MICROS = 1250;
/** The longest wait to be let go of on a machine that is short of cores, ms. */
const STARVED_MILLIS = 2000;

export class ExitHandshake {
  readonly #control: ControlPage;
  readonly #terminate: () => void;
  readonly #nowMicros: () => number;
  readonly #moreMillis: (exitCode: number) => number;
  readonly #onEarly: () => void;
  readonly #figures: () => ThreadFigures | null;
  readonly #room = new ListenerRoom(process, ['exit', 'worker']);
  #armed = false;

  /** moreMillis: how much longer the thread may take for what it has to write. onEarly: the program leaves before the thread is ready. figures: of the agent thread. */
  constructor(
    control: ControlPage,
    terminate: () => void,
    nowMicros: () => number,
    moreMillis: (exitCode: number) => number = () => 0,
    onEarly: () => void = () => {},
    figures = () => readThreadFigures(control.agentThread),
  ) {
    this.#control = control;
    this.#terminate = terminate;
    this.#nowMicros = nowMicros;
    this.#moreMillis = moreMillis;
    this.#onEarly = onEarly;
    this.#figures = figures;
  }

  /** Listens for `exit`. */
  arm(): void {
    this.#room.make();
    process.on('exit', this.#onExit);
    this.#armed = true;
  }

  /** Listens again when the host has removed all listeners. Never throws: where this fails, it is not tried again. */
  rearm(): void {
    if (!this.#armed) return;
    try {
      if (process.listeners('exit').includes(this.#onExit)) return;
      this.#room.make();
      process.on('exit', this.#onExit);
    } catch {
      this.#armed = false;
      this.#control.countFault();
    }
  }

  disarm(): void {
    this.#armed = false;
    process.removeListener('exit', this.#onExit);
    this.#room.giveBack();
  }

  readonly #onExit = (exitCode: number): void => {
    try {
      this.#control.requestExit(exitCode);
      const { state } = this.#control;
      if (state === AgentState.Booting) this.#onEarly();
      if (state === AgentState.Booting || isOver(state)) return;
      if (!this.#closesInTime(this.#moreMillis(exitCode))) this.#terminate();
    } catch {
      this.#control.countFault();
    }
  };

  /**
   * Until main is let go of, a slice counts for little more than its length, however late it ends: on a machine that has
   * too little for all, the agent thread gets as little as main, and leaving with its sessions open would show on the
   * program's stderr. Where it gets even less, main waits on. What there is to send after that is not worth as
   * much. The slice after the end lets main take the inspector's last message while the agent thread is there to be told.
   */
  #closesInTime(moreMillis: number): boolean {
    const beganMicros = this.#nowMicros();
    let countedMicros = 0;
    let starvation: Starvation | null = null;
    let letGoMillis: number | null = null;
    for (let before = beganMicros; ; ) {
      const { state } = this.#control;
      this.#control.waitWhile(state, SLICE_MILLIS);
      if (isOver(state)) return true;
      const now = this.#nowMicros();
      countedMicros += Math.min(now - before, SLICE_COUNTS_MICROS);
      before = now;
      const millis = (now - beganMicros) / 1000;
      if (state === AgentState.LetGo) {
        letGoMillis ??= millis;
        if (millis >= DEADLINE_MILLIS + moreMillis && millis - letGoMillis >= moreMillis) return false;
        continue;
      }
      if (millis >= STARVED_MILLIS) return false;
      if (countedMicros < DEADLINE_MILLIS * 1000 - LOOK_MICROS) continue;
      starvation ??= new Starvation(this.#figures, now);
      if (!starvation.lasts(now) && countedMicros >= DEADLINE_MILLIS * 1000) return false;
    }
  }
}
