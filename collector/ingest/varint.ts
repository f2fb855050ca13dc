/** Unsigned LEB128 varints, all of a field at once. */
import { WireError } from './wire-error';

/** Throws ERR_WIRE_ENCODING on a varint that is cut off or beyond 2^53, ERR_WIRE_LIMIT on more than `max`. */
export function readVarints(bytes: Uint8Array, max: number): number[] {
  const values: number[] = [];
  let value = 0;
  let scale = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 128 && scale === 1 && values.length < max) {
      values.push(byte);
      continue;
    }
    value += (byte & 127) * scale;
    if (value > Number.MAX_SAFE_INTEGER || scale > 2 ** 49) {
      throw new WireError('ERR_WIRE_ENCODING', 'varint is larger than 2^53');
    }
    if (byte > 127) {
      scale *= 128;
      continue;
    }
    if (values.length === max) throw new WireError('ERR_WIRE_LIMIT', `more than ${max} varints in a field`);
    values.push(value);
    value = 0;
    scale = 1;
  }
  if (scale !== 1) throw new WireError('ERR_WIRE_ENCODING', 'the last varint is cut off');
  return values;
}
