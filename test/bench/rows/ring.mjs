/**
 * The way of one record of 32 bytes to another thread: the push alone (what the program pays), how fast the reader
 * drains, on the same core and on another one (where each record comes from the other core's cache), and what a reader
 * that drains on another core every 50 µs costs the producer. Pushes are timed in bursts that fit the ring; emptying it
 * is not timed. thread-stream and postMessage have a real worker at the other end.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadOurs } from '../harness/bundle.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { boundRow, comparisonRows, resultRow } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';
import { median, ratioInterval } from '../harness/statistics.mjs';

const BURST = 4096;
const SPAN = 3;
const DRAIN_NANOS_MAX = 20;
const SLOWED_MOST = 1.05;

export async function measure() {
  const often = await startDrainer({ pauseMillis: 0.05, timed: false });
  const once = await startDrainer({ pauseMillis: 0, timed: true });
  const messages = startReceiver();
  const stream = await startStream();
  try {
    const contenders = [
      ownPush(),
      drainedPush(often),
      ringbuf(),
      messages.contender,
      stream.contender,
      ownDrain(),
      drainElsewhere(once),
    ];
    const results = await alternate(contenders);
    const peers = [
      { name: 'ringbuf.js', pkg: 'ringbuf.js', goal: 6 },
      { name: 'thread-stream', pkg: 'thread-stream', goal: 10 },
      { name: 'postMessage', pkg: '', goal: 50 },
    ];
    const perSecond = (name) => `${(1000 / median(results.get(name))).toFixed(0)} M records/s`;
    const slowed = ratioInterval(results.get('ours'), results.get('ours, drained'));
    return [
      ...comparisonRows({ work: 'push a record', results, ours: 'ours', peers }),
      boundRow({
        work: 'drain a record',
        unit: 'ns',
        values: results.get('drain'),
        most: DRAIN_NANOS_MAX,
        note: `${perSecond('drain')}, one call of the visitor each`,
      }),
      boundRow({
        work: 'drain a record, another core',
        unit: 'ns',
        values: results.get('drain elsewhere'),
        most: DRAIN_NANOS_MAX,
        note: perSecond('drain elsewhere'),
      }),
      resultRow({
        work: 'push while drained elsewhere',
        unit: '×',
        ours: slowed,
        goal: `≤ ${SLOWED_MOST}×`,
        met: slowed[2] <= SLOWED_MOST,
      }),
    ];
  } finally {
    await Promise.all([often.close(), once.close(), messages.close(), stream.close()]);
  }
}

/** Times `burst` pushes at a time until `count` are done; `empty` is not timed. */
function timedBursts(count, burst, empty) {
  let nanos = 0;
  for (let left = count; left > 0; left -= BURST) {
    const start = process.hrtime.bigint();
    burst(Math.min(left, BURST));
    nanos += Number(process.hrtime.bigint() - start);
    empty();
  }
  return nanos;
}

function ownPush() {
  const ours = loadOurs();
  const memory = ours.createCoreMemory();
  const writer = ours.attachWriter(memory, 0);
  const reader = ours.attachReader(memory);
  const empty = () => reader.drain(0, BURST, () => {});
  return {
    name: 'ours',
    check() {
      for (let index = 0; index < BURST; index++)
        assert.equal(writer.push(SPAN, index, 7, index + 0.5, 2), 1);
      let next = 0;
      const read = reader.drain(0, BURST, (kind, a, b, start, duration) => {
        assert.deepEqual([kind, a, b, start, duration], [SPAN, next, 7, next + 0.5, 2]);
        next++;
      });
      assert.equal(read, BURST);
    },
    run: (count) =>
      timedBursts(
        count,
        (burst) => {
          for (let index = 0; index < burst; index++) writer.push(SPAN, index, 7, index, 2);
        },
        empty,
      ),
  };
}

function ownDrain() {
  const ours = loadOurs();
  const memory = ours.createCoreMemory();
  const writer = ours.attachWriter(memory, 0);
  const reader = ours.attachReader(memory);
  let sum = 0;
  const visit = (_kind, a) => {
    sum += a;
  };
  return {
    name: 'drain',
    run(count) {
      let nanos = 0;
      for (let left = count; left > 0; left -= BURST) {
        const burst = Math.min(left, BURST);
        for (let index = 0; index < burst; index++) writer.push(SPAN, 1, 7, index, 2);
        sum = 0;
        const start = process.hrtime.bigint();
        reader.drain(0, BURST, visit);
        nanos += Number(process.hrtime.bigint() - start);
        assert.equal(sum, burst);
      }
      return nanos;
    },
  };
}

