/**
 * Reads protocol buffers field by field, without copying. Lengths and varints are held against the bytes there are;
 * what is wrong is thrown as a broken profile.
 */
import { broken } from './profile-error';

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;
const TWO_32 = 2 ** 32;
const HIGH_SAFE = 2 ** 21;

export class ProtobufReader {
  readonly bytes: Uint8Array;
  /** The field that `next` came to; its varint is in high and low, its bytes are from start to end. */
  field = 0;
  wire = 0;
  low = 0;
  high = 0;
  start = 0;
  end = 0;
  #at: number;
  readonly #until: number;

  constructor(bytes: Uint8Array, from = 0, until = bytes.length) {
    this.bytes = bytes;
    this.#at = from;
    this.#until = until;
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#until) return false;
    this.#varint();
    const tag = this.low;
    if (this.high !== 0) throw broken('profile.proto', `a tag of more than 32 bits at byte ${this.#at}`);
    this.field = tag >>> 3;
    this.wire = tag & 7;
    if (this.field === 0) throw broken('profile.proto', `field number 0 at byte ${this.#at}`);
    switch (this.wire) {
      case WIRE_VARINT:
        this.#varint();
        return true;
      case WIRE_BYTES:
        this.#varint();
        if (this.high !== 0) throw this.#short();
        this.#skip(this.low);
        return true;
      case WIRE_FIXED64:
        this.#skip(8);
        return true;
      case WIRE_FIXED32:
        this.#skip(4);
        return true;
    }
    throw broken('profile.proto', `wire type ${this.wire} at byte ${this.#at}`);
  }

  /** Where the bytes of the field are. */
  range(): [start: number, end: number] {
    this.#need(WIRE_BYTES);
    return [this.start, this.end];
  }

  /** The bytes of the field as a message of its own. */
  message(): ProtobufReader {
    return new ProtobufReader(this.bytes, ...this.range());
  }

  text(): string {
    this.#need(WIRE_BYTES);
    return Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.start,
      this.end - this.start,
    ).toString();
  }

  /** An int64; beyond 2^53 the nearest number. */
  signed(): number {
    this.#need(WIRE_VARINT);
    return (this.high | 0) * TWO_32 + this.low;
  }

  /** A uint64 as a key: a number below 2^53, a bigint above. */
  id(): number | bigint {
    this.#need(WIRE_VARINT);
    if (this.high < HIGH_SAFE) return this.high * TWO_32 + this.low;
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** A repeated field, packed or not: `take` for each of its varints. */
  each(take: (reader: ProtobufReader) => void): void {
    if (this.wire === WIRE_VARINT) return take(this);
    const packed = this.message();
    packed.wire = WIRE_VARINT;
    while (packed.#at < packed.#until) {
      packed.#varint();
      take(packed);
    }
  }

  #need(wire: number): void {
    if (this.wire !== wire)
      throw broken('profile.proto', `field ${this.field} has wire type ${this.wire}, not ${wire}`);
  }

  #skip(bytes: number): void {
    this.start = this.#at;
    this.end = this.#at + bytes;
    if (this.end > this.#until) throw this.#short();
    this.#at = this.end;
  }

  /** Ten bytes at most; what is beyond 64 bits is dropped, as everywhere. */
  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#until) throw this.#short();
      const byte = this.bytes[this.#at++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw broken('profile.proto', `a number of more than ten bytes at byte ${this.#at}`);
  }

  #short(): Error {
    return broken('profile.proto', `it ends within a field at byte ${this.#at} of ${this.#until}`);
  }
}
