/**
 * The WebSocket side of ingest: takes upgraded connections, gives each a session, and ends those that do not prove the
 * token in time or do not answer heartbeats. Limits are far below the defaults: nothing is compressed, a message is at
 * most WIRE_LIMITS.messageBytes in a few fragments, and connections without proof are few.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { WIRE_LIMITS } from '../../agent/wire/limits';
import { Session, type SessionContext } from './session';
import { WireError } from './wire-error';

const HANDSHAKE_MILLIS = 5000;
const HEARTBEAT_MILLIS = 5000;
/** Heartbeats in a row that may stay without an answer. */
const HEARTBEATS_MISSED_MAX = 3;
const STRANGERS_MAX = 64;
/** What a connection may send before its token is proven: HELLO, and what wraps it on the way. */
const STRANGER_BYTES_MAX = WIRE_LIMITS.helloBytes + 1024;
/** How long a stranger that was refused gets to read why. */
const REFUSED_MILLIS = 500;
const FRAGMENTS_MAX = 16;
const BUFFERED_CHUNKS_MAX = 1024;

export class IngestEndpoint {
  #context: SessionContext;
  #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: WIRE_LIMITS.messageBytes,
    maxFragments: FRAGMENTS_MAX,
    maxBufferedChunks: BUFFERED_CHUNKS_MAX,
    skipUTF8Validation: true,
  });
  #strangers = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#strangers >= STRANGERS_MAX) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (connection) => this.#accept(connection, socket));
  }

  /** Ends all connections; agents come back to the next collector with what was not acknowledged. */
  close(): void {
    for (const connection of this.#server.clients) connection.close(1001, 'collector is closing');
    this.#server.close();
  }

  /** Ends what did not end by itself. */
  terminate(): void {
    for (const connection of this.#server.clients) connection.terminate();
  }

  #accept(connection: WebSocket, socket: Duplex): void {
    const session = new Session(this.#context, {
      send: (bytes) => connection.send(bytes),
      close: (code, reason) => connection.close(code, reason),
      pause: () => connection.pause(),
      resume: () => connection.resume(),
    });
    this.#strangers++;
    let stranger = true;
    const settle = () => {
      if (stranger) this.#strangers--;
      stranger = false;
    };
    let missed = 0;
    const deadline = setTimeout(() => {
      if (!session.open)
        session.refuse(new WireError('ERR_WIRE_TIMEOUT', `no hello within ${HANDSHAKE_MILLIS} ms`));
    }, HANDSHAKE_MILLIS);
    const heartbeat = setInterval(() => {
      if (missed++ < HEARTBEATS_MISSED_MAX) return connection.ping();
      session.refuse(new WireError('ERR_WIRE_TIMEOUT', 'heartbeats stay without an answer'));
      connection.terminate();
    }, HEARTBEAT_MILLIS);
    let strangerBytes = 0;
    const weigh = (chunk: Buffer) => {
      strangerBytes += chunk.length;
      if (session.open) return socket.off('data', weigh);
      if (strangerBytes <= STRANGER_BYTES_MAX) return;
      socket.off('data', weigh);
      session.refuse(
        new WireError(
          'ERR_WIRE_LIMIT',
          `more than ${STRANGER_BYTES_MAX} bytes came before the token was proven: a hello has at most ${WIRE_LIMITS.helloBytes}, give the agent fewer or shorter labels`,
        ),
      );
      // Nothing more is read, or it would be gathered to a message of the full size.
      connection.pause();
      setTimeout(() => connection.terminate(), REFUSED_MILLIS).unref();
    };
    socket.on('data', weigh);
    connection.on('pong', () => {
      missed = 0;
    });
    connection.on('message', (data, isBinary) => {
      missed = 0;
      if (!isBinary)
        return session.refuse(new WireError('ERR_WIRE_ENCODING', 'text messages are not used on this wire'));
      session.receive(data as Buffer);
      void session.settled().then(() => session.open && settle());
    });
    connection.on('error', () => this.#context.counters.error('ERR_WIRE_ENCODING'));
    connection.on('close', () => {
      clearTimeout(deadline);
      clearInterval(heartbeat);
      settle();
      session.disconnected();
    });
  }
}
