/**
 * The agent's only trace in the host: one versioned property on process. It makes the agent one per process, whatever
 * number of copies of this package were loaded: a copy that finds the property works through it. Worker threads find
 * the shared memory in their environment data and attach a writer of their own, on the first instrument they make.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads';
import { attachWriter, type CoreMemory, type CoreWriter } from './core';
import type { LabelContext } from './label-context';
import type { GivenRoute } from './routes/request-routes';
import type { WaitStacks } from './wait-stacks';
import { AGENT_KEY } from './wire/agent-key';

const KEY: unique symbol = Symbol.for(AGENT_KEY);
const MEMORY_KEY = 'ringtail.memory/1';

/** Where instruments find their writer. `generation` changes with the writer: handles of an older one are void. */
export type Binding = { writer: CoreWriter | null; generation: number };

export type AgentStateName = 'off' | 'booting' | 'ready' | 'closing' | 'closed' | 'failed';

/** The agent's own counters. */
export type AgentStats = {
  state: AgentStateName;
  /** What the core runs on. */
  core: 'wasm' | 'twin' | 'none';
  /** Series that this thread's instruments and sources have opened. */
  series: number;
  /** Ring records of this thread that found no room. */
  dropped: number;
  /** Calls of this thread's instruments whose value, token or function could not be used. */
  refused: number;
  /** Faults the agent caught in the host's threads. */
  faults: number;
  /** What the agent's callbacks have cost this thread, µs. */
  selfMicros: number;
};

/** What one copy of the package shows to the others. */
export interface RunningAgent {
  readonly binding: Binding;
  stats(): AgentStats;
  /** What the agent's work outside of its sources has cost main, µs. */
  addSelfMicros(micros: number): void;
  /** request: the IncomingMessage. */
  setRoute(request: object, route: GivenRoute): void;
  /** Which labels the main thread runs under. */
  readonly labels: LabelContext;
  /** Stacks of those who wait for their turn; an older copy of this package has none. */
  readonly waits?: WaitStacks;
  stop(): Promise<void>;
}

type Registry = { [KEY]?: RunningAgent };

let ownBinding: Binding = { writer: null, generation: 0 };
let workerAsked = false;

export function runningAgent(): RunningAgent | undefined {
  return (process as Registry)[KEY];
}

/** The binding of the running agent, of this worker thread, or one that waits for start(). */
export function currentBinding(): Binding {
  if (isMainThread) ownBinding = runningAgent()?.binding ?? ownBinding;
  else if (!workerAsked) attachInWorker();
  return ownBinding;
}

export function register(agent: RunningAgent): void {
  Object.defineProperty(process, KEY, {
    value: agent,
    configurable: true,
    enumerable: false,
    writable: false,
  });
}

export function unregister(agent: RunningAgent): void {
  if (runningAgent() === agent) delete (process as Registry)[KEY];
}

/** Lets worker threads born from now on find the memory; null hides it again. */
export function shareMemory(memory: CoreMemory | null): void {
  setEnvironmentData(MEMORY_KEY, memory ?? undefined);
}

/** Whether main's agent runs, asked from a worker thread. */
export function memoryIsShared(): boolean {
  return getEnvironmentData(MEMORY_KEY) !== undefined;
}

function attachInWorker(): void {
  workerAsked = true;
  try {
    const memory = getEnvironmentData(MEMORY_KEY) as CoreMemory | undefined;
    const writer = memory === undefined ? null : attachWriter(memory, threadId);
    if (writer === null) return;
    ownBinding.writer = writer;
    ownBinding.generation++;
    process.once('exit', () => writer.detach());
  } catch {
    // Without a writer the instruments of this thread are no-ops.
  }
}
