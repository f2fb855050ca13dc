/** A worker thread that drains a core's rings without pause and tells how many records it took. */
const { parentPort, workerData } = require('node:worker_threads');
const { attachReader } = require('../../../build/bench/entry.cjs');

const DRAIN_MAX = 4096;

const { memory, taken } = workerData;
const reader = attachReader(memory);
const visit = () => {};
parentPort.postMessage('ready');
for (;;) {
  const count = reader.drain(0, DRAIN_MAX, visit);
  if (count === 0) continue;
  Atomics.add(taken, 0, count);
  Atomics.notify(taken, 0);
}
