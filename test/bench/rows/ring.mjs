/**
 * The way of one record of 32 bytes to another thread: the push alone (what the program pays), and how fast the reader
 * drains, on the same core and on another one (where each record comes from the other core's cache); what a drain costs
 * the producer is ring-drained.mjs. Pushes are timed in bursts that fit the ring; emptying it is not timed.
 * thread-stream and postMessage have a real worker at the other end. All of ours use one writer, as a program does.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BURST, timedBursts } from '../harness/bursts.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Mode, startOtherCore } from '../harness/other-core.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { boundRow, comparisonRows } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';
import { median } from '../harness/statistics.mjs';

const SPAN = 3;
const DRAIN_NANOS_MAX = 20;

export async function measure() {
  const other = await startOtherCore();
  const messages = startReceiver();
  const stream = await startStream();
  try {
    const contenders = [
      ownPush(other),
      ringbuf(),
      messages.contender,
      stream.contender,
      ownDrain(other),
      drainElsewhere(other),
    ];
    const results = await alternate(contenders);
    const peers = [
      { name: 'ringbuf.js', pkg: 'ringbuf.js', goal: 6 },
      { name: 'thread-stream', pkg: 'thread-stream', goal: 10 },
      { name: 'postMessage', pkg: '', goal: 50 },
    ];
    const perSecond = (name) => `${(1000 / median(results.get(name))).toFixed(0)} M records/s`;
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
    ];
  } finally {
    await Promise.all([other.close(), messages.close(), stream.close()]);
  }
}

function ownPush({ writer, reader }) {
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

function ownDrain({ writer, reader }) {
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

/** A full burst was pushed on this core before the other one drains it. */
function drainElsewhere(other) {
  return {
    name: 'drain elsewhere',
    run(count) {
      let nanos = 0;
      for (let left = count; left > 0; left -= BURST) {
        const burst = Math.min(left, BURST);
        for (let index = 0; index < burst; index++) other.writer.push(SPAN, 1, 7, index, 2);
        other.set(Mode.DrainOnce);
        other.await(burst);
        nanos += other.nanos();
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
