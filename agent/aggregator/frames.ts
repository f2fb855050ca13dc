/**
 * WebSocket frames (RFC 6455) as a client sees them: what it sends is masked and whole, what it gets is neither masked
 * nor compressed, and may come in fragments. Lengths are checked before anything is kept.
 *
 *   byte 0   FIN 1 bit, reserved 3, opcode 4
 *   byte 1   MASK 1 bit, length 7: 126 means 2 more bytes of it, 127 means 8 more
 *   then     masking key, 4 bytes, if MASK; the payload
 */
export const OPCODE_CONTINUATION = 0;
export const OPCODE_BINARY = 2;
export const OPCODE_CLOSE = 8;
export const OPCODE_PING = 9;
export const OPCODE_PONG = 10;

const CONTROL_PAYLOAD_BYTES_MAX = 125;
const EMPTY = Buffer.alloc(0);

/** One whole frame of a client. `key`: four unpredictable bytes. */
export function clientFrame(opcode: number, payload: Uint8Array, key: Uint8Array): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bodyAt = 6 + lengthBytes;
  const frame = Buffer.allocUnsafe(bodyAt + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(key, bodyAt - 4);
  for (let i = 0; i < length; i++) frame[bodyAt + i] = payload[i]! ^ key[i & 3]!;
  return frame;
}

export class FrameReader {
  #pending: Buffer = EMPTY;
  #message: Buffer | null = null;

  /** visit: called with each control frame and each whole message; the payload is its own to keep. */
  constructor(
    readonly messageBytesMax: number,
    readonly visit: (opcode: number, payload: Buffer) => void,
  ) {}

  /** Takes bytes off the socket, which may use them again afterwards; '' or what is wrong with them. */
  push(bytes: Uint8Array): string {
    let rest: Buffer = Buffer.concat([this.#pending, bytes]);
    for (;;) {
      const header = rest.length < 2 ? null : headerOf(rest);
      if (header === null) break;
      const refusal = this.#refusal(header);
      if (refusal !== '') return refusal;
      const end = header.bytes + header.length;
      if (rest.length < end) break;
      this.#take(header, rest.subarray(header.bytes, end));
      rest = rest.subarray(end);
    }
    this.#pending = rest;
    return '';
  }

  #refusal({ opcode, fin, plain, length }: Header): string {
    if (!plain) return 'the collector sent a frame that is masked or has reserved bits';
    if (opcode >= OPCODE_CLOSE) {
      if (opcode > OPCODE_PONG) return `the collector sent a frame of the unknown kind ${opcode}`;
      return fin && length <= CONTROL_PAYLOAD_BYTES_MAX
        ? ''
        : 'the collector sent a control frame that is too long';
    }
    if (opcode !== (this.#message === null ? OPCODE_BINARY : OPCODE_CONTINUATION)) {
      return `the collector sent a frame of kind ${opcode} out of place`;
    }
    const total = length + (this.#message?.length ?? 0);
    return total <= this.messageBytesMax
      ? ''
      : `the collector sent a message of ${total} bytes or more, the limit is ${this.messageBytesMax}`;
  }

  #take({ opcode, fin }: Header, payload: Buffer): void {
    if (opcode >= OPCODE_CLOSE) return this.visit(opcode, Buffer.from(payload));
    const message = Buffer.concat([this.#message ?? EMPTY, payload]);
    this.#message = fin ? null : message;
    if (fin) this.visit(OPCODE_BINARY, message);
  }
}

type Header = { opcode: number; fin: boolean; plain: boolean; bytes: number; length: number };

/** The header at the start of at least two bytes; null where more are needed. */
function headerOf(bytes: Buffer): Header | null {
  const short = bytes[1]! & 0x7f;
  const headerBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < headerBytes) return null;
  const length =
    short < 126
      ? short
      : short === 126
        ? bytes.readUInt16BE(2)
        : bytes.readUInt32BE(2) * 2 ** 32 + bytes.readUInt32BE(6);
  return {
    opcode: bytes[0]! & 15,
    fin: bytes[0]! >= 0x80,
    plain: (bytes[0]! & 0x70) === 0 && bytes[1]! < 0x80,
    bytes: headerBytes,
    length,
  };
}
