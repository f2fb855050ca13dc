/** As much protobuf as the benches need to write what a peer's format would be. */

export function varintSize(value) {
  let size = 1;
  for (let left = value; left >= 128; left = Math.floor(left / 128)) size++;
  return size;
}

/** Bytes of a packed repeated varint field, its tag and length included. */
export function packedSize(values) {
  const length = values.reduce((sum, value) => sum + varintSize(value), 0);
  return 1 + varintSize(length) + length;
}

/** A message that is appended to. Nested messages are written by `message`. */
export class ProtobufMessage {
  #bytes = [];

  integer(field, value) {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  text(field, text) {
    return this.bytes(field, Buffer.from(text));
  }

  bytes(field, bytes) {
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  message(field, build) {
    const nested = new ProtobufMessage();
    build(nested);
    return this.bytes(field, nested.finish());
  }

  packed(field, values) {
    const nested = new ProtobufMessage();
    for (const value of values) nested.#varint(value);
    return this.bytes(field, nested.finish());
  }

  /** values: BigInt. */
  packedFixed64(field, values) {
    const bytes = Buffer.alloc(values.length * 8);
    for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(value, index * 8);
    return this.bytes(field, bytes);
  }

  finish() {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value) {
    let left = value;
    while (left >= 128) {
      this.#bytes.push((left % 128) | 128);
      left = Math.floor(left / 128);
    }
    this.#bytes.push(left);
  }
}
