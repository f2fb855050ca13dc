/**
 * The `mappings` text of a source map, searched as it stands. Decoded, a segment would take eighty bytes, and a large
 * map some hundred megabytes; here the text is read through once, checked, and a mark is kept about every MARK_CHARS, so
 * that a look-up decodes a few dozen segments.
 *
 *   text      lines end with ';', segments are parted by ','. A segment is 1, 4 or 5 numbers in base64 VLQ (5 bits a
 *             character, the lowest first, 32 says that more follow; the lowest bit of the whole is the sign), each
 *             the difference to the one before: generated column (from 0 in every line), source, line, column, name
 *   mark      MARK_WORDS words: where in the text, what the numbers stand at there, and the column of the first segment
 *             after it, or -1 where a line begins
 *
 * All numbers count from 0.
 */
import { SourceMapError } from './source-map-error';

/** source: -1 where the code comes from no source. name: -1 for none. */
export type Segment = {
  column: number;
  source: number;
  sourceLine: number;
  sourceColumn: number;
  name: number;
};

const MARK_CHARS = 512;
const MARK_WORDS = 8;
const MARK_LINE = 1;
const MARK_FIRST_COLUMN = 7;
const NUMBER_MAX = 2 ** 30;
/** More digits than NUMBER_MAX needs are no number. */
const SHIFT_MAX = 25;
const SHORT_LINE_SEGMENTS = 64;
/** How far a line is looked through for a segment of the right source. */
const SOURCE_SEGMENTS_MAX = 256;

const COMMA = 44;
const SEMICOLON = 59;
const NO_DIGIT = 64;
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let digit = 0; digit < 64; digit++) DIGITS[ALPHABET.charCodeAt(digit)] = digit;

export class Mappings {
  #text: string;
  #marks: Int32Array;
  #markCount = 0;

