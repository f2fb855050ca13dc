/**
 * Garbage collections, from perf_hooks: one ring record and one histogram value for each. Entries come in batches
 * (dozens in one callback under load), so every entry of every batch is read.
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { RecordKind } from '../../assembly/layout';
import { microsOfEntry } from '../clock';
import { SERIES_GC_PAUSE } from '../wire/schema';
import { openDurations, pushRecord, type SourceContext, wholeMicros } from './source';

type GcEntry = PerformanceEntry & { detail: { kind: number; flags: number } };

export function openGc({ writer, guard }: SourceContext): () => void {
  const pauses = openDurations(writer, SERIES_GC_PAUSE);
  const onBatch = guard.wrap((list: { getEntries(): PerformanceEntry[] }) => {
    for (const entry of list.getEntries() as GcEntry[]) {
      const durationMicros = entry.duration * 1000;
      writer.recordInt(pauses, wholeMicros(durationMicros));
      pushRecord(
        writer,
        RecordKind.Gc,
        entry.detail.kind,
        entry.detail.flags,
        microsOfEntry(entry.startTime),
        durationMicros,
      );
    }
  });
  const observer = new PerformanceObserver((list) => onBatch(list));
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}
