/**
 * Where committed batches are kept. Narrow on purpose: one implementation keeps memory, others may keep files or a
 * cluster. Everything is asynchronous, times are the agents' own µs unless a name says wall.
 */
import type { Batch, Instance } from './batch';

export type Durability = 'memory' | 'written' | 'durable';

/** Part of one agent's time: [fromMicros, toMicros). */
export type TimeRange = { agentId: string; fromMicros: number; toMicros: number };

export type StoreStats = {
  batches: number;
  bytes: number;
  agents: number;
  evictedBatches: number;
  evictedBytes: number;
};

export interface Store {
  readonly durability: Durability;
  /** Makes an agent known; a later call with the same id replaces what was known. */
  putInstance(instance: Instance): Promise<void>;
  /** Every agent that has something stored or was put within the retention. */
  instances(): Promise<Instance[]>;
  /** Resolves when the batch is as safe as `durability` says. The caller has dropped duplicates. */
  commit(batch: Batch): Promise<void>;
  /** The last committed sequence of an epoch, -1 for none. */
  lastSequence(agentId: string, epoch: number): Promise<number>;
  /** Batches that have a window, a value or an event in the range or whose own time overlaps it, in order of commit. */
  batches(range: TimeRange): Promise<Batch[]>;
  stats(): StoreStats;
  close(): Promise<void>;
}
