/**
 * What a process runs on, as flat key and value: part of who an agent is, told in every capture. Two captures with the same
 * fingerprint may be compared as they are. In it are versions, limits and the names of flags; never a path, an argument or
 * a variable of the environment but UV_THREADPOOL_SIZE, which is a number.
 */

export const FACT_CPUS = 'CPUs';
/** Cores' worth of time that the cgroup gives; missing where it sets no bound. */
export const FACT_QUOTA = 'CPU quota';
/** Bytes; missing where the cgroup sets no bound. */
export const FACT_MEMORY = 'memory limit';
/** Of libuv's pool, as UV_THREADPOOL_SIZE stood when the agent started: the program may set it later. */
export const FACT_POOL = 'pool threads at start';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Threads of libuv's pool for each core from here on only wait for each other. */
const POOL_PER_CPU_MAX = 4;
const POOL_DEFAULT = 4;

/** `environment 9f2c4e71: node v20.20.2, v8 11.3.244.8, CPUs 2, ...`; '' where nothing is known. */
export function environmentText(facts: readonly string[]): string {
  if (facts.length === 0) return '';
  const words = [];
  for (let index = 0; index < facts.length; index += 2) words.push(`${facts[index]} ${facts[index + 1]}`);
  return `environment ${fingerprintOf(facts)}: ${words.join(', ')}`;
}

/** Eight hexadecimal digits: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), 32 bits, over the code points of all facts. */
export function fingerprintOf(facts: readonly string[]): string {
  let hash = FNV_OFFSET;
  for (const char of facts.join('\0')) hash = Math.imul(hash ^ char.codePointAt(0)!, FNV_PRIME);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Where limits and settings do not fit each other: a sentence each, with the figures and what to do. */
export function environmentHints(facts: readonly string[]): string[] {
  const hints: string[] = [];
  const cpus = numberOf(facts, FACT_CPUS);
  const quota = numberOf(facts, FACT_QUOTA);
  const pool = numberOf(facts, FACT_POOL);
  const usable = usableCpus(facts);
  if (quota > 0 && cpus > Math.ceil(quota))
    hints.push(
      `the program sees ${cpus} CPUs and its cgroup gives it ${quota}: what sizes itself by CPUs starts too many threads, and is throttled; set worker counts and UV_THREADPOOL_SIZE for ${Math.ceil(quota)}`,
    );
  if (pool > POOL_DEFAULT && usable > 0 && pool > usable * POOL_PER_CPU_MAX)
    hints.push(
      `libuv's pool has ${pool} threads (UV_THREADPOOL_SIZE) on ${usable} CPUs: hashing and compression of so many at once only slow each other down`,
    );
  return hints;
}

/** Cores that the process may keep busy; 0 where it is not known. */
export function usableCpus(facts: readonly string[]): number {
  const cpus = numberOf(facts, FACT_CPUS);
  const quota = numberOf(facts, FACT_QUOTA);
  return quota > 0 ? Math.min(cpus || Math.ceil(quota), Math.ceil(quota)) : cpus;
}

/** 0 where it is not told. */
export function numberOf(facts: readonly string[], key: string): number {
  for (let index = 0; index < facts.length; index += 2)
    if (facts[index] === key) return Number.parseFloat(facts[index + 1]!) || 0;
  return 0;
}
