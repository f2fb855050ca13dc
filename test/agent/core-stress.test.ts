import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  attachReader,
  type CoreMemory,
  type CoreReader,
  createCoreMemory,
  createTables,
  type SeriesInfo,
} from '../../agent/core';
import { RecordKind, SeriesKind } from '../../assembly/layout';
import { checkOf } from './core-stress/check';

const RECORDS = Number(process.env.CORE_STRESS_RECORDS ?? 1_000_000);
const TERMINATIONS = Number(process.env.CORE_STRESS_TERMINATIONS ?? 25);

const folder = mkdtempSync(join(tmpdir(), 'core-stress-'));
const producer = join(folder, 'producer.js');

beforeAll(() =>
  build({
    input: join(__dirname, 'core-stress/producer.ts'),
    platform: 'node',
    output: { file: producer, format: 'cjs' },
    logLevel: 'warn',
  }),
);
afterAll(() => rmSync(folder, { recursive: true }));

type Outcome = { stored: number; dropped: number };

function startProducer(
  core: CoreMemory,
  threadId: number,
  records: number,
): { worker: Worker; outcome: Promise<Outcome> } {
  const worker = new Worker(producer, { workerData: { core, threadId, records } });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, outcome };
}

/** Drains slots and holds each record against what its thread must have pushed: in order, whole, none twice. */
class Checker {
  readonly #reader: CoreReader;
  readonly #next = new Map<number, number>();
  readonly seen = new Map<number, number>();
  faults: string[] = [];

  constructor(reader: CoreReader) {
    this.#reader = reader;
  }

  drainAll(): number {
    let drained = 0;
    for (const { slot, threadId } of this.#reader.slots()) {
      drained += this.#reader.drain(slot, 1000, (kind, a, b, start, duration) => {
        const whole =
          kind === RecordKind.Span && b === checkOf(threadId, a) && start === a + 0.5 && duration === -a;
        if (!whole) this.faults.push(`torn: thread ${threadId} record ${a}`);
        if (a < (this.#next.get(threadId) ?? 0))
          this.faults.push(`again or out of order: thread ${threadId} record ${a}`);
        this.#next.set(threadId, a + 1);
        this.seen.set(threadId, (this.seen.get(threadId) ?? 0) + 1);
      });
    }
    return drained;
  }

  /** Numbers that a thread passed over; each must be a counted drop. */
  gaps(threadId: number): number {
    return (this.#next.get(threadId) ?? 0) - (this.seen.get(threadId) ?? 0);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(['wasm', 'twin'] as const)('core under load on %s', (kind) => {
  it.each([1, 2, 4, 8])(
    `hands over ${RECORDS} records of %d threads, each whole, in order and once`,
    async (threads) => {
      const core = createCoreMemory({ forceTwin: kind === 'twin' });
      const reader = attachReader(core);
      const tables = createTables();
      const checker = new Checker(reader);
      const perThread = Math.floor(RECORDS / threads);
      const totals = tables.histogram();
      const series: SeriesInfo[] = [];
      let counted = 0;
      let snapshots = 0;
      let dropsTold = 0;
      const look = () => {
        series.push(...reader.takeNewSeries());
        for (const info of series) {
          if (info.kind === SeriesKind.Counter) {
            counted += reader.value(info);
            continue;
          }
          const delta = reader.histogramDelta(info);
          if (!delta) continue;
          totals.addDelta(delta); // throws unless count is the sum of its buckets and extremes are in the outermost ones
          snapshots++;
        }
        for (const { count } of reader.takeDropped()) dropsTold += count;
      };

      const running = Array.from({ length: threads }, (_, i) => startProducer(core, i + 1, perThread));
      let ended = false;
      const outcomes = Promise.all(running.map(({ outcome }) => outcome)).finally(() => {
        ended = true;
      });
      while (!ended) {
        checker.drainAll();
        look();
        await turn();
      }
      while (checker.drainAll());
      look();
      checker.drainAll(); // frees slots
      look();

      expect(checker.faults).toEqual([]);
      const ends = await outcomes;
      for (const [i, { stored, dropped }] of ends.entries()) {
        expect(stored).toBe(perThread);
        expect(checker.seen.get(i + 1)).toBe(stored);
        expect(checker.gaps(i + 1)).toBeLessThanOrEqual(dropped);
      }
      const refused = ends.reduce((sum, one) => sum + one.dropped, 0);
      console.log(
        `${kind}, ${threads} threads: ${perThread * threads} records handed over, ${refused} refused`,
      );
      expect(dropsTold).toBe(refused);
      expect(counted).toBe(perThread * threads);
      expect(snapshots).toBeGreaterThan(1);
      const direct = tables.histogram();
      // Each thread recorded 0 .. 99,999 again and again.
      const rounds = Float64Array.from({ length: 100_000 }, (_, i) => i);
      for (let left = perThread; left > 0; left -= rounds.length) {
        for (let thread = 0; thread < threads; thread++) direct.recordAll(rounds.subarray(0, left));
      }
      const { max, ...told } = totals.encode();
      const { max: highest, ...recorded } = direct.encode();
      expect(told).toEqual(recorded);
      // A highest value that was stored while the reader looked is told as the upper bound of its bucket, 2^(1/128) at most.
      expect(max).toBeGreaterThanOrEqual(highest);
      expect(max).toBeLessThanOrEqual(highest * 2 ** (1 / 128));
      expect(reader.slots()).toEqual([]);
    },
  );

  it('survives threads that are terminated at random moments, and frees their slots', async () => {
    const core = createCoreMemory({ forceTwin: kind === 'twin' });
    const reader = attachReader(core);
    const checker = new Checker(reader);
    const tables = createTables();
    let dropsTold = 0;
    let inFlight = 0;
    for (let threadId = 1; threadId <= TERMINATIONS; threadId++) {
      const { worker } = startProducer(core, threadId, 0);
      worker.removeAllListeners('error');
      const enough = 1 + Math.floor(Math.random() * 30_000);
      const until = performance.now() + 5000;
      while ((checker.seen.get(threadId) ?? 0) < enough && performance.now() < until) {
        if (checker.drainAll() === 0) await turn();
      }
      await worker.terminate();
      reader.markDead(threadId);
      const series = reader.takeNewSeries();
      while (reader.slots().length > 0) checker.drainAll();
      for (const info of series) {
        const delta = reader.histogramDelta(info);
        if (delta) tables.histogram().addDelta(delta);
      }
      for (const { count } of reader.takeDropped()) dropsTold += count;
      inFlight += checker.gaps(threadId);
    }
    expect(checker.faults).toEqual([]);
    expect(checker.seen.size).toBe(TERMINATIONS);
    // Drops behind the last stored record of a thread leave no gap.
    expect(inFlight).toBeLessThanOrEqual(dropsTold);
  });
});
