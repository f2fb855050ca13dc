/**
 * A producing thread of the stress tests: pushes numbered records that carry their own checksum until `records` of them
 * are stored (0: until it is terminated), and tells at its end how many it stored and how many were refused. A refused
 * number is passed over. What is stored is counted and recorded into a histogram. workerData: core, threadId, records.
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
/** Refusals in a row after which the reader is given time: it shares the cores with all producers. */
const REFUSALS_MAX = 64;
const PAUSE_MILLIS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));
let refusals = 0;
for (let i = 0; records === 0 || stored < records; i++) {
  if (writer.push(RecordKind.Span, i >>> 0, checkOf(threadId, i), i + 0.5, -i) !== 1) {
    dropped++;
    if (++refusals % REFUSALS_MAX === 0) Atomics.wait(pause, 0, 0, PAUSE_MILLIS);
    continue;
  }
  writer.recordInt(series, stored % 100_000);
  writer.add(counter, 1);
  stored++;
  refusals = 0;
}
writer.detach();
parentPort!.postMessage({ stored, dropped });
