/** Garbage collection in the tail: this second's from its batches, the last minute's from what is kept of it. */
import { EVENT_GC } from '../../agent/wire/schema';
import { describeStack } from '../profile/frame';
import { memoryHint } from '../query/memory-hint';
import { type GcFigures, gcFigures, gcName, type MajorMemory } from '../query/recent-gc';
import type { Batch } from '../store/batch';
import type { TailSecond } from './schema';

export function gcOf(batches: readonly Batch[], minute: GcFigures | null): TailSecond['gc'] {
  const { startMicros } = batches[0]!;
  const figures = gcFigures(batches, startMicros, batches.at(-1)!.endMicros);
  return {
    count: figures.count,
    totalMillis: millis(figures.sumMicros),
    maxMillis: millis(figures.maxMicros),
    wallPercent: percent(figures.wallShare),
    busyPercent: percent(figures.busyShare),
    types: figures.byType.map(({ type, count, sumMicros, maxMicros }) => ({
      type,
      count,
      totalMillis: millis(sumMicros),
      maxMillis: millis(maxMicros),
    })),
    longest: longestOf(batches),
    minute:
      minute === null
        ? null
        : {
            wallPercent: percent(minute.wallShare),
            busyPercent: percent(minute.busyShare),
            maxMillis: millis(minute.maxMicros),
            mutatorPercent: minute.mutator.map(({ windowMillis, utilization }) => ({
              windowMillis,
              percent: percent(utilization),
            })),
          },
  };
}

export function majorMemoryOf(
  memory: MajorMemory | null,
): NonNullable<TailSecond['memory']['afterMajor']> | null {
  if (memory === null) return null;
  return {
    usedBytes: memory.used,
    committedBytes: memory.committed,
    externalBytes: memory.external,
    rssBytes: memory.rss,
    hint: memoryHint(memory),
  };
}

/** Of the ledger's entries that came with these batches. */
function longestOf(batches: readonly Batch[]): NonNullable<TailSecond['gc']['longest']> | null {
  let longest: { batch: Batch; event: Batch['events'][number] } | null = null;
  for (const batch of batches) {
    for (const event of batch.events) {
      if (event.kind !== EVENT_GC) continue;
      if (longest === null || event.durationMicros > longest.event.durationMicros) longest = { batch, event };
    }
  }
  if (longest === null) return null;
  const { batch, event } = longest;
  return {
    millis: millis(event.durationMicros),
    name: gcName(event.a, event.b),
    stack: describeStack(batch.stacks, event.stack),
  };
}

/** µs to ms with three places. */
function millis(micros: number): number {
  return Math.round(micros) / 1000;
}

/** A share as percent with one place. */
function percent(share: number): number;
function percent(share: number | null): number | null;
function percent(share: number | null): number | null {
  return share === null ? null : Math.round(share * 1000) / 10;
}
