/**
 * Garbage collections, from perf_hooks: one ring record and one histogram value for each. Entries come in batches
 * (dozens in one callback under load), so every entry of every batch is read. perf_hooks hands them over in a later turn
 * of the loop: those of the last turn before the program ends never come.
 *
 * The heap after a major collection is read in that same later turn, two microseconds each time, and says how late it is.
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { RecordKind } from '../../assembly/layout';
import { microsOfEntry } from '../clock';
import { type GcType, gcTypeOf, LABEL_GC_TYPE } from '../wire/gc';
import { SERIES_GC_PAUSE } from '../wire/schema';
import { openDurations, pushRecord, type SourceContext, wholeMicros } from './source';

type GcEntry = PerformanceEntry & { detail: { kind: number; flags: number } };

const KIBIBYTE = 1024;

export function openGc({ writer, guard, nowMicros }: SourceContext): () => void {
  /** One histogram a type; each is opened with its first collection. */
  const pauses = new Map<GcType, number>();
  const pausesOf = (type: GcType): number => {
    let series = pauses.get(type);
    if (series === undefined) {
      series = openDurations(writer, SERIES_GC_PAUSE, [LABEL_GC_TYPE, type]);
      pauses.set(type, series);
    }
    return series;
  };

  const read = (entries: readonly PerformanceEntry[]) => {
    let majorEndMicros = 0;
    for (const entry of entries as readonly GcEntry[]) {
      const { kind, flags } = entry.detail;
      const startMicros = microsOfEntry(entry.startTime);
      const durationMicros = entry.duration * 1000;
      const type = gcTypeOf(kind);
      writer.recordInt(pausesOf(type), wholeMicros(durationMicros));
      pushRecord(writer, RecordKind.Gc, kind, flags, startMicros, durationMicros);
      if (type === 'major') majorEndMicros = startMicros + durationMicros;
    }
    if (majorEndMicros > 0) readHeap(majorEndMicros);
  };

  const readHeap = (majorEndMicros: number) => {
    // Asked for here and not above, because loading it costs half a millisecond of every start.
    const { getHeapStatistics } = require('node:v8') as typeof import('node:v8');
    const { used_heap_size: used, total_heap_size: committed } = getHeapStatistics();
    const atMicros = nowMicros();
    pushRecord(
      writer,
      RecordKind.HeapAfterMajor,
      Math.round(used / KIBIBYTE),
      Math.round(committed / KIBIBYTE),
      atMicros,
      Math.max(0, atMicros - majorEndMicros),
    );
  };

  const onBatch = guard.wrap((list: { getEntries(): PerformanceEntry[] }) => read(list.getEntries()));
  const observer = new PerformanceObserver((list) => onBatch(list));
  observer.observe({ entryTypes: ['gc'] });
  return () => {
    const waiting = observer.takeRecords();
    observer.disconnect();
    read(waiting);
  };
}
