/**
 * The client end of one WebSocket (RFC 6455), as small as the wire needs it: binary messages, no compression, no
 * redirects, no proxies. It stands on a plain socket, because the http, tls and zlib modules that a full client loads
 * cost an idle process up to eight megabytes; tls is loaded when the address says wss.
 *
 * An instance reports its end exactly once, by onClose, whatever happened before.
 */
import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from './frames';

export type WebSocketEvents = {
  /** A whole binary message; the bytes are the listener's to keep. */
  onMessage(bytes: Buffer): void;
  /** The other side answered a ping. */
  onPong(): void;
  /** The connection is over, or never came about: why, and the other side's close code if it gave one, else 0. */
  onClose(reason: string, code: number): void;
};

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const RESPONSE_BYTES_MAX = 16_384;
const READ_BUFFER_BYTES = 16_384;
const EMPTY = Buffer.alloc(0);

export class WebSocket {
  readonly #socket: Socket;
  readonly #events: WebSocketEvents;
  readonly #frames: FrameReader;
  readonly #key = randomBytes(16).toString('base64');
  readonly #mask = Buffer.alloc(4);
  #open = false;
  #response: Buffer = EMPTY;
  #reason = 'closed';
  #code = 0;

  /** Begins to connect. Throws a TypeError on what is no URL. */
  constructor(address: string, messageBytesMax: number, events: WebSocketEvents) {
    const url = new URL(address);
    this.#events = events;
    this.#frames = new FrameReader(messageBytesMax, (opcode, payload) => this.#received(opcode, payload));
    this.#socket = connectTo(url, (bytes) => this.#read(bytes));
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => {
      this.#reason = error.message;
    });
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('close', () => events.onClose(this.#reason, this.#code));
    this.#socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${this.#key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  }

  /** Sends one binary message; `written` runs when the kernel has it. */
  send(bytes: Uint8Array, written: () => void = () => {}): void {
    this.#write(OPCODE_BINARY, bytes, written);
  }

  ping(): void {
    this.#write(OPCODE_PING, EMPTY);
  }

  /** Says goodbye; the other side then ends the connection. */
  close(code: number): void {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#write(OPCODE_CLOSE, payload, () => this.#socket.end());
  }

  /** Ends the connection at once. */
  terminate(reason = 'closed'): void {
    this.#reason = reason;
    this.#socket.destroy();
  }

  #write(opcode: number, payload: Uint8Array, written: () => void = () => {}): void {
    this.#socket.write(clientFrame(opcode, payload, randomFillSync(this.#mask)), written);
  }

  #read(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    const refusal = this.#open ? this.#frames.push(bytes) : this.#readResponse(bytes);
    if (refusal !== '') this.terminate(refusal);
  }

  /** The answer to the upgrade, and the frames that may follow it in the same bytes. */
  #readResponse(bytes: Buffer): string {
    const response = Buffer.concat([this.#response, bytes]);
    const end = response.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#response = response;
      return response.length > RESPONSE_BYTES_MAX ? 'whoever answers there does not speak HTTP' : '';
    }
    this.#response = EMPTY;
    const refusal = this.#upgradeRefusal(response.toString('latin1', 0, end).split('\r\n'));
    if (refusal !== '') return refusal;
    this.#open = true;
    return this.#frames.push(response.subarray(end + 4));
  }

  #upgradeRefusal([status = '', ...lines]: string[]): string {
    if (!/^HTTP\/1\.1 101(?: |$)/.test(status))
      return `the collector answered the upgrade with ${JSON.stringify(status.slice(0, 80))}`;
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const accept = createHash('sha1')
      .update(this.#key + GUID)
      .digest('base64');
    return headers.get('upgrade')?.toLowerCase() === 'websocket' &&
      headers.get('sec-websocket-accept') === accept
      ? ''
      : 'whoever answers there does not speak WebSocket';
  }

  #received(opcode: number, payload: Buffer): void {
    if (this.#socket.destroyed) return;
    if (opcode === OPCODE_BINARY) return this.#events.onMessage(payload);
    if (opcode === OPCODE_PONG) return this.#events.onPong();
    if (opcode === OPCODE_PING) return this.#write(OPCODE_PONG, payload);
    this.#code = payload.length < 2 ? 0 : payload.readUInt16BE(0);
    this.#reason = closeReason(this.#code, payload.toString('utf8', 2));
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#write(OPCODE_CLOSE, payload.subarray(0, 2), () => this.#socket.destroy());
  }
}

/** One read buffer for the life of the connection instead of a fresh 64 KB for every read. */
function connectTo(url: URL, read: (bytes: Buffer) => void): Socket {
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const options = {
    host,
    port: Number(url.port) || (secure ? 443 : 80),
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        read((buffer as Buffer).subarray(0, length));
        return true;
      },
    },
  };
  if (!secure) return connect(options);
  const tls: typeof import('node:tls') = require('node:tls');
  return tls.connect({ ...options, ...(isIP(host) ? {} : { servername: host }) });
}

function closeReason(code: number, text: string): string {
  if (code === 0) return 'closed';
  return `closed with ${code}${text === '' ? '' : ` ${JSON.stringify(text)}`}`;
}
