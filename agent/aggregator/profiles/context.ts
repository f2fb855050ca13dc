/** What the sources of profiles are given of the agent thread. */
import type { Owner } from '../../../collector/profile/tick-profile';
import type { AgentThreadData } from '../../thread-data';
import type { AsyncWatch } from '../async-watch';
import type { Dictionary } from '../dictionary';
import type { GcLedger } from '../gc-ledger';
import type { Heap } from '../heap/heap';
import type { ListenerLints } from '../listener-lints';
import type { FlightRecorder } from '../recorder/flight-recorder';
import type { Sampling } from '../sampling';
import type { StackSums } from '../stack-sums';

export type ProfileContext = {
  data: AgentThreadData;
  identity: Owner;
  /** What the process runs on: wire/environment.ts. */
  environment: readonly string[];
  dictionary: Dictionary;
  sampling: Sampling;
  heap: Heap;
  gc: GcLedger;
  /** Stalls and synchronous waits so far: amounts in µs. */
  blocked: StackSums;
  /** Worker threads that main has started so far. */
  threads: StackSums;
  /** Waits in Atomics.wait and for the turns of pools and ports so far: amounts in µs. */
  locks: StackSums;
  flight: FlightRecorder;
  /** Live asynchronous resources; null where the options switch them off. */
  async: AsyncWatch | null;
  listeners: ListenerLints;
  nowMicros(): number;
  /** CPU of the main thread so far, µs; null where the system does not tell. */
  mainCpuMicros(): number | null;
  /** What of it was burnt while sampling rested for the budget's sake, µs. */
  unsampledCpuMicros(): number;
  /** Since when the main thread is stuck in native code, µs; 0 when it is not. */
  stuckSinceMicros(): number;
  /** What the agent has cost so far, and since when; what it has lost by reason. */
  cost(): {
    /** CPU and pauses. */
    ownMicros: number;
    sinceMicros: number;
    rotations: number;
    rotationPauseMicros: number;
    /** Time without sampling for the budget's sake. */
    savedMicros: number;
    /** Of the agent thread, now. */
    memoryBytes: number;
    sentBytes: number;
    losses: ReadonlyMap<string, number>;
  };
  /** Tells the collector's users something that the agent did by itself. */
  note(text: string): void;
};
