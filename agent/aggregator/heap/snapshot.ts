/**
 * A full heap snapshot of main, written to a file while V8 makes it. Main stands still meanwhile (5 to 10 s for
 * each 100 MB), and the process needs about as much memory again: so both, and the disk, are looked at first. The file opens in
 * Chrome's DevTools. It holds every string of the program, so it is readable by its user only.
 */
import { closeSync, openSync, renameSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import type { HeapSampler } from './heap-sampler';

export type Snapshot = { path: string; bytes: number; pauseMillis: number };

/** What a snapshot must not be taken for want of, in words. */
export class NoRoom extends Error {}

/** Of the used heap: what the file takes at the most, and what making it takes of memory. */
const FILE_SHARE = 2;
const MEMORY_SHARE = 1.5;
/** Left alone on the disk. */
const SPARE_DISK_BYTES = 256 * 1024 * 1024;
const DEADLINE_MILLIS = 600_000;

export async function writeSnapshot(
  sampler: HeapSampler,
  folder: string,
  usedBytes: number,
): Promise<Snapshot> {
  checkRoom(folder, usedBytes);
  const name = `heap-${process.pid}-${Date.now()}.heapsnapshot`;
  const path = join(folder, name);
  const draft = `${path}.part`;
  const file = openSync(draft, 'wx', 0o600);
  let bytes = 0;
  let failure: Error | null = null;
  const from = performance.now();
  try {
    await sampler.withSession(async (session) => {
      const stop = session.listen('HeapProfiler.addHeapSnapshotChunk', (parameters) => {
        if (failure !== null) return;
        try {
          bytes += writeWhole(file, (parameters as { chunk: string }).chunk);
        } catch (error) {
          failure = error as Error;
        }
      });
      try {
        await session.ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false }, DEADLINE_MILLIS);
      } finally {
        stop();
      }
    });
    if (failure !== null) throw failure;
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return { path, bytes, pauseMillis: performance.now() - from };
}

function checkRoom(folder: string, usedBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const freeDiskBytes = bavail * bsize;
  const fileBytes = usedBytes * FILE_SHARE + SPARE_DISK_BYTES;
  if (freeDiskBytes < fileBytes) {
    throw new NoRoom(`${folder} has ${mega(freeDiskBytes)} free, a snapshot may need ${mega(fileBytes)}`);
  }
  const needed = usedBytes * MEMORY_SHARE;
  if (freemem() < needed) {
    throw new NoRoom(`the machine has ${mega(freemem())} of memory free, a snapshot needs ${mega(needed)}`);
  }
}

function writeWhole(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  return bytes.length;
}

function mega(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
