/** Twin of assembly/varint.ts. */

/** Writes a whole number below 2^54 and returns the place after it. */
export function putVarint(u8: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 128) {
    u8[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  u8[at] = rest;
  return at + 1;
}

/** Reads u32 varints between two places; `ok` turns false, for good, at bytes that are none. */
export class VarintReader {
  readonly #u8: Uint8Array;
  readonly #end: number;
  at: number;
  ok = true;

  constructor(u8: Uint8Array, at: number, end: number) {
    this.#u8 = u8;
    this.at = at;
    this.#end = end;
  }

  take(): number {
    let value = 0;
    for (let taken = 0; taken < 5 && this.at + taken < this.#end; taken++) {
      const byte = this.#u8[this.at + taken]!;
      value += (byte & 127) * 2 ** (7 * taken);
      if (byte >= 128) continue;
      if (value > 0xffffffff) break;
      this.at += taken + 1;
      return value;
    }
    this.ok = false;
    return 0;
  }

  get done(): boolean {
    return this.ok && this.at === this.#end;
  }
}

export function zigZag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

export function unZigZag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}
