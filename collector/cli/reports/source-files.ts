/**
 * Source files by the names a profile gives them. The program may have run elsewhere: a file that is not there is looked
 * for below a folder of the reader's, by as much of its path as fits.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

const SOURCE_BYTES_MAX = 32 * 1024 * 1024;

export class SourceFiles {
  readonly #folder: string;
  readonly #lines = new Map<string, readonly string[] | null>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** null where there is none, or none that can be read. */
  read(file: string): readonly string[] | null {
    let lines = this.#lines.get(file);
    if (lines === undefined) {
      const found = candidates(file, this.#folder).find(isReadable);
      lines = found === undefined ? null : linesOf(found);
      this.#lines.set(file, lines);
    }
    return lines;
  }
}

/** The file itself, then ever shorter ends of its path below the folder. */
function candidates(file: string, folder: string): string[] {
  const parts = file.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  const below = parts.map((_, index) => join(folder, ...parts.slice(index)));
  return isAbsolute(file) ? [file, ...below] : below;
}

function isReadable(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size <= SOURCE_BYTES_MAX;
  } catch {
    return false;
  }
}

function linesOf(path: string): string[] | null {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch {
    return null;
  }
}
