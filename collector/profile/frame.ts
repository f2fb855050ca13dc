/** How a function of a stack table is named for people: the same everywhere, in profiles, tails and hangs. */
import { fileURLToPath } from 'node:url';
import type { StackFunction, StackTable } from './stack-table';

const FILE_URL = 'file://';

/** Frames that stand for a state, not for a function. */
export const FRAME_GC = '(garbage collector)';
export const FRAME_PROGRAM = '(program)';
export const FRAME_IDLE = '(idle)';
export const FRAME_BLOCKED = '(blocked)';
export const FRAME_STUCK = '(stuck in native code)';
export const FRAME_NATIVE_LOOP = '(native code in the event loop)';

/** Parsing a URL takes microseconds, and a profile names few files in many frames. */
const FILES_MAX = 4096;
const files = new Map<string, string>();

/** A path where the URL is one of a file, else the URL as it is (node:fs, evalmachine.<anonymous>, ''). */
export function fileOf(url: string): string {
  if (!url.startsWith(FILE_URL)) return url;
  const known = files.get(url);
  if (known !== undefined) return known;
  const file = pathOf(url);
  if (files.size >= FILES_MAX) files.clear();
  files.set(url, file);
  return file;
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** What some tools call a function without a name. */
const NAMELESS = '(anonymous)';

/**
 * V8's name; what has none is told apart by its place, or all of them would be one in a list by name. `fileOfUrl`: fileOf
 * or what remembers its answers.
 */
export function functionName({ name, url, line }: StackFunction, fileOfUrl = fileOf): string {
  if (name !== '' && name !== NAMELESS) return name;
  const file = baseName(fileOfUrl(url));
  return file === '' ? NAMELESS : `${NAMELESS} ${file}:${line}`;
}

/** Whether functionName made the name up. */
export function isNameless(name: string): boolean {
  return name === NAMELESS || name.startsWith(`${NAMELESS} `);
}

/** Root first: `handler (/srv/app.js:12)`. */
export function describeStack(stacks: StackTable, stack: number): string[] {
  return stacks.pathOf(stack).map((id) => {
    const entry = stacks.functionOf(id);
    const line = stacks.lineOf(id) || entry.line;
    const file = fileOf(entry.url);
    return file === '' ? functionName(entry) : `${functionName(entry)} (${file}:${line})`;
  });
}

/** A module of Node.js keeps its whole name, or it would look like a file of the program's. */
function baseName(path: string): string {
  if (path.startsWith('node:')) return path;
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
