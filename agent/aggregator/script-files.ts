/**
 * The text of the scripts that ticks fell into, read on the agent thread: function ranges, waiting lines and imports once
 * a script, kept in a small cache; the text itself is read again when it is not among the last ones. A file that is
 * missing, large or changed since the process began gives none: then no leaf is repaired. Nor is one of the agent's own
 * files scanned: in a program that rests they may be all that is sampled, and a scan of so much text can make V8 bring in
 * its optimising compiler (11 of 55 resting programs were 3 to 10 MiB larger, of 79 without the scan none).
 */
import { readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { scanFunctions } from './function-ranges';
import type { ScriptSource, ScriptText } from './profile-reader';
import { importsIn } from './script-words';

const SCRIPT_BYTES_MAX = 1024 * 1024;
const SCRIPTS_MAX = 256;
/** Text scanned in one second at the most, so that a burst of new scripts does not cost CPU at once. */
const SCAN_BYTES_PER_SECOND = 1024 * 1024;
/** Text that is kept for the next question, characters. */
const KEPT_TEXT_MAX = 2 * 1024 * 1024;
/** Of one script, resolved. */
const IMPORTS_MAX = 64;
/** Where the agent's own files lie, as they are built. */
const OWN_FOLDER = `${__dirname}${sep}`;

export class ScriptFiles implements ScriptSource {
  #known = new Map<string, ScriptText | null>();
  #texts = new Map<string, string>();
  #keptText = 0;
  #imports = new Map<string, readonly string[]>();
  #budgetBytes = SCAN_BYTES_PER_SECOND;
  #budgetAtMillis = 0;

  /** startWallMillis: when the process began; a file changed after that is not what runs. */
  constructor(readonly startWallMillis: number) {}

  textOf(url: string): ScriptText | null {
    return this.askedText(url) ?? null;
  }

  askedText(url: string): ScriptText | null | undefined {
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    const source = this.sourceOf(url);
    if (source === undefined) return undefined;
    const functions = source === null ? null : isOwn(url) ? [] : scanFunctions(source);
    const text = functions === null ? null : { functions, waitLines: linesWith(source!, 'Atomics.wait(') };
    if (this.#known.size >= SCRIPTS_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(url, text);
    return text;
  }

  sourceOf(url: string): string | null | undefined {
    if (!url.startsWith('file://')) return null;
    const kept = this.#texts.get(url);
    if (kept !== undefined) return kept;
    const source = this.#read(url);
    if (typeof source === 'string') this.#keep(url, source);
    return source;
  }

  importsOf(url: string): readonly string[] | undefined {
    const known = this.#imports.get(url);
    if (known !== undefined) return known;
    const source = this.sourceOf(url);
    if (source === undefined) return undefined;
    const imports = source === null ? [] : resolved(url, importsIn(source).slice(0, IMPORTS_MAX));
    if (this.#imports.size >= SCRIPTS_MAX) this.#imports.delete(this.#imports.keys().next().value!);
    this.#imports.set(url, imports);
    return imports;
  }

  #keep(url: string, source: string): void {
    this.#texts.set(url, source);
    this.#keptText += source.length;
    for (const [oldest, { length }] of this.#texts) {
      if (this.#keptText <= KEPT_TEXT_MAX) break;
      this.#texts.delete(oldest);
      this.#keptText -= length;
    }
  }

  /** undefined: not now, ask again; null: never. */
  #read(url: string): string | null | undefined {
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
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  }
}

function isOwn(url: string): boolean {
  return fileURLToPath(url).startsWith(OWN_FOLDER);
}

/** The files behind names as one script writes them. A name that is for `import` alone resolves to none. */
function resolved(url: string, names: readonly string[]): string[] {
  const { resolve } = createRequire(url);
  const found: string[] = [];
  for (const name of names) {
    if (isBuiltin(name)) continue;
    try {
      found.push(pathToFileURL(resolve(name)).href);
    } catch {
      // Nothing that this script has loaded by that name.
    }
  }
  return found;
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
