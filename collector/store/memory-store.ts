/**
 * The store that keeps memory: the last minutes of every agent, bounded in time and in bytes. The oldest batch goes
 * first, whoever's it is; what had to go for bytes is counted. A table of stacks lives as long as a batch points to it.
 */
import type { StackTable } from '../profile/stack-table';
import type { Batch, Instance } from './batch';
import type { Store, StoreStats, TimeRange } from './store';

/** nowMillis: a clock that is never set, because batches grow old by it. */
export type MemoryStoreOptions = { retentionMillis: number; storeBytes: number; nowMillis: () => number };

export const DEFAULT_RETENTION_MILLIS = 15 * 60_000;
export const DEFAULT_STORE_BYTES = 256 * 1024 * 1024;
export const RETENTION_MIN_MILLIS = 60_000;
export const RETENTION_MAX_MILLIS = 24 * 3600_000;
export const STORE_BYTES_MIN = 1024 * 1024;

/** What a decoded object costs beyond the bytes of its message, about. */
const OVERHEAD_FACTOR = 3;
const BATCH_OVERHEAD_BYTES = 1024;

type Kept = { batch: Batch; atMillis: number; bytes: number; firstMicros: number; lastMicros: number };

type Agent = {
  instance: Instance | null;
  seenMillis: number;
  /** Last committed sequence by epoch, newest epochs only. */
  sequences: Map<number, number>;
  kept: Kept[];
};

const EPOCHS_PER_AGENT = 8;

export class MemoryStore implements Store {
  readonly durability = 'memory';
  #options: MemoryStoreOptions;
  #agents = new Map<string, Agent>();
  /** All batches, oldest first; `#head` is the first that is still kept, before it places are empty. */
  #queue: (Kept | null)[] = [];
  #head = 0;
  #tableUses = new Map<StackTable, number>();
  #batchBytes = 0;
  #evictedBatches = 0;
  #evictedBytes = 0;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
  }

  async putInstance(instance: Instance): Promise<void> {
    this.expire();
    this.#agent(instance.agentId).instance = instance;
  }

  async instances(): Promise<Instance[]> {
    this.expire();
    return [...this.#agents.values()].flatMap((agent) => (agent.instance === null ? [] : [agent.instance]));
  }

  async commit(batch: Batch): Promise<void> {
    const agent = this.#agent(batch.agentId);
    const bytes = BATCH_OVERHEAD_BYTES + batch.byteSize * OVERHEAD_FACTOR;
    const kept: Kept = { batch, bytes, atMillis: this.#options.nowMillis(), ...spanOf(batch) };
    agent.kept.push(kept);
    agent.sequences.set(batch.epoch, batch.sequence);
    if (agent.sequences.size > EPOCHS_PER_AGENT) agent.sequences.delete(Math.min(...agent.sequences.keys()));
    this.#queue.push(kept);
    this.#batchBytes += bytes;
    this.#tableUses.set(batch.stacks, (this.#tableUses.get(batch.stacks) ?? 0) + 1);
    this.expire();
    this.#shrink();
  }

  async lastSequence(agentId: string, epoch: number): Promise<number> {
    return this.#agents.get(agentId)?.sequences.get(epoch) ?? -1;
  }

  async batches(range: TimeRange): Promise<Batch[]> {
    this.expire();
    const kept = this.#agents.get(range.agentId)?.kept ?? [];
    return kept
      .filter((entry) => entry.lastMicros >= range.fromMicros && entry.firstMicros < range.toMicros)
      .map((entry) => entry.batch);
  }

  /**
   * Drops what is older than the retention, and agents of which nothing is left: with every commit and question, and
   * whenever it is called where there are none.
   */
  expire(): void {
    const before = this.#options.nowMillis() - this.#options.retentionMillis;
    for (let oldest = this.#queue[this.#head]; oldest && oldest.atMillis < before; ) {
      this.#dropOldest(oldest);
      oldest = this.#queue[this.#head];
    }
    for (const [agentId, agent] of this.#agents) {
      if (agent.kept.length === 0 && agent.seenMillis < before) this.#agents.delete(agentId);
    }
  }

  stats(): StoreStats {
    return {
      batches: this.#queue.length - this.#head,
      bytes: this.#bytes(),
      agents: this.#agents.size,
      evictedBatches: this.#evictedBatches,
      evictedBytes: this.#evictedBytes,
    };
  }

  async close(): Promise<void> {
    this.#agents.clear();
    this.#queue = [];
    this.#head = 0;
    this.#tableUses.clear();
    this.#batchBytes = 0;
  }

  #agent(agentId: string): Agent {
    let agent = this.#agents.get(agentId);
    if (agent === undefined) {
      agent = { instance: null, seenMillis: 0, sequences: new Map(), kept: [] };
      this.#agents.set(agentId, agent);
    }
    agent.seenMillis = this.#options.nowMillis();
    return agent;
  }

  #bytes(): number {
    let bytes = this.#batchBytes;
    for (const table of this.#tableUses.keys()) bytes += table.byteSize;
    return bytes;
  }

  /** Drops the oldest until the bytes fit; the newest batch always stays. */
  #shrink(): void {
    while (this.#bytes() > this.#options.storeBytes && this.#queue.length - this.#head > 1) {
      const oldest = this.#queue[this.#head]!;
      this.#evictedBatches++;
      this.#evictedBytes += oldest.bytes;
      this.#dropOldest(oldest);
    }
  }

  #dropOldest(oldest: Kept): void {
    this.#queue[this.#head++] = null;
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#batchBytes -= oldest.bytes;
    this.#agents.get(oldest.batch.agentId)?.kept.shift();
    const table = oldest.batch.stacks;
    const uses = this.#tableUses.get(table)! - 1;
    if (uses === 0) this.#tableUses.delete(table);
    else this.#tableUses.set(table, uses);
  }
}

/** The first and last moment that anything in the batch speaks of. */
function spanOf(batch: Batch): { firstMicros: number; lastMicros: number } {
  let firstMicros = batch.startMicros;
  let lastMicros = batch.endMicros;
  for (const window of batch.windows) {
    firstMicros = Math.min(firstMicros, window.startMicros);
    lastMicros = Math.max(lastMicros, window.endMicros);
  }
  for (const event of batch.events) firstMicros = Math.min(firstMicros, event.startMicros);
  return { firstMicros, lastMicros };
}
