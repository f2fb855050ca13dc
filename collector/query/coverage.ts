/**
 * What a range of an agent's time is covered with, as far as its main thread goes: by sampling windows, and where they
 * are missing, by what the agent told of itself (stuck in a call, asleep so that the sampler
 * is off, or resting for the budget's sake).
 */
import { EVENT_HANG } from '../../agent/wire/schema';
import type { Batch } from '../store/batch';

/** [from, to) in µs. */
export type Span = readonly [fromMicros: number, toMicros: number];

export type Coverage = {
  /** Time without a window during which main was stuck, and how much CPU it burnt then. */
  stuckMicros: number;
  stuckCpuMicros: number;
  /** Time without a window during which the sampler was off because the program slept. */
  idleMicros: number;
  /** Time without a window during which sampling rested to stay inside the agent's CPU budget, and what main burnt then. */
  savingMicros: number;
  savingCpuMicros: number;
  /** Time of which nothing is known. */
  missingMicros: number;
};

/** Seams between two windows are no gaps. */
const SEAM_MICROS = 50_000;

/** hangsOn: main is still stuck, so what was last told goes on until the end of the range. */
export function coverageOf(batches: readonly Batch[], range: Span, hangsOn: boolean): Coverage {
  const windows = batches.flatMap(({ windows }) => windows.filter(({ threadId }) => threadId === 0));
  const covered = unite(windows.map(({ startMicros, endMicros }) => [startMicros, endMicros]));
  const gaps = subtract([range], covered).filter(([from, to]) => to - from >= SEAM_MICROS);
  const stuck = intersect(gaps, hangSpans(batches, hangsOn ? range[1] : 0));
  const unseen = subtract(gaps, stuck);
  const idle = intersect(unseen, spansIn(batches, 'idle'));
  const saving = intersect(unseen, spansIn(batches, 'saving'));
  const savingMicros = lengthOf(saving);
  const stuckMicros = lengthOf(stuck);
  const idleMicros = lengthOf(idle);
  return {
    stuckMicros,
    stuckCpuMicros: stuckMicros * cpuShareDuring(batches, stuck),
    idleMicros,
    savingMicros,
    savingCpuMicros: savingMicros * cpuShareDuring(batches, saving),
    missingMicros: lengthOf(unseen) - idleMicros - savingMicros,
  };
}

/** Batches at whose end the sampler was in the state. */
function spansIn(batches: readonly Batch[], state: string): Span[] {
  return unite(
    batches.flatMap(({ status, startMicros, endMicros }) =>
      status?.sampler === state ? [[startMicros, endMicros] as const] : [],
    ),
  );
}

/** When main was stuck: as events told it, and as the status said at the end of each batch. */
function hangSpans(batches: readonly Batch[], lastsUntilMicros: number): Span[] {
  const spans: Span[] = [];
  let last: Span | null = null;
  for (const { status, events, endMicros } of batches) {
    for (const { kind, startMicros, durationMicros } of events) {
      if (kind === EVENT_HANG) spans.push([startMicros, startMicros + durationMicros]);
    }
    if (status === null) continue;
    last = status.hang !== 0 ? [status.hangSinceMicros, endMicros] : null;
    if (last !== null) spans.push(last);
  }
  if (last !== null && lastsUntilMicros > last[0]) spans.push([last[0], lastsUntilMicros]);
  return unite(spans);
}

/** How much of a core main used in the batches that lie in the spans; all of it where the system does not tell. */
function cpuShareDuring(batches: readonly Batch[], spans: readonly Span[]): number {
  let cpuMicros = 0;
  let wallMicros = 0;
  for (const { status, startMicros, endMicros } of batches) {
    const length = endMicros - startMicros;
    const inside = lengthOf(intersect([[startMicros, endMicros]], spans));
    if (status?.mainCpuMicros == null || inside === 0 || length === 0) continue;
    cpuMicros += (status.mainCpuMicros * inside) / length;
    wallMicros += inside;
  }
  return wallMicros === 0 ? 1 : Math.min(1, cpuMicros / wallMicros);
}

/** Sorted and without overlaps. */
export function unite(spans: readonly Span[]): Span[] {
  const sorted = spans.filter(([from, to]) => to > from).sort((left, right) => left[0] - right[0]);
  const united: Span[] = [];
  for (const span of sorted) {
    const last = united.at(-1);
    if (last !== undefined && span[0] <= last[1])
      united[united.length - 1] = [last[0], Math.max(last[1], span[1])];
    else united.push(span);
  }
  return united;
}

/** Both must be united. */
export function intersect(left: readonly Span[], right: readonly Span[]): Span[] {
  return left.flatMap(([from, to]) =>
    right.flatMap(([start, end]): Span[] => {
      const span: Span = [Math.max(from, start), Math.min(to, end)];
      return span[1] > span[0] ? [span] : [];
    }),
  );
}

/** Both must be united. */
export function subtract(from: readonly Span[], taken: readonly Span[]): Span[] {
  return from.flatMap(([start, end]) => {
    const rest: Span[] = [];
    let at = start;
    for (const [takenFrom, takenTo] of taken) {
      if (takenTo <= at || takenFrom >= end) continue;
      if (takenFrom > at) rest.push([at, takenFrom]);
      at = Math.max(at, takenTo);
    }
    if (at < end) rest.push([at, end]);
    return rest;
  });
}

export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, [from, to]) => sum + to - from, 0);
}
