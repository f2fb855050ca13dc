/** What this process runs on, see wire/environment.ts. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { FACT_CPUS, FACT_MEMORY, FACT_POOL, FACT_QUOTA } from '../wire/environment';
import { cgroupLimits } from './cgroup';

/** flags: names of the runtime's flags, see identity.ts; poolThreads: of libuv's pool. */
export function environmentFacts(flags: readonly string[], poolThreads: number): string[] {
  const { cpus, memoryBytes } = cgroupLimits((path) => readFileSync(path, 'utf8'));
  const { node, v8, uv } = process.versions;
  return [
    ...['node', node],
    ...['v8', v8],
    ...['uv', uv],
    ...['on', `${process.platform} ${process.arch}`],
    ...[FACT_CPUS, String(availableParallelism())],
    ...(cpus === 0 ? [] : [FACT_QUOTA, String(Math.round(cpus * 100) / 100)]),
    ...(memoryBytes === 0 ? [] : [FACT_MEMORY, String(memoryBytes)]),
    ...[FACT_POOL, String(poolThreads)],
    ...(flags.length === 0 ? [] : ['flags', flags.join(' ')]),
  ];
}
