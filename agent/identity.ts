/** What the agent thread is told about the process it watches. Never argv, environment, folders or headers. */
import { hostname } from 'node:os';
import { nowMicros } from './clock';
import { knownFlags } from './known-flags';
import type { AgentOptions, Environment } from './options';
import { serviceName } from './service-name';
import type { AgentThreadData } from './thread-data';

/** The variables by which the token's places are found. */
const TOKEN_VARIABLES = [
  'RINGTAIL_TOKEN',
  'RINGTAIL_TOKEN_FILE',
  'XDG_RUNTIME_DIR',
  'HOME',
  'TMPDIR',
  'TMP',
  'TEMP',
];

export function identityOf(options: AgentOptions, environment: Environment): AgentThreadData['identity'] {
  const anchorWallMillis = Date.now();
  return {
    service: options.service || serviceName(environment.OTEL_SERVICE_NAME, process.argv[1]),
    instance: options.instance || `${hostname()}:${process.pid}`,
    labels: options.labels,
    anchorWallMillis,
    anchorMicros: nowMicros(),
    startWallMillis: anchorWallMillis - process.uptime() * 1000,
    flags: knownFlags(process.execArgv, environment.NODE_OPTIONS),
    poolThreads: poolThreads(environment.UV_THREADPOOL_SIZE),
  };
}

export function tokenEnvironment(environment: Environment): Record<string, string> {
  const found: Record<string, string> = {};
  for (const variable of TOKEN_VARIABLES) {
    const value = environment[variable];
    if (value !== undefined) found[variable] = value;
  }
  return found;
}

/** As libuv reads it: 4 unless it is set, 1 where it is no number, 1024 where it is more, or negative. */
function poolThreads(size: string | undefined): number {
  if (size === undefined) return 4;
  const threads = Number.parseInt(size, 10) || 1;
  return threads < 0 ? 1024 : Math.min(1024, threads);
}

/** Why V8's sampler must be left alone (somebody else uses it, or it is out of reach), or ''. */
export function samplingRefusal(execArgv: readonly string[], environment: Environment): string {
  if (process.permission !== undefined) return 'the permission model is on';
  if (environment.NODE_V8_COVERAGE) return 'NODE_V8_COVERAGE is set';
  // Node's test runner forbids its own inspector to other threads, and ends the process of one that tries.
  const taken = flagsOf(execArgv, environment).find((flag) => /^--(inspect|cpu[-_]prof|test$)/.test(flag));
  return taken === undefined ? '' : `${taken.replace(/=.*/, '')} is set`;
}

/** Whether Node's own profile of the heap is running, which ours would end. */
export function isHeapTaken(execArgv: readonly string[], environment: Environment): boolean {
  return flagsOf(execArgv, environment).some((flag) => /^--heap[-_]prof$/.test(flag));
}

function flagsOf(execArgv: readonly string[], environment: Environment): string[] {
  return [...execArgv, ...(environment.NODE_OPTIONS ?? '').split(/\s+/)];
}
