/**
 * What the agent costs and what the process uses, as deltas since the last look: CPU of the main thread, the process,
 * the agent thread and V8's sampler threads; pauses and callbacks on main. null travels as -1: not known.
 */
import { ownThreadId, ThreadCpu } from '../thread-cpu';
import { SamplerThreads } from './sampler-threads';

export type CostDelta = {
  mainCpuMicros: number;
  processCpuMicros: number;
  agentCpuMicros: number;
  samplerCpuMicros: number;
  rotations: number;
  rotationPauseMicros: number;
};

const NOT_KNOWN = -1;

export class Cost {
  rotations = 0;
  /** How long the rotations held main up, waits for a core and all; and what they themselves took of it. */
  rotationPauseMicros = 0;
  rotationMicros = 0;
  /** What making V8 compile hot code again took of main: recompile.ts. Its pauses are among those of the rotations. */
  recompileMicros = 0;
  /** Pauses of the host's worker threads. */
  workerPauseMicros = 0;
  readonly #main = new ThreadCpu(process.pid);
  readonly #agent = new ThreadCpu(ownThreadId());
  #samplersBefore = 0;
  #last = { main: 0, process: 0, agent: 0, rotations: 0, pause: 0 };

  constructor(readonly samplers = new SamplerThreads()) {
    this.take();
  }

  /** CPU of the main thread so far, µs, or null. */
  mainCpuMicros(): number | null {
    return this.#main.micros();
  }

  /** How long main was ready to run while others had the core, µs, as of the last mainCpuMicros. */
  get mainWaitedMicros(): number {
    return this.#main.waitedMicros;
  }

  /** What the agent has cost outside the host's own callbacks so far, µs: its thread, V8's sampler, the rotations, and code compiled again. */
  ownMicros(): number {
    return this.agentCpuMicros() + this.rateMicros() + this.recompileMicros;
  }

  /** Of it what goes with the sampling rate, µs: V8's sampler and the rotations. */
  rateMicros(): number {
    return this.samplers.micros() + this.rotationMicros;
  }

  /** CPU of the agent thread so far, µs; 0 where it is not known. */
  agentCpuMicros(): number {
    return this.#agent.micros() ?? 0;
  }

  take(): CostDelta {
    const { user, system } = process.cpuUsage();
    const now = {
      main: this.#main.micros() ?? NOT_KNOWN,
      process: user + system,
      agent: this.#agent.micros() ?? NOT_KNOWN,
      rotations: this.rotations,
      pause: this.rotationPauseMicros,
    };
    const sampler = this.samplers.micros();
    const delta: CostDelta = {
      mainCpuMicros: now.main === NOT_KNOWN ? NOT_KNOWN : Math.round(now.main - this.#last.main),
      processCpuMicros: now.process - this.#last.process,
      agentCpuMicros: now.agent === NOT_KNOWN ? NOT_KNOWN : Math.round(now.agent - this.#last.agent),
      samplerCpuMicros: now.agent === NOT_KNOWN ? NOT_KNOWN : Math.round(sampler - this.#samplersBefore),
      rotations: now.rotations - this.#last.rotations,
      rotationPauseMicros: Math.round(now.pause - this.#last.pause),
    };
    this.#last = now;
    this.#samplersBefore = sampler;
    return delta;
  }
}
