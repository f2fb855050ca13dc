/** Pools and queues: gauges and times of what works and what waits; real pools read by their public properties. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pool, poolGauges, queue, stats } from '../../agent/index';
import { currentBinding } from '../../agent/registration';
import { describeWithFrameworks, framework } from '../frameworks/installed';
import { RecordingWriter } from './recording-writer';

const binding = currentBinding();
let writer: RecordingWriter;

function attach(next: RecordingWriter | null): void {
  binding.writer = next;
  binding.generation++;
}

beforeEach(() => {
  writer = new RecordingWriter();
  attach(writer);
});
afterEach(() => attach(null));

/** Last value of each series whose labels are exactly these, by name. */
function latest(labels: string): Record<string, number> {
  const mine = writer.written.filter(({ series }) => series.endsWith(` ${labels}`));
  return Object.fromEntries(mine.map(({ series, value }) => [series.split(' ')[1], value]));
}

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis));

describe('pool()', () => {
  it('follows jobs from the queue to their end', async () => {
    const db = pool('db', { size: 2, labels: { zone: 'a' } });
    expect(latest('pool db zone a')).toEqual({ 'pool.size': 2 });
    const jobs = [db.enqueue(), db.enqueue(), db.enqueue()];
    expect(latest('pool db zone a')).toMatchObject({ 'pool.busy': 0, 'pool.queued': 3 });
    await pause(30);
    jobs[0]!.start();
    jobs[1]!.start();
    expect(latest('pool db zone a')).toMatchObject({ 'pool.busy': 2, 'pool.queued': 1 });
    await pause(15);
    jobs[0]!.end();
    jobs[2]!.end();
    expect(latest('pool db zone a')).toMatchObject({ 'pool.busy': 1, 'pool.queued': 0 });
    const waits = writer.of('pool.wait.duration').map(({ value }) => value);
    const runs = writer.of('pool.run.duration').map(({ value }) => value);
    expect(waits).toHaveLength(2);
    for (const micros of waits) expect(micros).toBeGreaterThan(25_000);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toBeGreaterThan(12_000);
  });

  it('counts each step of a job once', () => {
    const job = pool('once').enqueue();
    job.start();
    job.start();
    job.end();
    job.end();
    job.start();
    expect(latest('pool once')).toMatchObject({ 'pool.busy': 0, 'pool.queued': 0 });
    expect(writer.of('pool.run.duration')).toHaveLength(1);
  });

  it('counts without jobs, never below zero', () => {
    const lock = pool('lock');
    const { refused } = stats();
    lock.acquire();
    lock.acquire();
    lock.release();
    expect(latest('pool lock')['pool.busy']).toBe(1);
    lock.release();
    lock.release();
    expect(latest('pool lock')['pool.busy']).toBe(0);
    expect(stats().refused).toBe(refused + 1);
  });

  it('shows what it counted before the agent came', () => {
    attach(null);
    const early = pool('early', { size: 3 });
    early.enqueue().start();
    const waiting = early.enqueue();
    attach(writer);
    waiting.start();
    expect(latest('pool early')).toMatchObject({ 'pool.size': 3, 'pool.busy': 2, 'pool.queued': 0 });
    expect(writer.of('pool.wait.duration')).toEqual([]);
  });

  it('shows what it is told', () => {
    const told = pool('told');
    told.observe({ size: 5, busy: 3 });
    told.observe({ queued: 9 });
    expect(latest('pool told')).toMatchObject({ 'pool.size': 5, 'pool.busy': 3, 'pool.queued': 9 });
  });

  it('throws at nothing', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
      },
    );
    for (const odd of [
      null,
      undefined,
      5,
      'x',
      [],
      hostile,
      { size: 'x' },
      { labels: [1] },
      { labels: hostile },
    ]) {
      const one = pool('odd', odd as never);
      one.observe(odd as never);
      one.enqueue().end();
      const two = queue(odd as never, odd as never);
      two.add(odd as never);
      two.observe(odd as never);
      poolGauges('odd', odd as never)();
    }
  });
});

