/** The event loop in the tail, beside its delay: how it turned, and stalls that were too short to be hangs. */
import {
  LABEL_TIER,
  SERIES_LOOP_EVENTS,
  SERIES_LOOP_TURNS,
  SERIES_STALLS,
  STALL_BRIEF,
} from '../../agent/wire/event-loop';
import { EVENT_STALL } from '../../agent/wire/schema';
import { describeStack } from '../profile/frame';
import type { Batch } from '../store/batch';
import type { TailSecond } from './schema';

export function turnsOf(
  batches: readonly Batch[],
  spanMicros: number,
): NonNullable<TailSecond['loop']['turns']> | null {
  const turns = sumOf(batches, SERIES_LOOP_TURNS);
  if (turns === 0) return null;
  const events = sumOf(batches, SERIES_LOOP_EVENTS);
  return {
    perSecond: Math.round((turns * 1e7) / spanMicros) / 10,
    eventsPerTurn: Math.round((events * 100) / turns) / 100,
  };
}

/** Stalls that ended, by the highest tier each reached. */
export function stallTiersOf(batches: readonly Batch[]): NonNullable<TailSecond['loop']['stallTiers']> {
  const counts = new Map<string, number>();
  for (const { series, sum } of batches.flatMap(({ values }) => values)) {
    if (series.name !== SERIES_STALLS) continue;
    const tier = series.labels[series.labels.indexOf(LABEL_TIER) + 1] ?? '';
    counts.set(tier, (counts.get(tier) ?? 0) + sum);
  }
  return [...counts].map(([tier, count]) => ({ tier, count }));
}

/** The longest of those that were no hang; null without one. */
export function briefStallOf(
  batches: readonly Batch[],
): NonNullable<TailSecond['loop']['briefStall']> | null {
  let longest: { batch: Batch; event: Batch['events'][number] } | null = null;
  for (const batch of batches) {
    for (const event of batch.events) {
      if (event.kind !== EVENT_STALL || event.b !== STALL_BRIEF) continue;
      if (longest === null || event.durationMicros > longest.event.durationMicros) longest = { batch, event };
    }
  }
  if (longest === null) return null;
  const { batch, event } = longest;
  return {
    forMillis: Math.round(event.durationMicros / 1000),
    stack: describeStack(batch.stacks, event.stack),
  };
}

function sumOf(batches: readonly Batch[], name: string): number {
  return batches
    .flatMap(({ values }) => values)
    .reduce((total, { series, sum }) => (series.name === name ? total + sum : total), 0);
}
