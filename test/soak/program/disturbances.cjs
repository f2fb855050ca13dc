/**
 * The disturbing half: stalls of three lengths and kinds, waits for a lock, synchronous calls, garbage, new functions,
 * timers and promises, and worker threads that end by themselves or in the middle of anything. `disturb(folder)` gives
 * { close() }, which resolves when no worker lives any more.
 */
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { stat } = require('node:fs/promises');
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');
const { gzipSync } = require('node:zlib');
const { counts } = require('./counts.cjs');

/** The thread of a program that churns workers: four ways to be busy. */
const WORKER = require.resolve('../../faults/fixtures/worker-churn.cjs');
/** ms: a stall of so long, first after, then every. */
const STALLS = [
  { length: 60, first: 2000, every: 5000 },
  { length: 300, first: 4500, every: 30_000 },
  { length: 1200, first: 8000, every: 90_000 },
];
const lock = new Int32Array(new SharedArrayBuffer(4));
let serial = 0;
let garbage = null;

function stallBurning(millis) {
  const end = performance.now() + millis;
  let sum = 0;
  while (performance.now() < end) for (let i = 0; i < 1000; i++) sum += Math.sqrt(i + sum);
  return sum;
}

function stallWaiting(millis) {
  Atomics.wait(lock, 0, 0, millis);
}

function stallInCommand(millis) {
  execFileSync('sleep', [String(millis / 1000)]);
}

const KINDS = [stallBurning, stallWaiting, stallInCommand];

function stall(length) {
  KINDS[counts[`stalls${length}`]++ % KINDS.length](length);
}

function callSynchronously(folder) {
  const file = join(folder, 'scratch');
  writeFileSync(file, Buffer.alloc(16_384, serial));
  createHash('sha256').update(readFileSync(file)).digest();
  gzipSync(readFileSync(file));
  Atomics.wait(lock, 0, 0, 2);
}

function makeGarbage() {
  garbage = Array.from({ length: 4000 }, (_, i) => ({ i, more: [i, serial] }));
  return garbage.length;
}

function compileFunction() {
  counts.functions++;
  const name = `made${++serial}`;
  return new Function(`return function ${name}(n) { let x = n; x += ${serial}; return x * ${serial}; }`)()(3);
}

async function turnAsynchronously(folder) {
  await Promise.all([stat(folder), new Promise(setImmediate), Promise.resolve(serial)]);
  const unused = setTimeout(() => {}, 60_000);
  clearTimeout(unused);
}

function startWorker(living) {
  const way = counts.workersStarted++ % 4;
  const byItself = way === counts.workersStarted % 3;
  const worker = new Worker(WORKER, { workerData: { way, byItself } });
  living.add(worker);
  if (!byItself) setTimeout(() => worker.terminate(), 5 + 295 * Math.random() ** 2);
  worker.once('exit', () => {
    living.delete(worker);
    counts[byItself ? 'workersLeft' : 'workersTerminated']++;
  });
}

exports.disturb = (folder) => {
  const living = new Set();
  const timers = [
    ...STALLS.map(({ length, first, every }) =>
      setTimeout(() => {
        stall(length);
        timers.push(setInterval(stall, every, length));
      }, first),
    ),
    setInterval(callSynchronously, 500, folder),
    setInterval(makeGarbage, 100),
    setInterval(compileFunction, 500),
    setInterval(turnAsynchronously, 50, folder),
    setInterval(startWorker, 2500, living),
  ];
  return {
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([...living].map((worker) => new Promise((gone) => worker.once('exit', gone))));
    },
  };
};
