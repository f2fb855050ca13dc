/** What Linux tells of a process and its threads: CPU time, switches, resident memory. */
import { readdirSync, readFileSync } from 'node:fs';

const SAMPLER_THREAD = 'v8:ProfEvntProc';

/** CPU nanoseconds of each thread by its id; threads that end meanwhile are left out. */
export function threadCpuNanos(pid) {
  return new Map(tasksOf(pid, 'schedstat').map(([tid, text]) => [tid, Number.parseInt(text, 10)]));
}

/** Ids of the threads that V8's sampler runs on. */
export function samplerThreads(pid) {
  return tasksOf(pid, 'comm')
    .filter(([, name]) => name.trim() === SAMPLER_THREAD)
    .map(([tid]) => tid);
}

/** Times that any thread was put on a CPU: voluntary and involuntary switches of all. */
export function switches(pid) {
  let sum = 0;
  for (const [, text] of tasksOf(pid, 'status')) {
    for (const [, count] of text.matchAll(/ctxt_switches:\s+(\d+)/g)) sum += Number(count);
  }
  return sum;
}

export function residentBytes(pid) {
  const { anonymous, file } = residentParts(pid);
  return anonymous + file;
}

/** Resident bytes of a process: anonymous, and of files and shared memory. */
export function residentParts(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [anonymous, file, shared] = ['RssAnon', 'RssFile', 'RssShmem'].map(
    (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024,
  );
  return { anonymous, file: file + shared };
}

function tasksOf(pid, file) {
  const found = [];
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      found.push([Number(tid), readFileSync(`/proc/${pid}/task/${tid}/${file}`, 'utf8')]);
    } catch {
      // The thread ended between the two reads.
    }
  }
  return found;
}
