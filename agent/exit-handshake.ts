/**
 * The goodbye between two threads: when the process leaves, main tells the agent thread and
 * waits until it has flushed and let go of the inspector, in slices short enough for the inspector's interrupts, and
 * never beyond a hard deadline. A thread that is not ready yet holds nothing that must be let go, so it is not awaited:
 * main requests the exit before it reads the state, the thread says that it is ready before it looks for the request,
 * so one of them sees the other, and no thread takes hold of the inspector behind main's back.
 */
import { AgentState } from '../assembly/layout';
import { type ControlPage, isOver } from './control';
import { ListenerRoom } from './listener-room';

const DEADLINE_MILLIS = 350;
const SLICE_MILLIS = 1;

export class ExitHandshake {
  readonly #control: ControlPage;
  readonly #terminate: () => void;
  readonly #nowMicros: () => number;
  readonly #failureMillis: number;
  readonly #room = new ListenerRoom(process, ['exit', 'worker']);
  #armed = false;

  /** failureMillis: how much longer the thread may take where the exit code is not 0. */
  constructor(control: ControlPage, terminate: () => void, nowMicros: () => number, failureMillis = 0) {
    this.#control = control;
    this.#terminate = terminate;
    this.#nowMicros = nowMicros;
    this.#failureMillis = failureMillis;
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
      if (state !== AgentState.Ready && state !== AgentState.Closing) return;
      if (!this.#closesInTime(exitCode === 0 ? 0 : this.#failureMillis)) this.#terminate();
    } catch {
      this.#control.countFault();
    }
  };

  /** The slice after the end lets main take the inspector's last message while the agent thread is there to be told. */
  #closesInTime(moreMillis: number): boolean {
    const deadlineMicros = this.#nowMicros() + (DEADLINE_MILLIS + moreMillis) * 1000;
    for (;;) {
      const { state } = this.#control;
      this.#control.waitWhile(state, SLICE_MILLIS);
      if (isOver(state)) return true;
      if (this.#nowMicros() >= deadlineMicros) return false;
    }
  }
}
