/**
 * msgpack, as much of it as the agent's messages are made of: arrays, strings, numbers, binary, booleans and null, each
 * in its shortest form; whole numbers beyond 32 bits travel as f64. What the collector reads with a library is written
 * here by hand, because the library takes half a megabyte of an idle process for what these tuples never use.
 */
const FIRST_BYTES = 8192;
/** A buffer that one large message grew beyond this is not kept. */
const KEPT_BYTES = 65_536;

let buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
let at = 0;

/** What a message may be made of. */
export type Packable = null | boolean | number | string | Uint8Array | readonly Packable[];

/** The bytes of one value, a buffer of its own. */
export function pack(value: Packable): Uint8Array {
  at = 0;
  write(value);
  const bytes = new Uint8Array(buffer.subarray(0, at));
  if (buffer.length > KEPT_BYTES) buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  return bytes;
}

function write(value: Packable): void {
  if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'string') writeString(value);
  else if (value === null) writeHead(0xc0);
  else if (typeof value === 'boolean') writeHead(value ? 0xc3 : 0xc2);
  else if (value instanceof Uint8Array) writeBinary(value);
  else {
    writeLength(value.length, 0x90, 16, 0, 0xdc);
    for (const item of value) write(item);
  }
}

function writeNumber(value: number): void {
  if (value >= 0 && value >>> 0 === value) {
    if (value < 0x80) return writeHead(value);
    return writeLength(value, 0, 0, 0xcc, 0xcd);
  }
  if (value < 0 && (value | 0) === value) {
    if (value >= -0x20) return writeHead(value & 0xff);
    const bytes = value >= -0x80 ? 1 : value >= -0x8000 ? 2 : 4;
    const start = room(1 + bytes);
    buffer[start] = bytes === 1 ? 0xd0 : bytes === 2 ? 0xd1 : 0xd2;
    buffer.writeIntBE(value, start + 1, bytes);
    return;
  }
  const start = room(9);
  buffer[start] = 0xcb;
  buffer.writeDoubleBE(value, start + 1);
}

function writeString(text: string): void {
  const length = Buffer.byteLength(text);
  writeLength(length, 0xa0, 32, 0xd9, 0xda);
  const start = room(length);
  buffer.write(text, start, 'utf8');
}

function writeBinary(bytes: Uint8Array): void {
  writeLength(bytes.length, 0, 0, 0xc4, 0xc5);
  const start = room(bytes.length);
  buffer.set(bytes, start);
}

/** A length, or a whole number: in the head itself below `short`, in one byte behind `tag8` if there is that form, in two behind `tag16`, in four behind the tag after it. */
function writeLength(value: number, shortTag: number, short: number, tag8: number, tag16: number): void {
  if (value < short) return writeHead(shortTag | value);
  const bytes = value < 0x100 && tag8 !== 0 ? 1 : value < 0x10000 ? 2 : 4;
  const start = room(1 + bytes);
  buffer[start] = bytes === 1 ? tag8 : bytes === 2 ? tag16 : tag16 + 1;
  buffer.writeUIntBE(value, start + 1, bytes);
}

function writeHead(byte: number): void {
  const start = room(1);
  buffer[start] = byte;
}

/** Where `bytes` more bytes begin: in a buffer that may be another than before the call. */
function room(bytes: number): number {
  const start = at;
  at += bytes;
  if (at > buffer.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, at));
    buffer.copy(larger, 0, 0, start);
    buffer = larger;
  }
  return start;
}