describe('queue()', () => {
  it('tells depth, saturation, and what each arrival found', () => {
    const mails = queue('mails', { capacity: 8 });
    mails.add();
    mails.add(3);
    expect(latest('queue mails')).toMatchObject({
      'queue.depth': 4,
      'queue.capacity': 8,
      'queue.saturation': 0.5,
    });
    mails.remove(3);
    mails.add();
    expect(writer.of('queue.ahead').map(({ value }) => value)).toEqual([0, 1, 1]);
    mails.remove(9);
    expect(latest('queue mails')['queue.depth']).toBe(0);
    queue('plain').observe(7);
    expect(latest('queue plain')).toEqual({ 'queue.depth': 7 });
  });
});

describe('poolGauges()', () => {
  it('reads once a second while it is registered, and survives a read that throws', async () => {
    let reads = 0;
    const stop = poolGauges('read', () => {
      reads++;
      if (reads === 1) throw new Error('not yet');
      return { size: 4, busy: reads, queued: 0 };
    });
    await expect.poll(() => latest('pool read')['pool.busy'], { timeout: 4000 }).toBe(2);
    stop();
    const before = reads;
    await pause(1200);
    expect(reads).toBe(before);
  });

  it('reads nothing while the agent is off', async () => {
    attach(null);
    const read = vi.fn(() => ({}));
    const stop = poolGauges('off', read);
    await pause(1200);
    stop();
    expect(read).not.toHaveBeenCalled();
  });

  it.each([
    ['pg', { totalCount: 5, idleCount: 2, waitingCount: 7 }, [5, 3, 7]],
    ['tarn', { numUsed: () => 2, numFree: () => 1, numPendingAcquires: () => 4 }, [3, 2, 4]],
    ['p-limit', Object.assign(() => {}, { activeCount: 2, pendingCount: 3, concurrency: 2 }), [2, 2, 3]],
    ['p-queue', { concurrency: 4, pending: 4, size: 6 }, [4, 4, 6]],
    ['fastq', { concurrency: 3, running: () => 1, length: () => 0 }, [3, 1, 0]],
  ])('knows what looks like %s', async (name, object, [size, busy, queued]) => {
    const stop = poolGauges(name, object);
    await expect
      .poll(() => latest(`pool ${name}`), { timeout: 3000 })
      .toEqual({ 'pool.size': size, 'pool.busy': busy, 'pool.queued': queued });
    stop();
  });

  it('refuses what it does not know', () => {
    const { refused } = stats();
    poolGauges('unknown', { size: 1 })();
    expect(stats().refused).toBe(refused + 1);
  });
});

describeWithFrameworks('poolGauges() of real pools', () => {
  it('reads generic-pool', async () => {
    const real = framework('generic-pool').createPool(
      { create: async () => ({}), destroy: async () => {} },
      { max: 2 },
    );
    await real.acquire();
    await real.acquire();
    real.acquire().catch(() => {});
    const stop = poolGauges('generic', real);
    await expect
      .poll(() => latest('pool generic'), { timeout: 3000 })
      .toEqual({ 'pool.size': 2, 'pool.busy': 2, 'pool.queued': 1 });
    stop();
  });

  it('reads piscina', async () => {
    const { Piscina } = framework('piscina');
    const real = new Piscina({
      filename: resolve(__dirname, '../frameworks/slow-job.js'),
      maxThreads: 1,
      minThreads: 1,
    });
    for (let job = 0; job < 3; job++) real.run({}).catch(() => {});
    const stop = poolGauges('piscina', real);
    await expect
      .poll(() => latest('pool piscina'), { timeout: 3000 })
      .toEqual({ 'pool.size': 1, 'pool.queued': 2 });
    stop();
    await real.destroy();
  });

  it("reads undici's Pool", async () => {
    const { createServer } = await import('node:http');
    const server = createServer(() => {});
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const real = new (framework('undici').Pool)(`http://127.0.0.1:${port}`, { connections: 2 });
    for (let job = 0; job < 5; job++) real.request({ path: '/', method: 'GET' }).catch(() => {});
    const stop = poolGauges('undici', real);
    await expect
      .poll(() => latest('pool undici'), { timeout: 3000 })
      .toEqual({ 'pool.size': 2, 'pool.busy': 2, 'pool.queued': 3 });
    stop();
    await real.destroy();
    server.closeAllConnections();
    server.close();
  });
});
