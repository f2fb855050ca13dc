/**
 * Looks at the bytes of a msgpack message before anything is built from them: how deep it nests, how many values it
 * has, whether every length fits into what is there, and that only the types of the wire occur (nil, booleans, numbers,
 * strings, binaries, arrays; no maps, no extensions). So a few hostile bytes cannot make the decoder reserve memory.
 */
import { WIRE_LIMITS } from '../../agent/wire/limits';
import { WireError } from './wire-error';

export type ScanLimits = { nestingDepth: number; messageValues: number; stringBytes: number };

/** Throws ERR_WIRE_ENCODING or ERR_WIRE_LIMIT; returns the number of values. */
export function scanMessage(bytes: Uint8Array, limits: ScanLimits = WIRE_LIMITS): number {
  /** Values still missing at each open level. */
  const missing = new Float64Array(limits.nestingDepth + 1);
  missing[0] = 1;
  let level = 0;
  let at = 0;
  let values = 0;
  while (level >= 0) {
    if (missing[level] === 0) {
      level--;
      continue;
    }
    missing[level]!--;
    if (++values > limits.messageValues) {
      throw new WireError('ERR_WIRE_LIMIT', `message has more than ${limits.messageValues} values`);
    }
    if (at >= bytes.length) throw endsEarly(at);
    const type = bytes[at++]!;
    let length = 0;
    let elements = -1;
    if (type <= 0x7f || type >= 0xe0) continue;
    if (type >= 0x90 && type <= 0x9f) elements = type & 0x0f;
    else if (type >= 0xa0 && type <= 0xbf) length = stringLength(type & 0x1f, limits);
    else {
      const width = HEAD_WIDTHS[type]!;
      if (width === NOT_USED) throw unknownType(type, at - 1);
      if (at + width > bytes.length) throw endsEarly(at);
      const size = bigEndian(bytes, at, width);
      at += width;
      if (type >= 0xdc && type <= 0xdd) elements = size;
      else if (type >= 0xd9 && type <= 0xdb) length = stringLength(size, limits);
      else if (type >= 0xc4 && type <= 0xc6) length = size;
      // Numbers, nil and booleans: the head is all.
    }
    if (elements >= 0) {
      // Every element takes a byte at least: a length beyond what is left is a lie.
      if (elements > bytes.length - at) throw endsEarly(at);
      if (++level > limits.nestingDepth) {
        throw new WireError('ERR_WIRE_LIMIT', `message nests deeper than ${limits.nestingDepth} levels`);
      }
      missing[level] = elements;
      continue;
    }
    if (length > bytes.length - at) throw endsEarly(at);
    at += length;
  }
  if (at !== bytes.length) {
    throw new WireError('ERR_WIRE_ENCODING', `message ends at byte ${at} but ${bytes.length} came`);
  }
  return values;
}

const NOT_USED = 255;

/** Bytes after the type byte that are a length or a number. A type that is missing here is none of the wire's. */
const HEAD_WIDTHS = new Uint8Array(256).fill(NOT_USED);
Object.assign(HEAD_WIDTHS, {
  192: 0, // nil
  194: 0, // false
  195: 0, // true
  196: 1, // bin8
  197: 2, // bin16
  198: 4, // bin32
  202: 4, // float32
  203: 8, // float64
  204: 1, // uint8
  205: 2, // uint16
  206: 4, // uint32
  207: 8, // uint64
  208: 1, // int8
  209: 2, // int16
  210: 4, // int32
  211: 8, // int64
  217: 1, // str8
  218: 2, // str16
  219: 4, // str32
  220: 2, // array16
  221: 4, // array32
});

function bigEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + bytes[at + index]!;
  return value;
}

function stringLength(length: number, limits: ScanLimits): number {
  if (length <= limits.stringBytes) return length;
  throw new WireError(
    'ERR_WIRE_LIMIT',
    `string of ${length} bytes, at most ${limits.stringBytes} are allowed`,
  );
}

function endsEarly(at: number): WireError {
  return new WireError('ERR_WIRE_ENCODING', `message ends within the value at byte ${at}`);
}

function unknownType(type: number, at: number): WireError {
  const shown = type.toString(16);
  return new WireError('ERR_WIRE_ENCODING', `type 0x${shown} at byte ${at} is not used on this wire`);
}
