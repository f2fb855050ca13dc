/**
 * Preloaded instead of an agent: loads it ($BENCH_PRELOAD, or nothing) and looks at it from outside. Threads that
 * appear while it loads are the agent's. The inspector's console.profile and profileEnd, by which ringtail rotates, are
 * wrapped: globalThis.benchRotations() gives [start, end, waited for a CPU] of each rotation, in milliseconds of
 * performance.now(), taken on the main thread around everything that happens there in JavaScript.
 */
const { readdirSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');
const { console: inspectorConsole } = require('node:inspector');
const { waitedMillis } = require('./run-delay.cjs');

/** profile() and profileEnd() of one rotation follow each other at once. */
const SAME_ROTATION_MILLIS = 20;

if (isMainThread) observe();

function observe() {
  const rotations = [];
  /** The newest profile() whose profileEnd() has not come: [start, waited before, end, waited after]. */
  let opened = null;
  const { profile, profileEnd } = inspectorConsole;
  // A start without an end beside it begins sampling: a pause of its own.
  const closeOpened = () => {
    if (opened !== null) rotations.push([opened[0], opened[2], opened[3] - opened[1]]);
    opened = null;
  };
  inspectorConsole.profile = function (title) {
    closeOpened();
    const [start, waitedBefore] = [performance.now(), waitedMillis()];
    const result = profile.call(this, title);
    opened = [start, waitedBefore, performance.now(), waitedMillis()];
    return result;
  };
  inspectorConsole.profileEnd = function (title) {
    if (opened !== null && performance.now() - opened[2] > SAME_ROTATION_MILLIS) closeOpened();
    const [start, waitedBefore] = opened ?? [performance.now(), waitedMillis()];
    opened = null;
    const result = profileEnd.call(this, title);
    rotations.push([start, performance.now(), waitedMillis() - waitedBefore]);
    return result;
  };
  globalThis.benchRotations = () => {
    closeOpened();
    return rotations;
  };

  const before = new Set(threads());
  const preload = process.env.BENCH_PRELOAD;
  delete process.env.BENCH_PRELOAD;
  if (preload) require(preload);
  const agentThreads = threads().filter((tid) => !before.has(tid));
  if (process.send) process.send({ observed: { agentThreads } });
}

function threads() {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}
