/**
 * A function of generated code as its source has it. V8 puts a function at its parameter list, an arrow function at its
 * first character, and tells a tick by line alone. So:
 *
 * File and first line are those of the place where V8 puts the function.
 *
 * A call whose column is known is where the map has it. The line of a tick is that of the first segment of its generated
 * line. Where that is the line the function begins in,
 * as everything is in a bundle of one line, nobody knows more than the function's first line.
 *
 * The name is the one that the map tells for the identifier V8 names the function by. The generated text is not at hand,
 * so the identifier is known by where it must stand: before `(`, `=`, `=function(` and the like, by its length. Other
 * functions keep V8's name: methods and properties, which are not renamed, and constructors of renamed classes.
 */
import { functionName } from '../frame';
import type { SourceMap, SourcePlace } from './source-map';

/** Lines and columns are 1-based, 0 unknown. name: V8's, '' for none. */
export type GeneratedFunction = { name: string; startLine: number; startColumn: number };

export type OriginalFunction = { name: string; file: string; startLine: number };

/** What stands between an identifier and the place of its function, in code without spaces. */
const GAPS = ['', '=', '=function', '=function*', '=async function', '=async function*'];
/** The same in code with spaces. There only names that occur twice were changed: `handler` became `handler$1`. */
const SPACED_GAPS = [' = ', ' = function', ' = function ', ' = async function', ' = async function ', ' '];
const GAP_CHARS = lengthsOf(GAPS);
const SPACED_GAP_CHARS = lengthsOf(SPACED_GAPS);
const GAP_CHARS_MAX = Math.max(...GAP_CHARS, ...SPACED_GAP_CHARS);
/** Where a map may have a segment within a gap: at `=`, `async` and `function`. */
const KEYWORD_CHARS = new Set([0, 1, 3, '=async '.length, ' = async '.length]);
const NUMBER_AT_END = /\$\d+$/;

/** The code of a script outside of all functions: V8 has it as a function without a name where the script begins. */
export function isWholeScript({ name, startLine, startColumn }: GeneratedFunction): boolean {
  return name === '' && startLine === 1 && startColumn <= 1;
}

/** null: the map knows no source for the place. A bundle as a whole, of several sources, has none. */
export function originalFunction(map: SourceMap, generated: GeneratedFunction): OriginalFunction | null {
  if (isWholeScript(generated)) {
    const file = map.onlyFile;
    if (file === '') return null;
    return { name: functionName({ name: '', url: file, line: 1, column: 1 }), file, startLine: 1 };
  }
  const place = placeAt(map, generated.startLine, generated.startColumn);
  if (place === null) return null;
  const { file, line } = place;
  const name = originalName(map, generated);
  return { name: functionName({ name, url: file, line, column: 0 }), file, startLine: line };
}

/** A function of which only a call in it is known, as stacks of errors tell: its name is V8's. */
export function originalOfCall(
  map: SourceMap,
  name: string,
  line: number,
  column: number,
): OriginalFunction | null {
  const place = placeAt(map, line, column);
  if (place === null) return null;
  const named = { name, url: place.file, line: place.line, column: 0 };
  return { name: functionName(named), file: place.file, startLine: 0 };
}

/** Where the column is not known, a line tells its source only if there is not too much in it. */
function placeAt(map: SourceMap, line: number, column: number): SourcePlace | null {
  return column > 0 ? map.at(line, column) : map.ofShortLine(line);
}

/**
 * Where in `original`'s file a tick or call at a place of the generated code is; column 0: not known, which is what V8
 * tells of ticks. null: the place is not in that file, or nowhere.
 */
export function originalPlace(
  map: SourceMap,
  generated: GeneratedFunction,
  original: OriginalFunction,
  line: number,
  column: number,
): SourcePlace | null {
  const first = { file: original.file, line: original.startLine, column: 0 };
  if (line === 0) return first;
  const exact = column === 0 ? null : map.at(line, column);
  if (exact === null && line === generated.startLine) return first;
  const place = exact ?? map.ofLine(line, original.file);
  return place?.file === original.file ? place : null;
}

/** V8's name, or what the map calls the identifier that V8 has it from. */
function originalName(map: SourceMap, { name, startLine, startColumn }: GeneratedFunction): string {
  if (name === '' || startColumn === 0) return name;
  // V8 makes up `object.property` for a function that is only assigned to one.
  const identifier = name.slice(name.lastIndexOf('.') + 1);
  const end = startColumn - identifier.length;
  const marks = map.marksIn(startLine, Math.max(1, end - GAP_CHARS_MAX), startColumn - 1);
  // What begins right there is the identifier, and has a name of its own or was not renamed.
  const found = marks.find(({ column }) => column === end) ?? marks.findLast((mark) => mark.name !== '');
  if (found === undefined || found.name === '') return name;
  const identifierEnd = found.column + identifier.length;
  const isApart = marks.some(
    ({ column }) => column > found.column && !KEYWORD_CHARS.has(column - identifierEnd),
  );
  if (isApart) return name;
  const gapChars = startColumn - identifierEnd;
  if (GAP_CHARS.has(gapChars)) return found.name;
  const isNumbered = identifier.replace(NUMBER_AT_END, '') === found.name;
  return isNumbered && SPACED_GAP_CHARS.has(gapChars) ? found.name : name;
}

function lengthsOf(texts: readonly string[]): ReadonlySet<number> {
  return new Set(texts.map(({ length }) => length));
}
