/**
 * A worker thread that does on its core what control[0] says, and begins anew when that changes:
 *
 *   1  drains the ring once, tells the nanoseconds, rests      3  keeps its core busy
 *   2  drains it every control[64] microseconds                4  reads all of `plain` once, rests
 *   5  makes control[128] even when it is odd
 *
 * control[32] counts the records that it took, and the readings of `plain`; control[160] is 1 while it rests.
 */
const { parentPort, workerData } = require('node:worker_threads');
const { attachReader } = require('../../../build/bench/entry.cjs');

const MODE = 0;
const DONE = 32;
const PAUSE_MICROS = 64;
const NEVER_WOKEN = 96;
const BALL = 128;
const RESTS = 160;
const DRAIN_MAX = 8192;
const TURNS = 10_000;

const { memory, control, nanos, plain } = workerData;
const reader = attachReader(memory);
const words = new Int32Array(plain);
const sum = new Float64Array(1);
const visit = (_kind, a) => {
  sum[0] += a;
};

const work = {
  1() {
    const start = process.hrtime.bigint();
    const count = reader.drain(0, DRAIN_MAX, visit);
    nanos[0] = Number(process.hrtime.bigint() - start);
    rest(count);
  },
  2() {
    const count = reader.drain(0, DRAIN_MAX, visit);
    if (count > 0) Atomics.add(control, DONE, count);
    Atomics.wait(control, NEVER_WOKEN, 0, control[PAUSE_MICROS] / 1000);
  },
  3() {
    for (let turn = 0; turn < TURNS; turn++) sum[0] += turn;
  },
  4() {
    for (const word of words) sum[0] += word;
    rest(1);
  },
  5() {
    for (let turn = 0; turn < TURNS; turn++) {
      const ball = Atomics.load(control, BALL);
      if (ball & 1) Atomics.store(control, BALL, (ball + 1) | 0);
    }
  },
};

parentPort.postMessage('ready');
for (;;) {
  Atomics.store(control, RESTS, 1);
  Atomics.wait(control, MODE, 0);
  Atomics.store(control, RESTS, 0);
  work[Atomics.load(control, MODE)]?.();
}

function rest(done) {
  Atomics.store(control, MODE, 0);
  Atomics.add(control, DONE, done);
}
