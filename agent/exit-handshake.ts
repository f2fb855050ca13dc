/**
 * The goodbye between two threads: when the process leaves, main tells the agent thread and
 * waits until it has flushed and let go of the inspector, in slices short enough for the inspector's interrupts, and
 * never beyond a hard deadline. A thread that is not ready yet holds nothing that must be let go, so it is not awaited.
 */
import { AgentState } from '../assembly/layout';
import { type ControlPage, isOver } from './control';

const DEADLINE_MILLIS = 350;
const SLICE_MILLIS = 1;

export class ExitHandshake {
  readonly #control: ControlPage;
  readonly #terminate: () => void;
  readonly #nowMicros: () => number;

  constructor(control: ControlPage, terminate: () => void, nowMicros: () => number) {
    this.#control = control;
    this.#terminate = terminate;
    this.#nowMicros = nowMicros;
  }

  /** Listens for `exit`, unless it does already: a host may have removed all listeners. */
  arm(): void {
    if (!process.listeners('exit').includes(this.#onExit)) process.on('exit', this.#onExit);
  }

  disarm(): void {
    process.removeListener('exit', this.#onExit);
  }

  readonly #onExit = (exitCode: number): void => {
    try {
      const { state } = this.#control;
      if (state !== AgentState.Ready && state !== AgentState.Closing) return;
      this.#control.requestExit(exitCode);
      if (!this.#closesInTime()) this.#terminate();
    } catch {
      this.#control.countFault();
    }
  };

  /** The slice after the end lets main take the inspector's last message while the agent thread is there to be told. */
  #closesInTime(): boolean {
    const deadlineMicros = this.#nowMicros() + DEADLINE_MILLIS * 1000;
    for (;;) {
      const { state } = this.#control;
      this.#control.waitWhile(state, SLICE_MILLIS);
      if (isOver(state)) return true;
      if (this.#nowMicros() >= deadlineMicros) return false;
    }
  }
}
