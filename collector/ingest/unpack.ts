/** Byte fields that may have come deflated, and lists of strings in them. Sizes are checked before anything is made. */
import { inflateRawSync } from 'node:zlib';
import { WIRE_LIMITS } from '../../agent/wire/limits';
import { type Fields, withoutControls } from './fields';
import { WireError } from './wire-error';

/** What zlib is given to write into at a time: what a small field needs is small. */
const CHUNK_BYTES_MIN = 64;
const CHUNK_BYTES_MAX = 64 * 1024;

/** The next two fields: bytes, and how many they are unpacked (0: they are as they are). */
export function takeUnpacked(fields: Fields, name: string, max: number): Uint8Array {
  const bytes = fields.messageBytes(name);
  const unpackedBytes = fields.integer(`${name} unpacked`, max);
  if (unpackedBytes === 0) return bytes;
  let unpacked: Uint8Array;
  try {
    const chunkSize = Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, unpackedBytes + 1));
    unpacked = inflateRawSync(bytes, { maxOutputLength: unpackedBytes, chunkSize });
  } catch (error) {
    throw new WireError(
      'ERR_WIRE_ENCODING',
      `${name} do not unpack to ${unpackedBytes} bytes: ${(error as Error).message}`,
    );
  }
  if (unpacked.length === unpackedBytes) return unpacked;
  throw new WireError(
    'ERR_WIRE_ENCODING',
    `${name} should unpack to ${unpackedBytes} bytes, got ${unpacked.length}`,
  );
}

/** `count` strings, each ended by a zero byte, without control characters. Each is a string of its own, none a slice. */
export function readTexts(bytes: Uint8Array, count: number): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count) {
    let end = at;
    let plain = true;
    for (; end < bytes.length && bytes[end] !== 0; end++) {
      if (bytes[end]! < 0x20 || bytes[end]! > 0x7e) plain = false;
    }
    if (end === bytes.length) break;
    if (end - at > WIRE_LIMITS.stringBytes) {
      throw new WireError(
        'ERR_WIRE_LIMIT',
        `string of ${end - at} bytes, at most ${WIRE_LIMITS.stringBytes} are allowed`,
      );
    }
    // Printable ASCII, as most are, needs no second look.
    texts.push(
      plain ? buffer.toString('latin1', at, end) : withoutControls(buffer.toString('utf8', at, end)),
    );
    at = end + 1;
  }
  if (texts.length === count && at === bytes.length) return texts;
  throw new WireError('ERR_WIRE_MESSAGE', `dictionary: ${bytes.length} bytes are not ${count} strings`);
}
