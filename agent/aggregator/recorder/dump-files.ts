/**
 * Dumps of the flight recorder as files of a folder: readable by their owner alone, whole or not there, and never more
 * than so many. The oldest goes first, also where another process of the same program wrote it; files of other names are
 * never touched.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** ringtail-record-2024-05-06T07-08-09.123Z-4711-stall.json.gz: in the order of their times by name. */
const OURS = /^ringtail-record-[\dTZ.-]+-\d+-[a-z]+\.json\.gz(\.tmp)?$/;

export class DumpFiles {
  readonly #folder: string;
  readonly #filesMax: number;

  constructor(folder: string, filesMax: number) {
    this.#folder = folder;
    this.#filesMax = filesMax;
  }

  /** Gives the path. Throws where it cannot be written; then nothing of it is left. */
  write(bytes: Uint8Array, reason: string, wallMillis: number): string {
    const time = new Date(wallMillis).toISOString().replaceAll(':', '-');
    const path = join(this.#folder, `ringtail-record-${time}-${process.pid}-${reason}.json.gz`);
    const beside = `${path}.tmp`;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#removeOldest(this.#filesMax - 1);
    try {
      writeFileSync(beside, bytes, { mode: 0o600, flag: 'wx' });
      renameSync(beside, path);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
    return path;
  }

  #removeOldest(keep: number): void {
    const ours = readdirSync(this.#folder).filter((name) => OURS.test(name));
    ours.sort();
    for (const name of ours.slice(0, Math.max(0, ours.length - keep)))
      rmSync(join(this.#folder, name), { force: true });
  }
}
