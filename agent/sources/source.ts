/** What every source is given and gives back. */

import { type RecordKind, SeriesKind } from '../../assembly/layout';
import type { ControlPage } from '../control';
import type { CoreWriter } from '../core';
import type { SourceGuard } from '../source-guard';
import { tally } from '../tally';
import { UNIT_MICROS } from '../wire/schema';

export type SourceContext = {
  writer: CoreWriter;
  control: ControlPage;
  guard: SourceGuard;
  nowMicros: () => number;
};

/** Begins to listen and returns how to end it. Throws when the runtime lacks what it needs: that feed is then missing. */
export type OpenSource = (context: SourceContext) => () => void;

/** Durations go into series as whole microseconds that fit the short path. */
export function wholeMicros(micros: number): number {
  return micros > 0 ? Math.min(Math.round(micros), 0x7fff_ffff) : 0;
}

/** Opens a source's series. labels: flat key, value. */
export function openSeries(
  writer: CoreWriter,
  kind: SeriesKind,
  name: string,
  labels: readonly string[] = [],
  unit = '',
): number {
  tally.series++;
  return writer.series(kind, name, unit, labels);
}

/** Opens a source's histogram of microseconds. */
export function openDurations(writer: CoreWriter, name: string, labels: readonly string[] = []): number {
  return openSeries(writer, SeriesKind.Histogram, name, labels, UNIT_MICROS);
}

/** Pushes one record, counting it when the ring has no room. */
export function pushRecord(
  writer: CoreWriter,
  kind: RecordKind,
  a: number,
  b: number,
  startMicros: number,
  durationMicros: number,
): void {
  if (writer.push(kind, a, b, startMicros, durationMicros) < 0) tally.dropped++;
}
