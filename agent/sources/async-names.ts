/**
 * Types, frames and stacks of asynchronous resources by number, in the shared table (assembly/layout.ts: AsyncRegion).
 * Everything is appended once and published by its count, so the agent thread reads while main writes. What finds its
 * table full gets number 0: a type `(other)`, an unknown frame, no stack.
 */
import {
  AsyncFrame,
  AsyncLimit,
  AsyncRegion,
  AsyncStack,
  AsyncString,
  AsyncType,
  AsyncWord,
} from '../../assembly/layout';

/** Room for a second number in a key of two. */
const KEY_FACTOR = 2 ** 26;
/** Longer names are cut. */
const STRING_UNITS_MAX = 512;
const OTHER_TYPE = '(other)';

export class AsyncNames {
  readonly #words: Int32Array;
  readonly #text: Uint16Array;
  readonly #types = new Map<string, number>();
  readonly #strings = new Map<string, number>([['', 0]]);
  /** By url and position; where a url may be that of many scripts, by the function's name as well. */
  readonly #frames = new Map<number | string, number>();
  readonly #stacks = new Map<number, number>();
  #textEnd = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#text = new Uint16Array(buffer, AsyncRegion.Text, AsyncLimit.TextUnits);
    for (const word of [AsyncWord.StringCount, AsyncWord.FrameCount, AsyncWord.StackCount])
      this.#words[word] = 1;
    this.type(OTHER_TYPE);
  }

  type(name: string): number {
    const known = this.#types.get(name);
    if (known !== undefined) return known;
    const id = this.#words[AsyncWord.TypeCount]!;
    if (id >= AsyncLimit.Types) return 0;
    this.#words[AsyncRegion.Types / 4 + id * AsyncType.Words + AsyncType.Name] = this.string(name);
    Atomics.store(this.#words, AsyncWord.TypeCount, id + 1);
    this.#types.set(name, id);
    return id;
  }

  /** A frame of a stack as V8 tells it. */
  frame(site: NodeJS.CallSite): number {
    const url = site.getScriptNameOrSourceURL() ?? '';
    const urlId = this.string(url);
    const position = site.getPosition();
    const place = urlId * KEY_FACTOR * 8 + position;
    const key = isOneScript(url) ? place : `${place} ${site.getFunctionName() ?? ''}`;
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const id = this.#words[AsyncWord.FrameCount]!;
    if (id >= AsyncLimit.Frames) return 0;
    const at = AsyncRegion.Frames / 4 + id * AsyncFrame.Words;
    this.#words[at + AsyncFrame.Name] = this.string(site.getFunctionName() ?? '');
    this.#words[at + AsyncFrame.Url] = urlId;
    this.#words[at + AsyncFrame.Line] = site.getLineNumber() ?? 0;
    this.#words[at + AsyncFrame.Column] = site.getColumnNumber() ?? 0;
    Atomics.store(this.#words, AsyncWord.FrameCount, id + 1);
    this.#frames.set(key, id);
    return id;
  }

  /** The stack that has `frame` below `parent`; a parent that found no room stands for it. */
  stack(parent: number, frame: number): number {
    const key = parent * KEY_FACTOR + frame;
    const known = this.#stacks.get(key);
    if (known !== undefined) return known;
    const id = this.#words[AsyncWord.StackCount]!;
    if (id >= AsyncLimit.Stacks) return parent;
    const at = AsyncRegion.Stacks / 4 + id * AsyncStack.Words;
    this.#words[at + AsyncStack.Parent] = parent;
    this.#words[at + AsyncStack.Frame] = frame;
    Atomics.store(this.#words, AsyncWord.StackCount, id + 1);
    this.#stacks.set(key, id);
    return id;
  }

  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const id = this.#words[AsyncWord.StringCount]!;
    const units = Math.min(text.length, STRING_UNITS_MAX);
    if (id >= AsyncLimit.Strings || this.#textEnd + units > AsyncLimit.TextUnits) return 0;
    for (let index = 0; index < units; index++) this.#text[this.#textEnd + index] = text.charCodeAt(index);
    const at = AsyncRegion.Strings / 4 + id * AsyncString.Words;
    this.#words[at + AsyncString.At] = this.#textEnd;
    this.#words[at + AsyncString.Units] = units;
    this.#textEnd += units;
    Atomics.store(this.#words, AsyncWord.StringCount, id + 1);
    this.#strings.set(text, id);
    return id;
  }
}

/** Whether one script alone has this name: a file's or Node's own, not `evalmachine.<anonymous>`. */
function isOneScript(url: string): boolean {
  return url.startsWith('/') || url.startsWith('node:') || url.startsWith('file:') || url.includes('\\');
}
