/** The CPU clock of the main thread, from when it is made: what samples are held against. */
import type { ProfileContext } from './context';

/** µs; null where the system does not tell. clocked: all of it; sampled: without what was burnt while sampling rested. */
export type Clocked = { clockedMicros: number | null; sampledMicros: number | null };

export class MainClock {
  readonly #context: Pick<ProfileContext, 'mainCpuMicros' | 'unsampledCpuMicros'>;
  readonly #cpuBefore: number | null;
  readonly #unsampledBefore: number;

  constructor(context: Pick<ProfileContext, 'mainCpuMicros' | 'unsampledCpuMicros'>) {
    this.#context = context;
    this.#cpuBefore = context.mainCpuMicros();
    this.#unsampledBefore = context.unsampledCpuMicros();
  }

  read(): Clocked {
    const cpu = this.#context.mainCpuMicros();
    if (cpu === null || this.#cpuBefore === null) return { clockedMicros: null, sampledMicros: null };
    const clockedMicros = cpu - this.#cpuBefore;
    const unsampledMicros = this.#context.unsampledCpuMicros() - this.#unsampledBefore;
    return { clockedMicros, sampledMicros: Math.max(0, clockedMicros - unsampledMicros) };
  }
}
