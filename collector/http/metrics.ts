/** /metrics: what the collector counts of itself, what services measure, how instances are. Durations are in seconds. */
import { SERIES_GC_PAUSE, SERIES_HTTP_SERVER, SERIES_LOOP_DELAY } from '../../agent/wire/schema';
import type { Counters } from '../counters';
import type { Agent } from '../ingest/agents';
import type { RecentGc } from '../query/recent-gc';
import { labelRecord, type SeriesTotals } from '../query/series-totals';
import type { ServiceTotals, TimedSeries } from '../query/service-totals';
import type { InstanceStatus } from '../store/batch';
import type { StoreStats } from '../store/store';
import { Exposition, type Labels } from './exposition';
import { writeGc } from './gc-metrics';
import { exposedLabels, writeSeries } from './series-metrics';

export type MetricsInput = {
  counters: Counters;
  live: readonly Agent[];
  /** Profiles that are being made now. */
  capturesRunning: number;
  store: StoreStats;
  totals: ServiceTotals;
  series: SeriesTotals;
  /** The agent is connected, or may come back in a moment. */
  isPresent: (agentId: string) => boolean;
  recentGc: RecentGc;
  tailClients: number;
  nowMillis: number;
};

const QUANTILES = [0.5, 0.9, 0.99, 1];

const SUMMARIES: readonly [name: string, series: TimedSeries, help: string][] = [
  [
    'ringtail_loop_delay_seconds',
    SERIES_LOOP_DELAY,
    'Event loop delay; quantiles of the last 5 to 10 minutes.',
  ],
  [
    'ringtail_gc_pause_seconds',
    SERIES_GC_PAUSE,
    'Garbage collections; quantiles of the last 5 to 10 minutes.',
  ],
  [
    'ringtail_http_request_seconds',
    SERIES_HTTP_SERVER,
    'HTTP server requests; quantiles of the last 5 to 10 minutes.',
  ],
];

/** What the profiler costs, besides CPU. */
const COUNTERS: readonly [name: string, help: string, pick: (agent: Agent) => number][] = [
  [
    'ringtail_instance_rotation_pause_seconds_total',
    'Pauses of the main thread to end windows.',
    ({ rotationPauseMicros }) => rotationPauseMicros / 1e6,
  ],
  [
    'ringtail_instance_host_callback_seconds_total',
    "The profiler's callbacks on the main thread.",
    ({ hostSelfMicros }) => hostSelfMicros / 1e6,
  ],
  ['ringtail_instance_sent_bytes_total', 'What the agent has sent.', ({ sentBytes }) => sentBytes],
];

const GAUGES: readonly [name: string, help: string, pick: (status: InstanceStatus) => number][] = [
  ['ringtail_instance_rss_bytes', 'Resident memory.', ({ rssBytes }) => rssBytes],
  ['ringtail_instance_heap_used_bytes', 'JavaScript heap in use.', ({ heapUsedBytes }) => heapUsedBytes],
  ['ringtail_instance_heap_limit_bytes', 'JavaScript heap limit.', ({ heapLimitBytes }) => heapLimitBytes],
  [
    'ringtail_instance_external_bytes',
    'Memory outside the heap that objects own.',
    ({ externalBytes }) => externalBytes,
  ],
  [
    'ringtail_instance_profiler_memory_bytes',
    "Memory of the agent's thread, without shared memory.",
    ({ agentMemoryBytes }) => agentMemoryBytes,
  ],
  ['ringtail_instance_sampling_hertz', 'Sampling rate, 0 when off.', ({ rateHz }) => rateHz],
  [
    'ringtail_instance_window_seconds',
    'Length of a sampling window.',
    ({ windowMillis }) => windowMillis / 1000,
  ],
  ['ringtail_instance_hang', '1 while the main thread is stuck.', ({ hang }) => (hang === 0 ? 0 : 1)],
];

export function renderMetrics({
  counters,
  live,
  capturesRunning,
  store,
  totals,
  series,
  isPresent,
  recentGc,
  tailClients,
  nowMillis,
}: MetricsInput): string {
  const out = new Exposition();
  out.single('ringtail_agents', 'gauge', 'Connected agents.', live.length);
  writeCounters(out, counters);
  out.single('ringtail_captures_running', 'gauge', 'Profiles that are being made now.', capturesRunning);
  out.single('ringtail_tail_clients', 'gauge', 'Connected watchers of the tail.', tailClients);
  out.single('ringtail_store_batches', 'gauge', 'Batches kept.', store.batches);
  out.single('ringtail_store_bytes', 'gauge', 'Bytes kept, about.', store.bytes);
  out.single(
    'ringtail_store_evicted_batches_total',
    'counter',
    'Batches dropped for room.',
    store.evictedBatches,
  );
  out.single('ringtail_store_evicted_bytes_total', 'counter', 'Bytes dropped for room.', store.evictedBytes);
  writeServices(out, totals, nowMillis);
  writeInstances(out, live, nowMillis);
  writeGc(out, live, recentGc, labelsOf);
  out.single(
    'ringtail_series_overflow_total',
    'counter',
    'Values of series that found no room here.',
    series.overflow,
  );
  writeSeries(out, series, isPresent);
  return out.text();
}

