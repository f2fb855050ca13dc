/**
 * Preloaded before the agent: catches the agent's thread as it begins, for what only its maker sees. `found()`, called by
 * the program: { heapBytes, tid }. heapBytes is a function that resolves to the heap of that thread in bytes, or to null
 * where Node does not tell (before 22.16); tid the kernel's id of it, 0 elsewhere than on Linux or without an agent.
 */
const { subscribe } = require('node:diagnostics_channel');
const { readdirSync, readFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const SAMPLER_THREAD = 'v8:ProfEvntProc';
let agentThread = null;
const before = new Set();

if (isMainThread) {
  for (const tid of threads()) before.add(tid);
  subscribe('worker_threads', ({ worker }) => {
    agentThread ??= worker;
  });
}

function threads() {
  try {
    return readdirSync('/proc/self/task').filter(
      (tid) => readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').trim() !== SAMPLER_THREAD,
    );
  } catch {
    return [];
  }
}

/** To be called before anything else begins threads. */
exports.found = () => {
  const began = threads().filter((tid) => !before.has(tid));
  const worker = agentThread;
  return {
    tid: worker === null ? 0 : Number(began[0] ?? 0),
    heapBytes: async () => {
      if (worker?.getHeapStatistics === undefined) return null;
      return (await worker.getHeapStatistics()).used_heap_size;
    },
  };
};
