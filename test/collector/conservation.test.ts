/**
 * Nothing vanishes and nothing counts twice: ticks, records and events that agents produce are stored or told as
 * dropped, whatever happens to connections and collectors. The store is a slow one: a batch is in it only after a while,
 * as with a disk.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { encodeMessage } from '../../agent/wire/encode';
import { Counters } from '../../collector/counters';
import { Agents } from '../../collector/ingest/agents';
import { IngestEndpoint } from '../../collector/ingest/endpoint';
import type { Batch } from '../../collector/store/batch';
import { DEFAULT_RETENTION_MILLIS, MemoryStore } from '../../collector/store/memory-store';
import { nowMicros, PERIOD_MICROS, SyntheticAgent } from './synthetic-agent';

const TOKEN = 'a-token-of-the-tests-0123456789';
/** Pieces of work that wait for a connection, and batches on their way. */
const WAITING_MAX = 12;
const IN_FLIGHT_MAX = 6;
const tables = createTables();

type Amount = { ticks: number; records: number; events: number };
type Work = Amount & { atMicros: number };

const NOTHING: Amount = { ticks: 0, records: 0, events: 0 };
const plus = (one: Amount, other: Amount): Amount => ({
  ticks: one.ticks + other.ticks,
  records: one.records + other.records,
  events: one.events + other.events,
});

/** mulberry32: the same run every time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

class SlowStore extends MemoryStore {
  override async commit(batch: Batch): Promise<void> {
    await pause(batch.sequence % 5);
    await super.commit(batch);
  }
}

class SmallCollector {
  readonly counters = new Counters();
  readonly store: MemoryStore;
  readonly #endpoint: IngestEndpoint;
  readonly #server: Server;

  constructor(storeBytes = 64 * 1024 * 1024) {
    const nowMillis = () => performance.now();
    this.store = new SlowStore({ retentionMillis: DEFAULT_RETENTION_MILLIS, storeBytes, nowMillis });
    const { store, counters } = this;
    const agents = new Agents({
      nowMillis,
      agentsMax: 8,
      onListenerError: (error) => {
        throw error;
      },
    });
    const about = { token: TOKEN, collectorVersion: 'test', log: () => {} };
    this.#endpoint = new IngestEndpoint({ ...about, store, agents, tables, counters });
    this.#server = createServer();
    this.#server.on('upgrade', (request, socket, head) => this.#endpoint.upgrade(request, socket, head));
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** As a crash looks to agents; what was stored can still be read here. */
  async crash(): Promise<void> {
    this.#endpoint.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async stored(agent: SyntheticAgent): Promise<Batch[]> {
    const agentId = Buffer.from(agent.agentId).toString('hex');
    return this.store.batches({ agentId, fromMicros: 0, toMicros: Number.MAX_SAFE_INTEGER });
  }
}

/** The sending half of an agent: batches are kept until they are acknowledged, work that waits too long is dropped. */
class Producer {
  produced = NOTHING;
  dropped = NOTHING;
  reconnects = 0;
  duplicates = 0;
  readonly agent: SyntheticAgent;
  #random: (below: number) => number;
  #waiting: Work[] = [];
  #losses = 0;
  #unacknowledged: { sequence: number; bytes: Uint8Array }[] = [];
  #history: Uint8Array[] = [];
  #up = false;

  constructor(port: number, random: (below: number) => number, instance: string) {
    this.agent = new SyntheticAgent({ host: '127.0.0.1', port }, TOKEN, 'shop', instance);
    this.#random = random;
  }

  get idle(): boolean {
    return this.#waiting.length === 0 && this.#unacknowledged.length === 0 && this.#losses === 0;
  }

