/** Garbage collection of a profile's time in one line. */
import { EVENT_GC } from '../../agent/wire/schema';
import type { Batch } from '../store/batch';
import { gcFigures, gcName } from './recent-gc';

/** Shares are of the batches' time, which reaches a little beyond the range; '' where nothing was collected. */
export function gcComment(
  batches: readonly Batch[],
  [fromMicros, toMicros]: readonly [from: number, to: number],
): string {
  const { count, wallShare, busyShare, mutator } = gcFigures(batches, fromMicros, toMicros);
  if (count === 0) return '';
  const busy = busyShare === null ? '' : ` and ${percent(busyShare)} of busy time`;
  const left = mutator
    .filter(({ utilization }) => utilization !== null)
    .map(({ windowMillis, utilization }) => `${percent(utilization!)} of the worst ${windowMillis} ms`);
  const mutators =
    left.length === 0 ? '' : `; it left to the program ${left.join(', ')} (minimum mutator utilisation)`;
  return `garbage collection took ${percent(wallShare)} of wall${busy}${longestText(batches, fromMicros, toMicros)}${mutators}`;
}

function longestText(batches: readonly Batch[], fromMicros: number, toMicros: number): string {
  const entries = batches
    .flatMap(({ events }) => events)
    .filter(
      ({ kind, startMicros }) => kind === EVENT_GC && startMicros >= fromMicros && startMicros < toMicros,
    );
  if (entries.length === 0) return '';
  const longest = entries.reduce((most, entry) =>
    entry.durationMicros > most.durationMicros ? entry : most,
  );
  return `; longest of ${entries.length} ${(longest.durationMicros / 1000).toFixed(2)} ms, ${gcName(longest.a, longest.b)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