  /** Reads all of it. Throws a SourceMapError where that is no mappings, or names a source or a name that is not there. */
  constructor(text: string, sourceCount: number, nameCount: number) {
    this.#text = text;
    this.#marks = new Int32Array((Math.ceil(text.length / MARK_CHARS) + 1) * MARK_WORDS);
    const reader = new SegmentReader(text);
    let markAt = 0;
    for (let column = 0; ; ) {
      const at = reader.at >= markAt ? this.#markCount++ * MARK_WORDS : -1;
      if (at >= 0) {
        reader.writeTo(this.#marks, at);
        markAt = reader.at + MARK_CHARS;
      }
      const token = reader.step();
      if (token === 'end') {
        if (at >= 0) this.#markCount--;
        return;
      }
      if (token === 'line') {
        column = 0;
        if (at >= 0) reader.writeTo(this.#marks, at);
        continue;
      }
      if (at >= 0) this.#marks[at + MARK_FIRST_COLUMN] = reader.column;
      if (reader.column < column) throw new SourceMapError('its segments are out of order');
      column = reader.column;
      if (reader.source >= sourceCount || reader.name >= nameCount)
        throw new SourceMapError('it names a source or a name that it does not have');
    }
  }

  get byteSize(): number {
    return this.#text.length + this.#marks.byteLength;
  }

  /**
   * The segment that covers a place: the last one of the line that begins before the column, or the first one that
   * begins at it.
   */
  at(line: number, column: number): Segment | null {
    let found: Segment | null = null;
    for (const segment of this.#from(line, column)) {
      if (segment.column > column) break;
      found = segment;
      if (segment.column === column) break;
    }
    return found;
  }

  /** The first segment of the line, at or after the column, that came from a source: from `source` if there is one. */
  firstFrom(line: number, column: number, source: number): Segment | null {
    let first: Segment | null = null;
    let left = SOURCE_SEGMENTS_MAX;
    for (const segment of this.#from(line, column)) {
      if (segment.column < column || segment.source < 0) continue;
      first ??= segment;
      if (segment.source === source) return segment;
      if (--left === 0) break;
    }
    return first;
  }

  /** Whether the line has no more segments than people's lines have. */
  isShort(line: number): boolean {
    let left = SHORT_LINE_SEGMENTS;
    for (const _segment of this.#from(line, 0)) if (--left < 0) return false;
    return true;
  }

  /** The segments of the line that begin in [fromColumn, toColumn]. */
  within(line: number, fromColumn: number, toColumn: number): Segment[] {
    const found: Segment[] = [];
    for (const segment of this.#from(line, fromColumn)) {
      if (segment.column > toColumn) break;
      if (segment.column >= fromColumn) found.push(segment);
    }
    return found;
  }

  /** The segments of a line from the one that covers the column on, or from a few before it. */
  *#from(line: number, column: number): Generator<Segment> {
    const reader = new SegmentReader(this.#text);
    reader.readFrom(this.#marks, this.#markBefore(line, column) * MARK_WORDS);
    while (reader.line <= line) {
      const token = reader.step();
      if (token === 'end') return;
      if (token === 'segment' && reader.line === line) yield reader.segment();
    }
  }

  /** The last mark whose first segment begins before the place. */
  #markBefore(line: number, column: number): number {
    const marks = this.#marks;
    let [low, high] = [0, this.#markCount - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const at = middle * MARK_WORDS;
      const markLine = marks[at + MARK_LINE]!;
      const isBefore = markLine === line ? marks[at + MARK_FIRST_COLUMN]! < column : markLine < line;
      if (isBefore) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

class SegmentReader {
  #text: string;
  at = 0;
  line = 0;
  column = 0;
  /** Of the newest segment. What differences count from stays where it is when a segment has none. */
  source = -1;
  name = -1;
  #source = 0;
  #sourceLine = 0;
  #sourceColumn = 0;
  #name = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Goes past one segment or past the end of one line. */
  step(): 'segment' | 'line' | 'end' {
    const text = this.#text;
    if (this.at >= text.length) return 'end';
    if (text.charCodeAt(this.at) === SEMICOLON) {
      this.at++;
      this.line++;
      this.column = 0;
      return 'line';
    }
    this.#segment();
    if (this.at < text.length && text.charCodeAt(this.at) === COMMA) this.at++;
    return 'segment';
  }

  segment(): Segment {
    const { column, source, name } = this;
    return { column, source, sourceLine: this.#sourceLine, sourceColumn: this.#sourceColumn, name };
  }

  writeTo(marks: Int32Array, at: number): void {
    const { line, column } = this;
    marks.set(
      [this.at, line, column, this.#source, this.#sourceLine, this.#sourceColumn, this.#name, -1],
      at,
    );
  }

  readFrom(marks: Int32Array, at: number): void {
    this.at = marks[at]!;
    this.line = marks[at + MARK_LINE]!;
    this.column = marks[at + 2]!;
    this.#source = marks[at + 3]!;
    this.#sourceLine = marks[at + 4]!;
    this.#sourceColumn = marks[at + 5]!;
    this.#name = marks[at + 6]!;
  }

  #segment(): void {
    this.column = this.#number(this.column);
    this.source = this.name = -1;
    if (this.#segmentEnds) return;
    this.source = this.#source = this.#number(this.#source);
    this.#sourceLine = this.#number(this.#sourceLine);
    this.#sourceColumn = this.#number(this.#sourceColumn);
    if (this.#segmentEnds) return;
    this.name = this.#name = this.#number(this.#name);
    if (!this.#segmentEnds) throw new SourceMapError('a segment of it has more than five numbers');
  }

  get #segmentEnds(): boolean {
    if (this.at >= this.#text.length) return true;
    const code = this.#text.charCodeAt(this.at);
    return code === COMMA || code === SEMICOLON;
  }

  /** `before` plus the difference that stands here. */
  #number(before: number): number {
    const text = this.#text;
    let at = this.at;
    let [sum, shift, digit] = [0, 0, 32];
    for (; digit > 31; shift += 5) {
      const code = at < text.length ? text.charCodeAt(at++) : COMMA;
      digit = code < 128 ? DIGITS[code]! : NO_DIGIT;
      if (digit === NO_DIGIT || shift > SHIFT_MAX) throw new SourceMapError('its mappings are no base64 VLQ');
      sum |= (digit & 31) << shift;
    }
    this.at = at;
    const value = (sum & 1) === 0 ? before + (sum >>> 1) : before - (sum >>> 1);
    if (value < 0 || value > NUMBER_MAX) throw new SourceMapError('it names a place that cannot be');
    return value;
  }
}
