/**
 * What stands between a source and the host program: an exception in one of our callbacks is counted and swallowed,
 * and a source that fails three times in ten minutes is switched off. It also keeps the account of what the callbacks
 * cost the main thread.
 */
import type { ControlPage } from './control';
import { messageOf, sayOnce } from './stderr';

const FAULTS_MAX = 3;
const FAULT_WINDOW_MICROS = 10 * 60 * 1e6;

export class SourceGuard {
  readonly name: string;
  readonly #control: ControlPage;
  readonly #nowMicros: () => number;
  readonly #faultsAtMicros: number[] = [];
  #close: (() => void) | null = null;

  constructor(name: string, control: ControlPage, nowMicros: () => number) {
    this.name = name;
    this.#control = control;
    this.#nowMicros = nowMicros;
  }

  /** False once the source was closed or switched off. */
  get open(): boolean {
    return this.#close !== null;
  }

  opened(close: () => void): void {
    this.#close = close;
  }

  close(): void {
    const close = this.#close;
    this.#close = null;
    try {
      close?.();
    } catch {
      this.#control.countFault();
    }
  }

  /** The callback as the host may call it: it never throws, and `everyCalls`-th call is timed for all of them. */
  wrap<A extends unknown[]>(callback: (...args: A) => void, everyCalls = 1): (...args: A) => void {
    let calls = 0;
    return (...args) => {
      try {
        if (++calls % everyCalls !== 0) return callback(...args);
        const startMicros = this.#nowMicros();
        callback(...args);
        this.#control.addSelfMicros((this.#nowMicros() - startMicros) * everyCalls);
      } catch (error) {
        this.fault(error);
      }
    };
  }

  /** Never throws. */
  fault(error: unknown): void {
    try {
      this.#count(error);
    } catch {
      this.close();
    }
  }

  #count(error: unknown): void {
    const atMicros = this.#nowMicros();
    const recent = this.#faultsAtMicros;
    this.#control.countFault();
    recent.push(atMicros);
    while (recent[0]! < atMicros - FAULT_WINDOW_MICROS) recent.shift();
    if (recent.length < FAULTS_MAX || !this.open) return;
    this.close();
    sayOnce(
      this.name,
      `switched the ${this.name} source off after ${FAULTS_MAX} faults: ${messageOf(error)}`,
    );
  }
}
