/** Garbage collection of instances over their last minute, in Prometheus' text. */
import type { Agent } from '../ingest/agents';
import type { GcFigures, RecentGc } from '../query/recent-gc';
import type { Exposition, Labels } from './exposition';

export function writeGc(
  out: Exposition,
  live: readonly Agent[],
  recentGc: RecentGc,
  labelsOf: (agent: Agent) => Labels,
): void {
  const known = live.flatMap((agent) => {
    const figures = recentGc.figures(agent.instance.agentId);
    return figures === null ? [] : [{ labels: labelsOf(agent), figures }];
  });
  const each = (write: (labels: Labels, figures: GcFigures) => void) => {
    for (const { labels, figures } of known) write(labels, figures);
  };
  out.family(
    'ringtail_instance_gc_share',
    'gauge',
    'Share of the last minute spent in garbage collection: of all of it, and of the time the loop was not waiting.',
  );
  each((labels, { wallShare, busyShare }) => {
    out.sample('ringtail_instance_gc_share', { ...labels, of: 'wall' }, wallShare);
    if (busyShare !== null) out.sample('ringtail_instance_gc_share', { ...labels, of: 'busy' }, busyShare);
  });
  out.family(
    'ringtail_instance_gc_pause_max_seconds',
    'gauge',
    'Longest garbage collection of the last minute.',
  );
  each((labels, { maxMicros }) =>
    out.sample('ringtail_instance_gc_pause_max_seconds', labels, maxMicros / 1e6),
  );
  out.family(
    'ringtail_instance_mutator_utilization_min',
    'gauge',
    'What garbage collection left to the program in the worst window of each length in the last minute, 0 to 1.',
  );
  each((labels, { mutator }) => {
    for (const { windowMillis, utilization } of mutator) {
      if (utilization === null) continue;
      const window = String(windowMillis / 1000);
      out.sample('ringtail_instance_mutator_utilization_min', { ...labels, window }, utilization);
    }
  });
}
