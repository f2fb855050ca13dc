/**
 * Function ranges and waiting lines of the scripts that ticks fell into, read from disk on the agent thread, once a script, and kept in a
 * small cache. A file that is missing, large or changed since the process began gives none: then no leaf is repaired. Nor
 * is one of the agent's own files scanned: in a program that rests they may be all that is sampled, and a scan of so much
 * text can make V8 bring in its optimising compiler (11 of 55 resting programs were 3 to 10 MiB larger, of 79 without
 * the scan none).
 */
import { readFileSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scanFunctions } from './function-ranges';
import type { ScriptSource, ScriptText } from './profile-reader';

const SCRIPT_BYTES_MAX = 1024 * 1024;
const SCRIPTS_MAX = 256;
/** Text scanned in one second at the most, so that a burst of new scripts does not cost CPU at once. */
const SCAN_BYTES_PER_SECOND = 1024 * 1024;
/** Where the agent's own files lie, as they are built. */
const OWN_FOLDER = `${__dirname}${sep}`;

export class ScriptFiles implements ScriptSource {
  #known = new Map<string, ScriptText | null>();
  #budgetBytes = SCAN_BYTES_PER_SECOND;
  #budgetAtMillis = 0;

  /** startWallMillis: when the process began; a file changed after that is not what runs. */
  constructor(readonly startWallMillis: number) {}

  textOf(url: string): ScriptText | null {
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    if (!url.startsWith('file://')) return null;
    const text = this.#read(url);
    if (text === undefined) return null;
    if (this.#known.size >= SCRIPTS_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(url, text);
    return text;
  }

  /** undefined: not now, ask again; null: never. */
  #read(url: string): ScriptText | null | undefined {
    try {
      const path = fileURLToPath(url);
      const { size, mtimeMs } = statSync(path);
      if (size > SCRIPT_BYTES_MAX || mtimeMs > this.startWallMillis) return null;
      const now = Date.now();
      if (now - this.#budgetAtMillis > 1000) {
        this.#budgetAtMillis = now;
        this.#budgetBytes = SCAN_BYTES_PER_SECOND;
      }
      if (this.#budgetBytes < size) return undefined;
      this.#budgetBytes -= size;
      const source = readFileSync(path, 'utf8');
      const functions = path.startsWith(OWN_FOLDER) ? [] : scanFunctions(source);
      return functions === null ? null : { functions, waitLines: linesWith(source, 'Atomics.wait(') };
    } catch {
      return null;
    }
  }
}

function linesWith(source: string, needle: string): Set<number> {
  const lines = new Set<number>();
  let line = 1;
  let from = 0;
  for (let at = source.indexOf(needle); at >= 0; at = source.indexOf(needle, at + 1)) {
    for (let next = source.indexOf('\n', from); next >= 0 && next < at; next = source.indexOf('\n', from)) {
      line++;
      from = next + 1;
    }
    lines.add(line);
  }
  return lines;
}