  work(): void {
    const atMicros = nowMicros();
    const [ticks, records, events] = [this.#random(40), this.#random(20), this.#random(3)];
    const work = { ticks, records, events, atMicros };
    this.produced = plus(this.produced, work);
    this.#waiting.push(work);
    if (this.#waiting.length <= WAITING_MAX) return;
    const lost = this.#waiting.shift()!;
    this.dropped = plus(this.dropped, lost);
    this.#losses += lost.ticks + lost.records + lost.events;
  }

  /** Takes acknowledgements and sends what has room. */
  send(): void {
    for (const message of this.agent.received.splice(0)) {
      if (message[0] === 9) throw new Error(`${message[1]}: ${message[2]}`);
      if (message[0] === 5) this.#acknowledged(message[1]);
    }
    while (this.#up && this.#unacknowledged.length < IN_FLIGHT_MAX) {
      const work = this.#waiting.shift();
      if (work === undefined && this.#losses === 0) return;
      this.#sendBatch(work);
    }
  }

  /** Sends something again that was sent before, acknowledged or not. */
  repeat(): void {
    const bytes = this.#history[this.#random(this.#history.length)];
    if (!this.#up || bytes === undefined) return;
    this.duplicates++;
    this.agent.sendBytes(bytes);
  }

  async disconnect(): Promise<void> {
    this.#up = false;
    await this.agent.close(false);
  }

  /** A connection that is still open is left behind, for the collector to find out about. */
  async reconnect(): Promise<void> {
    this.reconnects++;
    this.agent.received.splice(0);
    await this.agent.connect();
    this.#up = true;
    this.#acknowledged(this.agent.lastCommitted);
    this.agent.send([4, 1, this.agent.dictionary(), this.agent.timedSeries()]);
    for (const { bytes } of this.#unacknowledged) this.agent.sendBytes(bytes);
  }

  #acknowledged(sequence: number): void {
    this.#unacknowledged = this.#unacknowledged.filter((sent) => sent.sequence > sequence);
  }

  #sendBatch(work: Work | undefined): void {
    const { ticks = 0, records = 0, events = 0, atMicros = nowMicros() } = work ?? {};
    const { agent } = this;
    const endMicros = atMicros + ticks * PERIOD_MICROS;
    const stack = `main;handler${this.#random(50)}`;
    const samples = Array.from({ length: ticks }, (_, index) => ({
      atMicros: atMicros + index * PERIOD_MICROS,
      stack,
      state: 0,
    }));
    const sequence = agent.sequence;
    const bytes = encodeMessage(
      agent.batch({
        windows: ticks > 0 ? [agent.window(samples, atMicros, endMicros)] : [],
        values: records > 0 ? [agent.value(1, new Array<number>(records).fill(100))] : [],
        events: Array.from({ length: events }, () => [1, 0, atMicros, 10, 1, 0, 0]),
        losses: this.#losses > 0 ? [['queue-full', this.#losses, atMicros]] : [],
        startMicros: atMicros,
        endMicros,
      }),
    );
    this.#losses = 0;
    this.#unacknowledged.push({ sequence, bytes });
    this.#history.push(bytes);
    agent.sendBytes(bytes);
  }
}

function amountOf(batches: readonly Batch[]): Amount {
  return batches.reduce(
    (sum, { windows, values, events }) =>
      plus(sum, {
        ticks: windows.reduce((ticks, window) => ticks + window.sampleCount, 0),
        records: values.reduce((records, { count }) => records + count, 0),
        events: events.length,
      }),
    NOTHING,
  );
}

const lossesOf = (batches: readonly Batch[]) =>
  batches.flatMap(({ losses }) => losses).reduce((sum, { count }) => sum + count, 0);

const bySequence = (batches: readonly Batch[]) => new Map(batches.map((batch) => [batch.sequence, batch]));

async function untilIdle(producers: readonly Producer[]): Promise<void> {
  for (let round = 0; producers.some(({ idle }) => !idle); round++) {
    if (round > 2000) throw new Error('batches stay without an acknowledgement');
    for (const producer of producers) producer.send();
    await pause(2);
  }
}

/** One random step of one producer. */
async function step(producer: Producer, random: (below: number) => number): Promise<void> {
  const dice = random(100);
  if (dice < 8) {
    await producer.disconnect();
    for (let missed = random(25); missed > 0; missed--) producer.work();
    await producer.reconnect();
  } else if (dice < 12) {
    await producer.reconnect();
  } else if (dice < 25) {
    producer.repeat();
  } else {
    producer.work();
  }
  producer.send();
  if (dice % 4 === 0) await pause(random(4));
}

const open: { collectors: SmallCollector[]; producers: Producer[] } = { collectors: [], producers: [] };

afterEach(async () => {
  for (const { agent } of open.producers.splice(0)) await agent.close(false);
  for (const collector of open.collectors.splice(0)) await collector.crash();
});

async function started(port = 0, storeBytes?: number): Promise<{ collector: SmallCollector; port: number }> {
  const collector = new SmallCollector(storeBytes);
  open.collectors.push(collector);
  return { collector, port: await collector.listen(port) };
}

async function producing(port: number, seed: number): Promise<Producer[]> {
  const producers = ['shop:1', 'shop:2'].map(
    (instance, index) => new Producer(port, seeded(seed * 10 + index), instance),
  );
  open.producers.push(...producers);
  for (const producer of producers) await producer.reconnect();
  return producers;
}

describe('what agents produce', () => {
  it.each([1, 2, 3])(
    'is stored once or told as dropped, over reconnects and repeats, seed %i',
    async (seed) => {
      const random = seeded(seed);
      const { collector, port } = await started();
      const producers = await producing(port, seed);
      for (let round = 0; round < 400; round++) await step(producers[random(2)]!, random);
      await untilIdle(producers);
      for (const { agent, produced, dropped } of producers) {
        const stored = await collector.stored(agent);
        expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index));
        expect(plus(amountOf(stored), dropped)).toEqual(produced);
        expect(lossesOf(stored)).toBe(dropped.ticks + dropped.records + dropped.events);
      }
      const told = collector.counters.lossesByReason.get('queue-full') ?? 0;
      const dropped = producers.map((producer) => producer.dropped).reduce(plus);
      expect(told).toBe(dropped.ticks + dropped.records + dropped.events);
      expect(collector.counters.gaps).toBe(0);
      expect(
        [...collector.counters.errorsByCode.keys()].filter((code) => code !== 'ERR_WIRE_SUPERSEDED'),
      ).toEqual([]);
      const produced = producers.map((producer) => producer.produced).reduce(plus);
      const [reconnects, repeats] = [sum(producers, 'reconnects'), sum(producers, 'duplicates')];
      console.log(
        `seed ${seed}: produced ${produced.ticks} ticks, ${produced.records} records, ${produced.events} events = stored + dropped ${told} (queue-full); ` +
          `${reconnects} reconnects, ${repeats} repeats, ${collector.counters.duplicates} known batches, ${collector.counters.batches} committed`,
      );
    },
  );

  it.each([4, 5, 6])('outlives a collector that crashes in the middle, seed %i', async (seed) => {
    const random = seeded(seed);
    const first = await started();
    const producers = await producing(first.port, seed);
    for (let round = 0; round < 200; round++) await step(producers[random(2)]!, random);
    for (const producer of producers) {
      for (let burst = 0; burst < IN_FLIGHT_MAX; burst++) producer.work();
      producer.send();
    }
    await pause(4);
    await first.collector.crash();
    for (const producer of producers) {
      await producer.disconnect();
      for (let missed = 0; missed < 20; missed++) producer.work();
    }
    // What was received before the crash may still reach the disk.
    await pause(50);
    const second = await started(first.port);
    for (const producer of producers) await producer.reconnect();
    for (let round = 0; round < 200; round++) await step(producers[random(2)]!, random);
    await untilIdle(producers);
    for (const { agent, produced, dropped } of producers) {
      const [before, after] = [await first.collector.stored(agent), await second.collector.stored(agent)];
      const all = new Map([...bySequence(before), ...bySequence(after)]);
      expect(bySequence(before).size).toBe(before.length);
      expect(bySequence(after).size).toBe(after.length);
      expect(plus(amountOf([...all.values()]), dropped)).toEqual(produced);
      expect(lossesOf([...all.values()])).toBe(dropped.ticks + dropped.records + dropped.events);
      const again = before.filter(({ sequence }) => bySequence(after).has(sequence));
      expect(amountOf(again)).toEqual(
        amountOf(again.map(({ sequence }) => bySequence(after).get(sequence)!)),
      );
      console.log(
        `seed ${seed} ${agent.identity[1]}: produced ${produced.ticks} ticks = ${amountOf([...all.values()]).ticks} stored + ${dropped.ticks} dropped; ` +
          `${before.length} batches before the crash, ${after.length} after it, ${again.length} in both`,
      );
    }
  });

  it('that found no room in the store is counted batch by batch', async () => {
    const { collector, port } = await started(0, 300_000);
    const producers = await producing(port, 7);
    const random = seeded(7);
    for (let round = 0; round < 400; round++) await step(producers[random(2)]!, random);
    await untilIdle(producers);
    const { batches, evictedBatches } = collector.store.stats();
    expect(evictedBatches).toBeGreaterThan(0);
    expect(batches + evictedBatches).toBe(collector.counters.batches);
    for (const { agent } of producers) {
      const sequences = (await collector.stored(agent)).map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.map((_, index) => sequences[0]! + index));
    }
  });
});

function sum(producers: readonly Producer[], word: 'reconnects' | 'duplicates'): number {
  return producers.reduce((total, producer) => total + producer[word], 0);
}
