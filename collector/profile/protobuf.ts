/** Writes protocol buffers into one growing buffer. A nested message is written after its size, so nothing is moved. */

export const WIRE_VARINT = 0;
export const WIRE_BYTES = 2;

/** Below this, integer arithmetic of 32 bits does. */
const SMALL = 2 ** 31;
/** Ten bytes hold 64 bits, and no more is ever reserved. */
const UINT64_END = 2 ** 64;
const INT64_MIN = -(2 ** 63);

export class ProtobufWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(expectedBytes = 4096) {
    this.#bytes = Buffer.allocUnsafe(Math.max(64, expectedBytes));
  }

  /** Makes room for `bytes` more; the varint methods rely on it. */
  reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  /**
   * A non-negative integer, or a negative one as protobuf's int64 has it: exact up to 2^53, and up to 64 bits the nearest
   * number, as those are read. Throws for anything else, infinity before all.
   */
  varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    if (rest < 0) {
      this.#negative(rest);
      return;
    }
    if (!(rest < SMALL)) checkLarge(rest);
    while (rest >= SMALL) {
      bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest;
  }

  tag(field: number, wire: number): void {
    this.varint((field << 3) | wire);
  }

  /** A field with an integer; 0 is the default and leaves no bytes. */
  integer(field: number, value: number): void {
    if (value === 0) return;
    this.reserve(12);
    this.tag(field, WIRE_VARINT);
    this.varint(value);
  }

  /** A field with an integer that no number holds exactly. */
  bigInteger(field: number, value: bigint): void {
    this.reserve(12);
    this.tag(field, WIRE_VARINT);
    this.#big(value);
  }

  string(field: number, value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    this.reserve(length + 8);
    this.tag(field, WIRE_BYTES);
    this.varint(length);
    this.#length += this.#bytes.write(value, this.#length, length, 'utf8');
  }

  /** Bytes as they are; room for them is reserved by the caller. */
  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The bytes so far; the writer is done with. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #negative(value: number): void {
    if (value < INT64_MIN) throw new RangeError(`a varint of ${value}`);
    this.#big(BigInt.asUintN(64, BigInt(value)));
  }

  #big(value: bigint): void {
    let rest = value;
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }
}

/** Bytes that `varint` needs for the value. */
export function varintSize(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  let rest = value;
  if (!(rest < SMALL)) checkLarge(rest);
  while (rest >= SMALL) {
    size++;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    size++;
    rest >>>= 7;
  }
  return size;
}

/** Readers refuse what does not fit, so this is a bug; without it infinity is divided for ever. NaN is caught too. */
function checkLarge(value: number): void {
  if (!(value < UINT64_END)) throw new RangeError(`a varint of ${value}`);
}
