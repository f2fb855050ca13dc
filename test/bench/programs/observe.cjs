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

if (isMainThread) observe();

function observe() {
  const rotations = [];
  let opened = null;
  const moment = () => [performance.now(), waitedMillis()];
  const { profile, profileEnd } = inspectorConsole;
  inspectorConsole.profile = function (title) {
    opened = moment();
    return profile.call(this, title);
  };
  inspectorConsole.profileEnd = function (title) {
    const [start, waitedBefore] = opened ?? moment();
    opened = null;
    const result = profileEnd.call(this, title);
    rotations.push([start, performance.now(), waitedMillis() - waitedBefore]);
    return result;
  };
  globalThis.benchRotations = () => rotations;

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
