/** Takes the fields of a decoded tuple one after the other and checks each: kind, range, size. Own types come out. */
import { WIRE_LIMITS } from '../../agent/wire/limits';
import { WireError } from './wire-error';

/** Control characters would reach terminals and text formats: they are replaced. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '?');
}

/** Told of a field whose number is none (NaN or infinite): only that field is lost. */
export type OnRefused = (field: string) => void;

export class Fields {
  #tuple: readonly unknown[];
  #what: string;
  #next: number;
  #onRefused: OnRefused | null;

  /**
   * what: names the tuple in errors. first: the index of the first field to take. With `onRefused` a number that is
   * none counts as zero, or as not known where the field may say so; without, it is an error.
   */
  constructor(tuple: unknown, what: string, length: number, first = 0, onRefused: OnRefused | null = null) {
    if (!Array.isArray(tuple))
      throw new WireError('ERR_WIRE_MESSAGE', `${what} must be an array, got ${nameOf(tuple)}`);
    if (tuple.length !== length) {
      throw new WireError('ERR_WIRE_MESSAGE', `${what} must have ${length} fields, got ${tuple.length}`);
    }
    this.#tuple = tuple;
    this.#what = what;
    this.#next = first;
    this.#onRefused = onRefused;
  }

  /** An integer in [min, max]; by default a non-negative one. */
  integer(name: string, max = Number.MAX_SAFE_INTEGER, min = 0): number {
    const value = this.#takeNumber(name, 0);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)
      return value;
    throw this.#fault(name, `an integer from ${min} to ${max}`, value);
  }

  /** A finite number of at least `min`. */
  number(name: string, min = 0): number {
    return this.#numberOr(name, 0, min);
  }

  /** A non-negative number; -1 says that it is not known. */
  known(name: string): number | null {
    const value = this.#numberOr(name, -1, -1);
    return value < 0 ? null : value;
  }

  text(name: string): string {
    const value = this.#take();
    if (typeof value === 'string') return withoutControls(value);
    throw this.#fault(name, 'a string', value);
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#take();
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.#fault(name, `one of ${words.join(', ')}`, value);
    return found;
  }

  /** Bytes of their own; `length` -1 takes any. */
  bytes(name: string, length = -1): Uint8Array {
    const value = this.messageBytes(name);
    if (length >= 0 && value.length !== length)
      throw this.#fault(name, `${length} bytes`, `${value.length} bytes`);
    return new Uint8Array(value);
  }

  /** Bytes within the message: for who reads them at once. */
  messageBytes(name: string): Uint8Array {
    const value = this.#take();
    if (value instanceof Uint8Array) return value;
    throw this.#fault(name, 'bytes', value);
  }

  list(name: string, max: number): readonly unknown[] {
    const value = this.#take();
    if (!Array.isArray(value)) throw this.#fault(name, 'an array', value);
    if (value.length <= max) return value;
    throw new WireError(
      'ERR_WIRE_LIMIT',
      `${this.#what}: ${name} has ${value.length} entries, at most ${max} are allowed`,
    );
  }

  /** Flat key, value, key, value. */
  labels(name: string): string[] {
    const texts = this.texts(name, WIRE_LIMITS.labelPairs * 2);
    if (texts.length % 2 !== 0) throw this.#fault(name, 'pairs', `${texts.length} entries`);
    return texts;
  }

  texts(name: string, max: number): string[] {
    return this.list(name, max).map((entry) => {
      if (typeof entry === 'string') return withoutControls(entry);
      throw this.#fault(name, 'strings', entry);
    });
  }

  /** Whatever it is, for another decoder. */
  raw(): unknown {
    return this.#take();
  }

  #take(): unknown {
    return this.#tuple[this.#next++];
  }

  #takeNumber(name: string, whenRefused: number): unknown {
    const value = this.#take();
    if (this.#onRefused === null || !isNoNumber(value)) return value;
    this.#onRefused(`${this.#what} ${name}`);
    return whenRefused;
  }

  #numberOr(name: string, whenRefused: number, min: number): number {
    const value = this.#takeNumber(name, whenRefused);
    if (typeof value === 'number' && Number.isFinite(value) && value >= min) return value;
    throw this.#fault(name, `a number of at least ${min}`, value);
  }

  #fault(name: string, wanted: string, got: unknown): WireError {
    return new WireError('ERR_WIRE_MESSAGE', `${this.#what}: ${name} must be ${wanted}, got ${nameOf(got)}`);
  }
}

/** NaN and the infinities. */
export function isNoNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

/** A value as an error shows it: short, and never the whole. */
function nameOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return Array.isArray(value) ? `an array of ${value.length}` : typeof value;
}
