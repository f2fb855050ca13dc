/**
 * The agents that a program may run with: Node's arguments and environment for each. All sample at 99 Hz; the peers
 * rotate and upload every ten seconds, as long as our windows are at most.
 */
import { join } from 'node:path';
import { PROGRAMS, REGISTER } from './folders.mjs';
import { requirePeer } from './peers.mjs';

export const NONE = 'no agent';
export const OURS = 'ringtail';
export const DATADOG = '@datadog/pprof';
export const PYROSCOPE = '@pyroscope/nodejs';
export const DD_TRACE = 'dd-trace';

/** { execArgv, env } of an agent. collector: ours; sink: where peers upload to. */
export function agentOf(name, { collector, sink }) {
  if (name === OURS) return { execArgv: ['-r', REGISTER], env: collector.env };
  const env = { BENCH_SINK: sink?.url ?? '' };
  if (name === DATADOG) return { execArgv: ['-r', join(PROGRAMS, 'preload-datadog-pprof.cjs')], env };
  if (name === PYROSCOPE) return { execArgv: ['-r', join(PROGRAMS, 'preload-pyroscope.cjs')], env };
  if (name === DD_TRACE) {
    const settings = {
      DD_PROFILING_ENABLED: 'true',
      DD_TRACE_AGENT_URL: sink?.url ?? 'http://127.0.0.1:9',
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_TRACE_STARTUP_LOGS: 'false',
    };
    return { execArgv: ['-r', requirePeer.resolve('dd-trace/init')], env: settings };
  }
  return { execArgv: [], env: {} };
}

/** The same with observe.cjs around it, which tells { observed: { agentThreads } } and counts our rotations. */
export function observedAgentOf(name, places) {
  const { execArgv, env } = agentOf(name, places);
  const [, preload = ''] = execArgv;
  return { execArgv: ['-r', join(PROGRAMS, 'observe.cjs')], env: { ...env, BENCH_PRELOAD: preload } };
}
