/**
 * A source map's bytes without its `sourcesContent`, which is most of it and no help in naming functions. Read as it
 * comes, in parts, since a large map as a whole would not fit the memory of this thread; so this knows just enough of
 * JSON: strings, brackets, and that a string before a colon is a name.
 */
const NAME = Buffer.from('sourcesContent');
const NOTHING = Buffer.from('null');
const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const COMMA = 44;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const SPACE = 32;

export class WithoutContents {
  #inString = false;
  #escaped = false;
  /** How many characters of NAME the string has been so far; -1 where it is another. */
  #matched = -1;
  /** The last string was NAME, and nothing but space has come since. */
  #named = false;
  /** A value is left out: brackets open in it, or -1 where none is. */
  #depth = -1;
  /** Something of the value that is left out has come. */
  #begun = false;

  /** What remains of the bytes, as parts of them. */
  push(bytes: Uint8Array): Uint8Array[] {
    const kept: Uint8Array[] = [];
    let from = this.#depth < 0 ? 0 : -1;
    for (let at = 0; at < bytes.length; ) {
      if (this.#inString) {
        at = this.#string(bytes, at);
        continue;
      }
      const code = bytes[at++]!;
      if (code === QUOTE) {
        this.#inString = this.#begun = true;
        this.#matched = 0;
      } else if (this.#depth >= 0) {
        if (this.#leaveOut(code)) from = at - 1;
      } else if (code === COLON && this.#named) {
        kept.push(bytes.subarray(from, at), NOTHING);
        from = -1;
        this.#depth = 0;
        this.#begun = false;
      }
      if (code > SPACE) this.#named = false;
    }
    if (from >= 0) kept.push(bytes.subarray(from));
    return kept;
  }

  /** Goes on to the string's end, or to that of the bytes. */
  #string(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    let matched = this.#escaped ? -1 : this.#matched;
    let at = this.#escaped ? from + 1 : from;
    for (; at < length; at++) {
      const code = bytes[at]!;
      if (code === QUOTE) {
        this.#inString = false;
        this.#named = matched === NAME.length;
        break;
      }
      if (code === BACKSLASH) at++;
      matched = matched >= 0 && NAME[matched] === code ? matched + 1 : -1;
    }
    this.#escaped = at > length;
    this.#matched = matched;
    return Math.min(length, at + 1);
  }

  /** True for the byte after the value, which stays. */
  #leaveOut(code: number): boolean {
    if (this.#depth === 0 && this.#begun && (code === COMMA || code === CLOSE_OBJECT)) {
      this.#depth = -1;
      return true;
    }
    if (code === OPEN_LIST || code === OPEN_OBJECT) this.#depth++;
    else if (code === CLOSE_LIST || code === CLOSE_OBJECT) this.#depth--;
    this.#begun ||= code > SPACE;
    return false;
  }
}
