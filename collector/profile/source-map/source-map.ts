/**
 * One source map (ECMA-426, version 3), whole or in sections, as text and as what it tells of a place. Everything in it
 * is somebody else's: what does not hold together is refused with a SourceMapError, nothing is built from a number
 * before it is checked, and what is kept is about as large as the text without its sources' contents.
 */
import { Mappings, type Segment } from './mappings';
import { SourceMapError } from './source-map-error';
import { sourcePath } from './source-path';

/** A place in a source, line and column 1-based. */
export type SourcePlace = { file: string; line: number; column: number };

/** Characters of a map, with everything in it. */
const TEXT_CHARS_MAX = 32 * 1024 * 1024;
const SECTIONS_MAX = 20_000;
const SECTION_DEPTH_MAX = 3;
const NAME_CHARS_MAX = 1024;
const FILE_CHARS_MAX = 4096;
/** What an entry of a list costs beside its characters, about. */
const STRING_BYTES = 32;
const SECTION_BYTES = 256;

/** Columns of a line that nobody asks beyond. */
const NO_COLUMN = Number.POSITIVE_INFINITY;

export type NamedColumn = { name: string; column: number };
type Section = { line: number; column: number; part: MapPart };
type Fields = Readonly<Record<string, unknown>>;

export class SourceMap {
  readonly byteSize: number;
  #sections: Section[] = [];

  /** mapFile: absolute path of the file that holds the map, which its sources are relative to. Throws a SourceMapError. */
  constructor(text: string, mapFile: string) {
    if (text.length > TEXT_CHARS_MAX)
      throw new SourceMapError(`it has ${text.length} characters, the limit is ${TEXT_CHARS_MAX}`);
    this.#add(fieldsOf(parsed(text), 'it'), mapFile, 0, 0, 0);
    this.byteSize = this.#sections.reduce((sum, { part }) => sum + part.byteSize + SECTION_BYTES, 0);
  }

  /** The file that all of the code came from; '' where there is more than one. */
  get onlyFile(): string {
    const files = new Set(this.#sections.flatMap(({ part }) => part.files));
    return files.size === 1 ? [...files][0]! : '';
  }

  /** The source of the generated code at a place; line and column 1-based, as V8 counts. */
  at(line: number, column: number): SourcePlace | null {
    return this.#ask(line - 1, column - 1, (part, partLine, shift) =>
      part.at(partLine, Math.max(0, column - 1 - shift)),
    );
  }

  /** The first place of a line that has a source, one in `file` before any other. */
  ofLine(line: number, file: string): SourcePlace | null {
    return this.#ask(line - 1, NO_COLUMN, (part, partLine) => part.ofLine(partLine, file));
  }

  /** The first place of a line that has a source, unless the line is one of many segments, as bundles of one line are. */
  ofShortLine(line: number): SourcePlace | null {
    return this.#ask(line - 1, NO_COLUMN, (part, partLine) => part.ofShortLine(partLine));
  }

