/** The control page between main and the agent thread (its words and cells: assembly/layout.ts), seen from main. */
import { AgentState, ControlCell, ControlWord } from '../assembly/layout';

const PAGE_BYTES = 512;
const CELLS_AT_BYTES = 256;

export class ControlPage {
  readonly buffer = new SharedArrayBuffer(PAGE_BYTES);
  readonly #words = new Int32Array(this.buffer, 0, CELLS_AT_BYTES / 4);
  readonly #cells = new Float64Array(this.buffer, CELLS_AT_BYTES);

  /** Throws where shared memory is not what it should be: two threads could not talk over it. */
  constructor() {
    const { byteLength } = this.buffer;
    if (byteLength !== PAGE_BYTES) throw new Error(`shared memory of ${PAGE_BYTES} bytes has ${byteLength}`);
  }

  get state(): AgentState {
    return Atomics.load(this.#words, ControlWord.AgentState) as AgentState;
  }

  /** The kernel's id of the agent thread, or 0. */
  get agentThread(): number {
    return Atomics.load(this.#words, ControlWord.AgentThread);
  }

  get hostFaults(): number {
    return Atomics.load(this.#words, ControlWord.HostFaults);
  }

  get selfMicros(): number {
    return this.#cells[ControlCell.SelfMicros]!;
  }

  setCell(cell: ControlCell, value: number): void {
    this.#cells[cell] = value;
  }

  addSelfMicros(micros: number): void {
    this.#cells[ControlCell.SelfMicros]! += micros;
  }

  /** Never throws: it is what a catch clause calls. */
  countFault(): void {
    try {
      Atomics.add(this.#words, ControlWord.HostFaults, 1);
    } catch {
      // A runtime whose Atomics do not work has no count of faults.
    }
  }

  /** Publishes the cells: pairs with the agent thread's load of PongSequence. */
  publishPong(sequence: number): void {
    Atomics.store(this.#words, ControlWord.PongSequence, sequence);
  }

  /** Whether an open ping says something about the event loop: pairs with the agent thread's load before it judges one. */
  setPingsEnded(ended: boolean): void {
    Atomics.store(this.#words, ControlWord.PingsEnded, ended ? 1 : 0);
  }

  get pingsEnded(): boolean {
    return Atomics.load(this.#words, ControlWord.PingsEnded) === 1;
  }

  /** Tells the agent thread that main leaves: pairs with its load of ExitRequested after Wake changed. */
  requestExit(exitCode: number): void {
    Atomics.store(this.#words, ControlWord.ExitCode, exitCode);
    Atomics.store(this.#words, ControlWord.ExitRequested, 1);
    this.#wake();
  }

  requestStop(): void {
    Atomics.store(this.#words, ControlWord.Request, 1);
    this.#wake();
  }

  /** Sleeps until the state is no longer `state`, at most `millis`. */
  waitWhile(state: AgentState, millis: number): void {
    Atomics.wait(this.#words, ControlWord.AgentState, state, millis);
  }

  #wake(): void {
    Atomics.add(this.#words, ControlWord.Wake, 1);
    Atomics.notify(this.#words, ControlWord.Wake);
  }
}

export function isOver(state: AgentState): boolean {
  return state === AgentState.Closed || state === AgentState.Failed;
}
