/**
 * msgpack back to values, as much of it as the collector's messages are made of (see pack.ts). Throws a RangeError on
 * bytes that end early, go on after the value, nest deeper than `depth` or hold anything else; the caller knows the
 * size of what it hands in, and a length beyond it ends the reading before anything is made.
 */
import type { Packable } from './pack';

/** The value that all of `bytes` is; binaries are copies. */
export function unpack(bytes: Uint8Array, depth: number): Packable {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const value = reader.value(depth);
  if (reader.at !== bytes.length)
    throw new RangeError(`${bytes.length - reader.at} bytes follow the message`);
  return value;
}

class Reader {
  at = 0;

  constructor(readonly bytes: Buffer) {}

  value(depth: number): Packable {
    const head = this.#uint(1);
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head >= 0xa0 && head < 0xc0) return this.#text(head & 31);
    if (head >= 0x90 && head < 0xa0) return this.#array(head & 15, depth);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return new Uint8Array(this.#take(this.#uint(1 << (head - 0xc4))));
      case 0xca:
        return this.#take(4).readFloatBE();
      case 0xcb:
        return this.#take(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (head - 0xcc));
      case 0xcf:
        return Number(this.#take(8).readBigUInt64BE());
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#take(1 << (head - 0xd0)).readIntBE(0, 1 << (head - 0xd0));
      case 0xd3:
        return Number(this.#take(8).readBigInt64BE());
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (head - 0xdc)), depth);
      default:
        throw new RangeError(`a value of the kind 0x${head.toString(16)} has no place in a message`);
    }
  }

  #array(length: number, depth: number): Packable[] {
    if (depth === 0) throw new RangeError('the message nests too deep');
    if (length > this.bytes.length - this.at)
      throw new RangeError(`the message has no room for ${length} values`);
    const values: Packable[] = [];
    for (let i = 0; i < length; i++) values.push(this.value(depth - 1));
    return values;
  }

  #text(length: number): string {
    return this.#take(length).toString('utf8');
  }

  #uint(length: number): number {
    return this.#take(length).readUIntBE(0, length);
  }

  #take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length)
      throw new RangeError(`the message ends ${end - this.bytes.length} bytes early`);
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}
