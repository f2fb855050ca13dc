/**
 * Minimum mutator utilisation: of all windows of a length within a span, the one in which the program could run least,
 * and how much that was, 0..1. A short longest pause says little when pauses come one after the other; this figure says
 * what a request of that length has to reckon with. The worst window begins where a pause begins or ends where one
 * ends, so only those are looked at.
 */
export type Pause = { startMicros: number; durationMicros: number };

/** Lengths of windows that are told, ms. */
export const MUTATOR_WINDOWS_MILLIS = [10, 50, 100, 1000] as const;

/** Pauses within [fromMicros, toMicros] in order of their start, those that touch or overlap made one. */
export function disjointPauses(pauses: readonly Pause[], fromMicros: number, toMicros: number): Pause[] {
  const disjoint: Pause[] = [];
  for (const pause of [...pauses].sort((a, b) => a.startMicros - b.startMicros)) {
    const start = Math.max(pause.startMicros, fromMicros);
    const end = Math.min(pause.startMicros + pause.durationMicros, toMicros);
    const last = disjoint.at(-1);
    if (end <= start) continue;
    if (last === undefined || last.startMicros + last.durationMicros < start)
      disjoint.push({ startMicros: start, durationMicros: end - start });
    else last.durationMicros = Math.max(last.durationMicros, end - last.startMicros);
  }
  return disjoint;
}

/** pauses: disjoint, in order, within the span. null: the span is shorter than a window. */
export function minimumMutatorUtilization(
  pauses: readonly Pause[],
  fromMicros: number,
  toMicros: number,
  windowMicros: number,
): number | null {
  if (toMicros - fromMicros < windowMicros || windowMicros <= 0) return null;
  let worst = 0;
  // Windows that begin with a pause, as far as they fit: `last` is the first pause behind the window.
  let last = 0;
  let inside = 0;
  for (let first = 0; first < pauses.length; first++) {
    const start = pauses[first]!.startMicros;
    const end = start + windowMicros;
    if (end > toMicros) break;
    for (; last < pauses.length && pauses[last]!.startMicros < end; last++)
      inside += pauses[last]!.durationMicros;
    const { startMicros, durationMicros } = pauses[last - 1]!;
    worst = Math.max(worst, inside - Math.max(0, startMicros + durationMicros - end));
    inside -= pauses[first]!.durationMicros;
  }
  // Windows that end with a pause: `first` is the first pause that is not before the window.
  let first = 0;
  inside = 0;
  for (const pause of pauses) {
    const end = pause.startMicros + pause.durationMicros;
    const start = end - windowMicros;
    inside += pause.durationMicros;
    for (; pauses[first]!.startMicros + pauses[first]!.durationMicros <= start; first++)
      inside -= pauses[first]!.durationMicros;
    if (start < fromMicros) continue;
    worst = Math.max(worst, inside - Math.max(0, start - pauses[first]!.startMicros));
  }
  // And those at the span's own ends, where none of these fits.
  for (const start of [fromMicros, toMicros - windowMicros])
    worst = Math.max(worst, pausedWithin(pauses, start, start + windowMicros));
  return Math.min(1, Math.max(0, 1 - worst / windowMicros));
}

function pausedWithin(pauses: readonly Pause[], from: number, to: number): number {
  return pauses.reduce(
    (sum, { startMicros, durationMicros }) =>
      sum + Math.max(0, Math.min(to, startMicros + durationMicros) - Math.max(from, startMicros)),
    0,
  );
}
