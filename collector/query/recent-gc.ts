/**
 * Garbage collection of each instance over its last minute: how many, how long, what share of the time, what it leaves
 * to the program, and the heap after the newest major collection. Counts and sums come from the histograms, which miss
 * none; the ledger's entries say when, and those that wait for their stack come a little later. Bounded in all directions.
 */
import {
  gcCauseOf,
  gcTypeOf,
  LABEL_GC_TYPE,
  LABEL_PART,
  MAJOR_MEMORY_PARTS,
  type MajorMemoryPart,
  SERIES_MAJOR_MEMORY,
} from '../../agent/wire/gc';
import { EVENT_GC, SERIES_GC_PAUSE } from '../../agent/wire/schema';
import type { Batch, Series } from '../store/batch';
import {
  disjointPauses,
  MUTATOR_WINDOWS_MILLIS,
  minimumMutatorUtilization,
  type Pause,
} from './mutator-utilization';

const KEEP_MICROS = 60e6;
const ENTRIES_MAX = 8192;
const AGENTS_MAX = 1024;

export type MajorMemory = Readonly<Record<MajorMemoryPart, number>>;

/** What a stretch of time had of collection. µs; shares 0..1. */
export type GcFigures = {
  spanMicros: number;
  /** All collections, by the histograms. */
  count: number;
  sumMicros: number;
  maxMicros: number;
  /** Entries of the ledger that have come so far. */
  entries: number;
  byType: { type: string; count: number; sumMicros: number; maxMicros: number }[];
  wallShare: number;
  /** Of the time in which the loop was not waiting; null where that is not known. */
  busyShare: number | null;
  /** null: nothing covers a window of that length. */
  mutator: { windowMillis: number; utilization: number | null }[];
};

/** Figures of batches that follow one another; entries outside [fromMicros, toMicros) are left out. */
export function gcFigures(batches: readonly Batch[], fromMicros: number, toMicros: number): GcFigures {
  const entries = batches
    .flatMap(entriesOf)
    .filter(({ startMicros }) => startMicros >= fromMicros && startMicros < toMicros);
  return figuresOf(batches.map(sliceOf), entries, fromMicros, toMicros);
}

/** 'major' or 'major (forced)'. */
export function gcName(kind: number, flags: number): string {
  const cause = gcCauseOf(flags);
  return cause === '' ? gcTypeOf(kind) : `${gcTypeOf(kind)} (${cause})`;
}

type TypeSums = { type: string; count: number; sumMicros: number; maxMicros: number };
/** What a batch adds to the sums. */
type Slice = {
  startMicros: number;
  endMicros: number;
  idleMicros: number;
  activeMicros: number;
  types: TypeSums[];
};

function sliceOf({ startMicros, endMicros, status, values }: Batch): Slice {
  return {
    startMicros,
    endMicros,
    idleMicros: status?.loopIdleMicros ?? 0,
    activeMicros: status?.loopActiveMicros ?? 0,
    types: values
      .filter(({ series, buckets }) => series.name === SERIES_GC_PAUSE && buckets !== null)
      .map(({ series, count, sum, max }) => ({
        type: labelOf(series, LABEL_GC_TYPE) || 'other',
        count,
        sumMicros: sum,
        maxMicros: max,
      })),
  };
}

/** Of the main thread; others have none. */
function entriesOf({ events }: Batch): Pause[] {
  return events
    .filter(({ kind, threadId }) => kind === EVENT_GC && threadId === 0)
    .map(({ startMicros, durationMicros }) => ({ startMicros, durationMicros }));
}

function labelOf({ labels }: Series, key: string): string {
  const at = labels.indexOf(key);
  return at < 0 ? '' : (labels[at + 1] ?? '');
}

function figuresOf(
  slices: readonly Slice[],
  entries: readonly Pause[],
  fromMicros: number,
  toMicros: number,
): GcFigures {
  const byType = new Map<string, TypeSums>();
  for (const { type, count, sumMicros, maxMicros } of slices.flatMap(({ types }) => types)) {
    const sums = byType.get(type) ?? { type, count: 0, sumMicros: 0, maxMicros: 0 };
    byType.set(type, sums);
    sums.count += count;
    sums.sumMicros += sumMicros;
    sums.maxMicros = Math.max(sums.maxMicros, maxMicros);
  }
  const types = [...byType.values()];
  const spanMicros = total(slices.map(({ startMicros, endMicros }) => endMicros - startMicros));
  const sumMicros = total(types.map((sums) => sums.sumMicros));
  const activeMicros = total(slices.map((slice) => slice.activeMicros));
  const loopMicros = activeMicros + total(slices.map(({ idleMicros }) => idleMicros));
  const busyMicros = loopMicros > 0 ? (activeMicros / loopMicros) * spanMicros : 0;
  const disjoint = disjointPauses(entries, fromMicros, toMicros);
  return {
    spanMicros,
    count: total(types.map(({ count }) => count)),
    sumMicros,
    maxMicros: types.reduce((most, { maxMicros }) => Math.max(most, maxMicros), 0),
    entries: entries.length,
    byType: types,
    wallShare: spanMicros > 0 ? Math.min(1, sumMicros / spanMicros) : 0,
    busyShare: busyMicros > 0 ? Math.min(1, sumMicros / busyMicros) : null,
    mutator: MUTATOR_WINDOWS_MILLIS.map((windowMillis) => ({
      windowMillis,
      utilization: minimumMutatorUtilization(disjoint, fromMicros, toMicros, windowMillis * 1000),
    })),
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

type Recent = { slices: Slice[]; entries: Pause[]; majorMemory: Partial<Record<MajorMemoryPart, number>> };

export class RecentGc {
  #agents = new Map<string, Recent>();

  add(agentId: string, batch: Batch): void {
    let recent = this.#agents.get(agentId);
    if (recent === undefined) {
      if (this.#agents.size >= AGENTS_MAX) return;
      recent = { slices: [], entries: [], majorMemory: {} };
      this.#agents.set(agentId, recent);
    }
    const { slices, entries, majorMemory } = recent;
    entries.push(...entriesOf(batch));
    for (const { series, sum } of batch.values) {
      if (series.name !== SERIES_MAJOR_MEMORY) continue;
      majorMemory[labelOf(series, LABEL_PART) as MajorMemoryPart] = sum;
    }
    slices.push(sliceOf(batch));
    const keepFrom = batch.endMicros - KEEP_MICROS;
    while (slices[0]!.endMicros < keepFrom) slices.shift();
    const old = entries.findIndex(({ startMicros }) => startMicros >= keepFrom);
    entries.splice(0, Math.max(old < 0 ? entries.length : old, entries.length - ENTRIES_MAX));
  }

  /** Of the last minute; null for who is not known. */
  figures(agentId: string): GcFigures | null {
    const recent = this.#agents.get(agentId);
    if (recent === undefined) return null;
    const { slices, entries } = recent;
    return figuresOf(slices, entries, slices[0]!.startMicros, slices.at(-1)!.endMicros);
  }

  /** null before the first major collection. */
  majorMemory(agentId: string): MajorMemory | null {
    const parts = this.#agents.get(agentId)?.majorMemory ?? {};
    return MAJOR_MEMORY_PARTS.every((part) => parts[part] !== undefined) ? (parts as MajorMemory) : null;
  }

  /** Forgets agents that are not known any more. */
  keepOnly(isKnown: (agentId: string) => boolean): void {
    for (const agentId of this.#agents.keys()) if (!isKnown(agentId)) this.#agents.delete(agentId);
  }
}
