/**
 * A producing thread of the stress tests: pushes records that carry their own checksum, records the same values into a
 * histogram, and tells at its end how many it stored. workerData: core, threadId, records (0: until terminated).
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attachWriter, type CoreMemory } from '../../../agent/core';
import { RecordKind, SeriesKind } from '../../../assembly/layout';
import { checkOf } from './check';

const { core, threadId, records } = workerData as { core: CoreMemory; threadId: number; records: number };
const writer = attachWriter(core, threadId);
if (!writer) throw new Error('no slot is free');
const series = writer.series(SeriesKind.Histogram, 'stress', 'us', []);
const counter = writer.series(SeriesKind.Counter, 'stress.count', '1', []);
let stored = 0;
let dropped = 0;
for (let i = 0; records === 0 || i < records; i++) {
  if (writer.push(RecordKind.Span, i >>> 0, checkOf(threadId, i), i + 0.5, -i) === 1) stored++;
  else dropped++;
  writer.recordInt(series, i % 100_000);
  writer.add(counter, 1);
}
writer.detach();
parentPort!.postMessage({ stored, dropped });
