/**
 * A worker thread that drains a core's ring when it is told to (control[0] = 1): as often as `pauseMillis` says, or, with
 * `timed`, once, telling the nanoseconds. `control[1]` counts the records that it took.
 */
const { parentPort, workerData } = require('node:worker_threads');
const { attachReader } = require('../../../build/bench/entry.cjs');

const DRAIN_MAX = 8192;

const { memory, control, nanos, pauseMillis, timed } = workerData;
const reader = attachReader(memory);
let sum = 0;
const visit = (_kind, a) => {
  sum += a;
};
parentPort.postMessage('ready');
for (;;) {
  Atomics.wait(control, 0, 0);
  const start = process.hrtime.bigint();
  const count = reader.drain(0, DRAIN_MAX, visit);
  if (timed) {
    nanos[0] = Number(process.hrtime.bigint() - start);
    Atomics.store(control, 0, 0);
  }
  if (count > 0) Atomics.add(control, 1, count);
  if (!timed) Atomics.wait(control, 2, 0, pauseMillis);
}
