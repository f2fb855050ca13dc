/**
 * A program of fixed work: it waits until an agent would have started, does its work, and tells what that took, with
 * the CPU of every thread over the work alone. Then it closes its channel and returns.
 */
const { readdirSync, readFileSync } = require('node:fs');

const AGENT_STARTS_MILLIS = 1500;

/** work() may return figures of its own. */
exports.runWork = function runWork(work) {
  setTimeout(() => {
    const threadsBefore = new Map(threadCpu().map(({ tid, nanos }) => [tid, nanos]));
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    const more = work() ?? {};
    const millis = performance.now() - start;
    const { user, system } = process.cpuUsage(cpuBefore);
    const threads = threadCpu().map((thread) => ({
      ...thread,
      nanos: thread.nanos - (threadsBefore.get(thread.tid) ?? 0),
    }));
    const rotations = (globalThis.benchRotations?.() ?? []).filter((rotation) => rotation[0] >= start);
    const result = { millis, cpuMicros: user + system, threads, rotations, ...more };
    if (process.send) process.send({ result }, () => process.disconnect());
    else console.log(JSON.stringify({ millis, cpuMicros: result.cpuMicros }));
  }, AGENT_STARTS_MILLIS);
};

/** CPU nanoseconds of every thread, by its id and name. */
function threadCpu() {
  const read = (tid, file) => readFileSync(`/proc/self/task/${tid}/${file}`, 'utf8').trim();
  try {
    return readdirSync('/proc/self/task').map((tid) => ({
      tid: Number(tid),
      name: read(tid, 'comm'),
      nanos: Number.parseInt(read(tid, 'schedstat'), 10),
    }));
  } catch {
    return [];
  }
}
