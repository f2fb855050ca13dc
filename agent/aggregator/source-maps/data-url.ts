/** The payload of a data: URL, decoded as it comes, up to the first byte that is no part of it. */
const PERCENT = 37;
const SPACE = 32;
const EQUALS = 61;

export interface Decoder {
  push(bytes: Buffer): Uint8Array;
}

export class Base64Decoder implements Decoder {
  #rest = '';

  push(bytes: Buffer): Uint8Array {
    let end = 0;
    while (end < bytes.length && bytes[end]! > SPACE && bytes[end] !== EQUALS) end++;
    const text = this.#rest + bytes.toString('latin1', 0, end);
    // Four characters are three bytes; fewer are the last ones, where an end was found.
    const whole = end < bytes.length ? text.length : text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    return Buffer.from(text.slice(0, whole), 'base64');
  }
}

export class PercentDecoder implements Decoder {
  #rest = '';

  push(bytes: Buffer): Uint8Array {
    const text = this.#rest + bytes.toString('latin1');
    const decoded = Buffer.alloc(text.length);
    let [length, at] = [0, 0];
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === PERCENT && at + 2 >= text.length) break;
      if (code <= SPACE) continue;
      decoded[length++] = code === PERCENT ? Number.parseInt(text.slice(at + 1, at + 3), 16) : code;
      if (code === PERCENT) at += 2;
    }
    this.#rest = text.slice(at);
    return decoded.subarray(0, length);
  }
}
