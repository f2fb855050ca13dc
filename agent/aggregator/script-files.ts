/**
 * What the texts of the scripts that ticks fell into tell, read on the agent thread once a script and kept in a small
 * cache: functions, waiting lines, imports. Of the text itself nothing is kept but where its lines begin. A file that is
 * missing, large or changed since the process began gives none: then no leaf is repaired. Nor is one of the agent's own
 * files scanned: in a program that rests they may be all that is sampled, and a scan of so much text can make V8 bring in
 * its optimising compiler (11 of 55 resting programs were 3 to 10 MiB larger, of 79 without the scan none).
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { scanFunctions } from './function-scanner';
import { OWN_URL, type ScriptSource, type ScriptText } from './profile-reader';
import { boundIn, exportsIn, importsIn, valuesIn } from './script-words';

/** A whole program in one file: 9 MB are scanned in 0.3 s. */
const SCRIPT_BYTES_MAX = 16 * 1024 * 1024;
/** In larger ones only functions are looked for: such a file is a bundle, which imports nothing of its own. */
const WORDS_BYTES_MAX = 512 * 1024;
/** A search through a program of many files asks for hundreds; a bundle of 9 MB holds 60,000 functions, which take 7 MB of the heap. */
const SCRIPTS_MAX = 1000;
const FUNCTIONS_MAX = 120_000;
/** Of lines asked for: the only line of a bundle is the whole of it, and each of its functions would ask. */
const LINES_BYTES_MAX = 128 * 1024;
/**
 * Text scanned in one second on the average, which takes half a percent of a core, and at once. A large script is read when
 * the process is old enough for as much.
 */
const SCAN_BYTES_PER_SECOND = 200 * 1024;
const SCAN_BURST_BYTES = 1024 * 1024;
/** V8 ends a line there too, so that all that follows stands at other lines than it tells: such a text tells nothing. */
const OTHER_LINE_ENDS = { utf8: /[\u2028\u2029]|\r(?!\n)/, latin1: /\xe2\x80[\xa8\xa9]|\r(?!\n)/ };
/** Of one script, resolved. */
const IMPORTS_MAX = 64;
/** A program may come out of a named pipe, on whose next writer this thread must not wait. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NONE: ReadonlySet<string> = new Set();

type Script = {
  url: string;
  path: string;
  text: ScriptText;
  /** Where each line begins, bytes; one more for the end. */
  lineStarts: Uint32Array;
  /** Told when they are asked for. */
  imports?: readonly string[];
  bound?: ReadonlyMap<string, string>;
  exports?: ReadonlySet<string> | null;
  values?: ReadonlySet<string>;
};

export class ScriptFiles implements ScriptSource {
  #known = new Map<string, Script | null>();
  /** When scripts that it was too early for may be read, wall clock ms. */
  #dueMillis = new Map<string, number>();
  #functionCount = 0;
  #budgetBytes = SCAN_BURST_BYTES;
  #budgetAtMillis = 0;

  /** startWallMillis: when the process began; a file changed after that is not what runs. */
  constructor(readonly startWallMillis: number) {}

  textOf(url: string): ScriptText | null | undefined {
    const script = this.#script(url);
    return script && script.text;
  }