  /** Where segments begin in [fromColumn, toColumn] of a line, and what names they have. */
  marksIn(line: number, fromColumn: number, toColumn: number): NamedColumn[] {
    const marks = this.#ask(line - 1, toColumn - 1, (part, partLine, shift) =>
      part
        .marksIn(partLine, fromColumn - 1 - shift, toColumn - 1 - shift)
        .map(({ name, column }) => ({ name, column: column + 1 + shift })),
    );
    return marks ?? [];
  }

  /** Asks the section of a place; where it has nothing there, those before it that reach into the same line. */
  #ask<Found>(
    line: number,
    column: number,
    ask: (part: MapPart, line: number, shiftColumns: number) => Found | null,
  ): Found | null {
    for (let index = this.#sectionAt(line, column); index >= 0; index--) {
      const section = this.#sections[index]!;
      const found = ask(section.part, line - section.line, line === section.line ? section.column : 0);
      if (found !== null || section.line < line) return found;
    }
    return null;
  }

  /** The last section that begins at or before a place; -1 for none. */
  #sectionAt(line: number, column: number): number {
    let [low, high] = [-1, this.#sections.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const section = this.#sections[middle]!;
      if (section.line < line || (section.line === line && section.column <= column)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #add(map: Fields, mapFile: string, line: number, column: number, depth: number): void {
    const { sections } = map;
    if (sections === undefined) {
      const before = this.#sections.at(-1);
      if (before !== undefined && (line < before.line || (line === before.line && column < before.column)))
        throw new SourceMapError('its sections are out of order');
      if (this.#sections.length >= SECTIONS_MAX)
        throw new SourceMapError(`it has more than ${SECTIONS_MAX} sections`);
      this.#sections.push({ line, column, part: new MapPart(map, mapFile) });
      return;
    }
    if (!Array.isArray(sections) || depth >= SECTION_DEPTH_MAX)
      throw new SourceMapError('its sections are no list, or lie too deep');
    for (const section of sections) {
      const { offset, map: inner } = fieldsOf(section, 'a section');
      if (inner === null || inner === undefined) continue;
      const { line: down, column: right } = fieldsOf(offset, "a section's offset");
      const [lines, columns] = [countOf(down), countOf(right)];
      this.#add(
        fieldsOf(inner, "a section's map"),
        mapFile,
        line + lines,
        lines === 0 ? column + columns : columns,
        depth + 1,
      );
    }
  }
}

/** A map without sections. Lines and columns count from 0 here. */
class MapPart {
  readonly byteSize: number;
  readonly files: readonly string[];
  #names: string[];
  #mappings: Mappings;

  constructor(map: Fields, mapFile: string) {
    if (Number(map.version) !== 3) throw new SourceMapError('it is not of version 3');
    const root = typeof map.sourceRoot === 'string' ? map.sourceRoot : '';
    this.files = listOf(map.sources).map((source) =>
      isUsable(source, FILE_CHARS_MAX) ? sourcePath(mapFile, root, source) : '',
    );
    this.#names = listOf(map.names ?? []).map((name) => (isUsable(name, NAME_CHARS_MAX) ? name : ''));
    if (typeof map.mappings !== 'string') throw new SourceMapError('its mappings are no text');
    this.#mappings = new Mappings(map.mappings, this.files.length, this.#names.length);
    const strings = [...this.files, ...this.#names];
    this.byteSize = strings.reduce((sum, { length }) => sum + STRING_BYTES + length, this.#mappings.byteSize);
  }

  at(line: number, column: number): SourcePlace | null {
    return this.#place(this.#mappings.at(line, column));
  }

  ofLine(line: number, file: string): SourcePlace | null {
    return this.#place(this.#mappings.firstFrom(line, 0, this.files.indexOf(file)));
  }

  ofShortLine(line: number): SourcePlace | null {
    return this.#mappings.isShort(line) ? this.ofLine(line, '') : null;
  }

  marksIn(line: number, fromColumn: number, toColumn: number): NamedColumn[] {
    return this.#mappings
      .within(line, fromColumn, toColumn)
      .map((segment) => ({ name: this.#nameOf(segment), column: segment.column }));
  }

  #place(segment: Segment | null): SourcePlace | null {
    const file = segment === null || segment.source < 0 ? '' : this.files[segment.source]!;
    if (segment === null || file === '') return null;
    return { file, line: segment.sourceLine + 1, column: segment.sourceColumn + 1 };
  }

  #nameOf({ name }: Segment): string {
    return name < 0 ? '' : this.#names[name]!;
  }
}

function parsed(text: string): unknown {
  // Some servers put a line before JSON that no script can read over.
  const guarded = text.startsWith(")]}'") ? text.slice(text.indexOf('\n') + 1) : text;
  try {
    return JSON.parse(guarded.charCodeAt(0) === 0xfeff ? guarded.slice(1) : guarded);
  } catch {
    throw new SourceMapError('it is no JSON');
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SourceMapError(`${what} is no object`);
  return value as Fields;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new SourceMapError('its sources or names are no list');
  return value;
}

function isUsable(text: unknown, charsMax: number): text is string {
  return typeof text === 'string' && text !== '' && text.length <= charsMax;
}

function countOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 2 ** 31)
    throw new SourceMapError("a section's offset is no place");
  return value;
}
