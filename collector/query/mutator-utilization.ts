/**
 * Minimum mutator utilisation: of all windows of a length within a span, the one in which the program could run least,
 * and how much that was, 0..1. A short longest pause says little when pauses come one after the other; this figure says
 * what a request of that length has to reckon with.
 *
 * Move a window to the right: what it holds of pauses stops growing where it begins to lose one, so the worst window
 * begins where a pause begins, or is the last one of the span. Only those are looked at.
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
  let worst = pausedWithin(pauses, toMicros - windowMicros, toMicros);
  // `last` is the first pause behind the window, `inside` the whole length of those before it.
  let last = 0;
  let inside = 0;
  for (const { startMicros, durationMicros } of pauses) {
    const end = startMicros + windowMicros;
    if (end > toMicros) break;
    for (; last < pauses.length && pauses[last]!.startMicros < end; last++)
      inside += pauses[last]!.durationMicros;
    const cut = pauses[last - 1]!;
    worst = Math.max(worst, inside - Math.max(0, cut.startMicros + cut.durationMicros - end));
    inside -= durationMicros;
  }
  return Math.min(1, Math.max(0, 1 - worst / windowMicros));
}

function pausedWithin(pauses: readonly Pause[], from: number, to: number): number {
  return pauses.reduce(
    (sum, { startMicros, durationMicros }) =>
      sum + Math.max(0, Math.min(to, startMicros + durationMicros) - Math.max(from, startMicros)),
    0,
  );
}