function writeCounters(out: Exposition, counters: Counters): void {
  const single: [name: string, help: string, value: number][] = [
    ['connections', 'Agents that proved the token.', counters.connections],
    ['messages', 'Messages of agents.', counters.messages],
    ['message_bytes', 'Bytes of those messages.', counters.messageBytes],
    ['batches', 'Batches committed.', counters.batches],
    ['duplicates', 'Batches that came again.', counters.duplicates],
    ['gaps', 'Batches that never came.', counters.gaps],
    ['ended_without_goodbye', 'Agents that ended without a goodbye.', counters.endedWithoutGoodbye],
    ['captures', 'Profiles asked for.', counters.captures],
    ['http_refused', 'Requests that the guard refused.', counters.httpRefused],
    ['tail_lines', 'Lines sent to watchers of the tail.', counters.tailLines],
    ['slow_tail_clients', 'Watchers dropped because they read too slowly.', counters.slowTailClients],
  ];
  for (const [name, help, value] of single) out.single(`ringtail_${name}_total`, 'counter', help, value);
  out.byWord(
    'ringtail_errors_total',
    'Connections of agents ended by an error.',
    'code',
    counters.errorsByCode,
  );
  out.byWord(
    'ringtail_refused_numbers_total',
    'Numbers that were NaN or infinite and left out.',
    'field',
    counters.refusedByField,
  );
  out.byWord('ringtail_losses_total', 'What agents lost on the way.', 'reason', counters.lossesByReason);
}

function writeServices(out: Exposition, totals: ServiceTotals, nowMillis: number): void {
  for (const [name, series, help] of SUMMARIES) {
    out.family(name, 'summary', help);
    for (const [service, { durations }] of totals.services) {
      const recent = durations.get(series)!;
      const values = recent.quantiles(QUANTILES, nowMillis);
      QUANTILES.forEach((quantile, index) => {
        out.sample(name, { service, quantile: String(quantile) }, values[index]! / 1e6);
      });
      out.sample(`${name}_sum`, { service }, recent.sumMicros / 1e6);
      out.sample(`${name}_count`, { service }, recent.count);
    }
  }
  out.family('ringtail_http_errors_total', 'counter', 'HTTP answers with a status of 500 or more.');
  for (const [service, { errors }] of totals.services)
    out.sample('ringtail_http_errors_total', { service }, errors);
  out.family('ringtail_http_aborted_total', 'counter', 'HTTP requests that were aborted.');
  for (const [service, { aborted }] of totals.services)
    out.sample('ringtail_http_aborted_total', { service }, aborted);
}

function writeInstances(out: Exposition, live: readonly Agent[], nowMillis: number): void {
  out.family('ringtail_instance_info', 'gauge', 'Always 1: versions, and the labels of RINGTAIL_LABELS.');
  for (const agent of live) {
    const { nodeVersion, agentVersion, labels } = agent.instance;
    const versions = { node_version: nodeVersion, agent_version: agentVersion };
    out.sample(
      'ringtail_instance_info',
      { ...exposedLabels(labelRecord(labels)), ...versions, ...labelsOf(agent) },
      1,
    );
  }
  for (const [name, help, pick] of GAUGES) {
    out.family(name, 'gauge', help);
    for (const agent of live)
      if (agent.status !== null) out.sample(name, labelsOf(agent), pick(agent.status));
  }
  out.family('ringtail_instance_heard_seconds', 'gauge', 'Time since the last message.');
  for (const agent of live) {
    out.sample(
      'ringtail_instance_heard_seconds',
      labelsOf(agent),
      Math.max(0, nowMillis - agent.heardMillis) / 1000,
    );
  }
  out.family(
    'ringtail_instance_cpu_seconds_total',
    'counter',
    'CPU time: process, main thread, and the profiler itself.',
  );
  for (const agent of live) {
    for (const [part, micros] of Object.entries(agent.cpuMicros)) {
      out.sample('ringtail_instance_cpu_seconds_total', { ...labelsOf(agent), part }, micros / 1e6);
    }
  }
  for (const [name, help, pick] of COUNTERS) {
    out.family(name, 'counter', help);
    for (const agent of live) out.sample(name, labelsOf(agent), pick(agent));
  }
}

function labelsOf({ instance }: Agent): Labels {
  return { service: instance.service, instance: instance.instance };
}
