/** The control page as the agent thread sees it; its words and cells are in assembly/layout.ts. */
import { type AgentState, ControlCell, ControlWord } from '../../assembly/layout';

const CELLS_AT_BYTES = 256;

export class MainPage {
  readonly #words: Int32Array;
  readonly #cells: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, CELLS_AT_BYTES / 4);
    this.#cells = new Float64Array(buffer, CELLS_AT_BYTES);
  }

  /** Wakes main where it waits for this state in its exit handshake. */
  setState(state: AgentState): void {
    Atomics.store(this.#words, ControlWord.AgentState, state);
    Atomics.notify(this.#words, ControlWord.AgentState);
  }

  /** The kernel's id of this thread. */
  setThread(tid: number): void {
    Atomics.store(this.#words, ControlWord.AgentThread, tid);
  }

  get exitRequested(): boolean {
    return Atomics.load(this.#words, ControlWord.ExitRequested) === 1;
  }

  /** Of the process, once its exit is requested. */
  get exitCode(): number {
    return Atomics.load(this.#words, ControlWord.ExitCode);
  }

  get stopRequested(): boolean {
    return Atomics.load(this.#words, ControlWord.Request) === 1;
  }

  /** Main's event-loop source is off: a ping without an answer says nothing any more. */
  get pingsEnded(): boolean {
    return Atomics.load(this.#words, ControlWord.PingsEnded) === 1;
  }

  get hostFaults(): number {
    return Atomics.load(this.#words, ControlWord.HostFaults);
  }

  /** The last ping that main answered: pairs with its store after it wrote the cells. */
  get pongSequence(): number {
    return Atomics.load(this.#words, ControlWord.PongSequence);
  }

  sendPing(sequence: number, atMicros: number): void {
    this.#cells[ControlCell.PingAtMicros] = atMicros;
    Atomics.store(this.#words, ControlWord.PingSequence, sequence);
  }

  cell(cell: ControlCell): number {
    return this.#cells[cell]!;
  }

  /** Calls back when main has something to say: it changes Wake and notifies. */
  onWake(callback: () => void): void {
    const seen = Atomics.load(this.#words, ControlWord.Wake);
    const waiting = Atomics.waitAsync(this.#words, ControlWord.Wake, seen);
    const woken = () => {
      callback();
      this.onWake(callback);
    };
    if (this.exitRequested || this.stopRequested) callback();
    else if (waiting.async) void waiting.value.then(woken);
    else setImmediate(woken);
  }
}