/** A memory with a worker that drains it, and how to await that all was taken. */
async function startDrainer(options) {
  const ours = loadOurs();
  const memory = ours.createCoreMemory();
  const writer = ours.attachWriter(memory, 0);
  const control = new Int32Array(new SharedArrayBuffer(12));
  const nanos = new Float64Array(new SharedArrayBuffer(8));
  const worker = new Worker(join(PROGRAMS, 'drainer.cjs'), {
    workerData: { memory, control, nanos, ...options },
  });
  await new Promise((ready) => worker.once('message', ready));
  let pushed = 0;
  return {
    push(burst) {
      for (let index = 0; index < burst; index++) writer.push(SPAN, index, 7, index, 2);
      pushed += burst;
    },
    switchOn() {
      Atomics.store(control, 0, 1);
      Atomics.notify(control, 0);
    },
    switchOff: () => Atomics.store(control, 0, 0),
    /** Spins: after a sleep the next burst would begin on a cold core. */
    emptied() {
      while (Atomics.load(control, 1) !== (pushed | 0));
    },
    nanos: () => nanos[0],
    close: () => worker.terminate(),
  };
}

function drainedPush(drainer) {
  return {
    name: 'ours, drained',
    run(count) {
      drainer.switchOn();
      const nanos = timedBursts(count, drainer.push, drainer.emptied);
      drainer.switchOff();
      return nanos;
    },
  };
}

/** A full burst was pushed on this core before the other one drains it. */
function drainElsewhere(drainer) {
  return {
    name: 'drain elsewhere',
    run(count) {
      let nanos = 0;
      for (let left = count; left > 0; left -= BURST) {
        drainer.push(Math.min(left, BURST));
        drainer.switchOn();
        drainer.emptied();
        nanos += drainer.nanos();
      }
      return nanos;
    },
  };
}

function ringbuf() {
  const { RingBuffer } = requirePeer('ringbuf.js');
  const ring = new RingBuffer(RingBuffer.getStorageForCapacity(BURST * 4 + 4, Float64Array), Float64Array);
  const record = new Float64Array(4);
  const out = new Float64Array(BURST * 4);
  const empty = () => ring.pop(out);
  return {
    name: 'ringbuf.js',
    check() {
      for (let index = 0; index < BURST; index++) {
        record[0] = index;
        assert.equal(ring.push(record), 4);
      }
      assert.equal(ring.pop(out), BURST * 4);
      assert.equal(out[(BURST - 1) * 4], BURST - 1);
    },
    run: (count) =>
      timedBursts(
        count,
        (burst) => {
          for (let index = 0; index < burst; index++) {
            record[0] = SPAN;
            record[1] = index;
            record[2] = index;
            record[3] = 2;
            ring.push(record);
          }
        },
        empty,
      ),
  };
}

function startReceiver() {
  const code = "require('node:worker_threads').parentPort.on('message', () => {})";
  const worker = new Worker(code, { eval: true });
  return {
    contender: {
      name: 'postMessage',
      run(count) {
        for (let index = 0; index < count; index++) worker.postMessage([SPAN, index, 7, index, 2]);
      },
    },
    close: () => worker.terminate(),
  };
}

async function startStream() {
  const ThreadStream = requirePeer('thread-stream');
  const stream = new ThreadStream({ filename: join(PROGRAMS, 'stream-sink.cjs'), sync: false });
  await new Promise((ready) => stream.once('ready', ready));
  const record = 'span 0000001 0000007 00000000002';
  return {
    contender: {
      name: 'thread-stream',
      async run(count) {
        let nanos = 0;
        for (let left = count; left > 0; left -= BURST) {
          const start = process.hrtime.bigint();
          for (let index = Math.min(left, BURST); index > 0; index--) stream.write(record);
          nanos += Number(process.hrtime.bigint() - start);
          await new Promise((flushed) => stream.flush(flushed));
        }
        return nanos;
      },
    },
    close: () => new Promise((closed) => stream.once('close', closed).end()),
  };
}