  linesOf(url: string, from: number, to: number): string {
    const script = this.#script(url);
    if (!script) return '';
    const { path, lineStarts } = script;
    const start = lineStarts[from - 1];
    const end = lineStarts[Math.min(to, lineStarts.length - 1)];
    if (start === undefined || end === undefined || end - start > LINES_BYTES_MAX) return '';
    return (
      this.#open(path, (file) => {
        const bytes = Buffer.allocUnsafe(end - start);
        return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
      }) ?? ''
    );
  }

  importsOf(url: string): readonly string[] {
    const script = this.#script(url);
    if (!script) return [];
    script.imports ??= resolved(url, importsIn(this.#wordsOf(script)).slice(0, IMPORTS_MAX));
    return script.imports;
  }

  boundTo(url: string, name: string): string | null {
    const script = this.#script(url);
    if (!script) return null;
    script.bound ??= boundIn(this.#wordsOf(script));
    const written = script.bound.get(name);
    return written === undefined ? null : (resolved(url, [written])[0] ?? null);
  }

  exportsOf(url: string): ReadonlySet<string> | null {
    const script = this.#script(url);
    if (!script) return NONE;
    if (script.exports === undefined) script.exports = exportsIn(this.#wordsOf(script));
    return script.exports;
  }

  isLarge(url: string): boolean {
    return (this.#script(url)?.lineStarts.at(-1) ?? 0) > WORDS_BYTES_MAX;
  }

  valuesOf(url: string): ReadonlySet<string> {
    const script = this.#script(url);
    if (!script) return NONE;
    script.values ??= valuesIn(this.#wordsOf(script));
    return script.values;
  }

  #wordsOf({ url, path, lineStarts }: Script): string {
    const bytes = lineStarts.at(-1)!;
    if (bytes > WORDS_BYTES_MAX || url.startsWith(OWN_URL)) return '';
    return this.#open(path, (file) => readFileSync(file, 'utf8')) ?? '';
  }

  /** undefined: not now, ask again; null: never. */
  #script(url: string): Script | null | undefined {
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    if (!url.startsWith('file://')) return null;
    const script = this.#read(url);
    if (script === undefined) return undefined;
    this.#functionCount += countOf(script);
    for (const [oldest, other] of this.#known) {
      if (this.#known.size < SCRIPTS_MAX && this.#functionCount <= FUNCTIONS_MAX) break;
      this.#known.delete(oldest);
      this.#functionCount -= countOf(other);
    }
    this.#known.set(url, script);
    return script;
  }

  #read(url: string): Script | null | undefined {
    if (Date.now() < (this.#dueMillis.get(url) ?? 0) || !this.#mayScan()) return undefined;
    try {
      const path = fileURLToPath(url);
      const bytes = this.#open(path, (file, size) =>
        this.#isTooEarlyFor(url, size) ? undefined : readFileSync(file),
      );
      if (!bytes) return bytes;
      this.#budgetBytes -= bytes.length;
      // V8 keeps a long text outside of the heap, which is small in this thread, if each byte is a character.
      const encoding = bytes.length > WORDS_BYTES_MAX ? 'latin1' : 'utf8';
      const source = bytes.toString(encoding);
      if (OTHER_LINE_ENDS[encoding].test(source)) return null;
      const functions = url.startsWith(OWN_URL) ? [] : scanFunctions(source, FUNCTIONS_MAX);
      if (functions === null) return null;
      // A part of a text keeps all of it.
      for (const range of functions) {
        range.name = Buffer.from(range.name, encoding).toString('utf8');
        if (range.className !== undefined)
          range.className = Buffer.from(range.className, encoding).toString('utf8');
      }
      return {
        url,
        path,
        text: { functions, waitLines: linesWith(source, 'Atomics.wait(') },
        lineStarts: lineStartsOf(bytes),
      };
    } catch {
      return null;
    }
  }

  #isTooEarlyFor(url: string, bytes: number): boolean {
    const dueMillis = this.startWallMillis + (bytes / SCAN_BYTES_PER_SECOND) * 1000;
    const isTooEarly = bytes > WORDS_BYTES_MAX && Date.now() < dueMillis;
    if (isTooEarly) this.#dueMillis.set(url, dueMillis);
    else this.#dueMillis.delete(url);
    return isTooEarly;
  }

  /** Whether the scans so far leave room for one more; a large one is paid for afterwards. */
  #mayScan(): boolean {
    const now = Date.now();
    const earned = ((now - this.#budgetAtMillis) / 1000) * SCAN_BYTES_PER_SECOND;
    this.#budgetBytes = Math.min(SCAN_BURST_BYTES, this.#budgetBytes + earned);
    this.#budgetAtMillis = now;
    return this.#budgetBytes > 0;
  }

  /** null for a file that is not, or not any more, what runs. */
  #open<T>(path: string, read: (file: number, size: number) => T): T | null {
    let file = -1;
    try {
      file = openSync(path, OPEN_FLAGS);
      const status = fstatSync(file);
      const isWhatRuns = status.isFile() && status.mtimeMs <= this.startWallMillis;
      return isWhatRuns && status.size <= SCRIPT_BYTES_MAX ? read(file, status.size) : null;
    } catch {
      return null;
    } finally {
      if (file >= 0) closeSync(file);
    }
  }
}

function countOf(script: Script | null): number {
  return script?.text.functions.length ?? 0;
}

function lineStartsOf(bytes: Buffer): Uint32Array {
  const starts = [0];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
  starts.push(bytes.length);
  return Uint32Array.from(starts);
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
