/**
 * The receiving end of a tail: keeps one WebSocket to the collector, hands over its lines, and connects again when
 * it breaks. It gives up only where waiting cannot help: never reached in the first seconds, or refused.
 */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { printable } from '../profile/printable';
import type { TailLine } from '../tail/schema';
import { CliError } from './cli-error';
import { startWords } from './collector-url';
import { authorizationOf } from './given-token';
import { parseTailLine } from './tail-line';

/** Never reached for this long: an error. */
export const REACH_WITHIN_MILLIS = 5000;
const RETRY_FIRST_MILLIS = 250;
const RETRY_MAX_MILLIS = 2000;
const HANDSHAKE_MILLIS = 4000;
const LINE_BYTES_MAX = 1024 * 1024;
const REFUSAL_BYTES_MAX = 2048;
/** A link that is silent, also to pings, for two of these is dead. */
const PING_EVERY_MILLIS = 5000;

export interface TailListener {
  line(line: TailLine, text: string): void;
  /** '' when connected, else what is wrong. */
  trouble(text: string): void;
  /** The end: waiting cannot help. */
  failed(error: CliError): void;
}

export class TailClient {
  readonly #url: URL;
  readonly #listener: TailListener;
  readonly #token: string;
  readonly #startedMillis = Date.now();
  #socket: WebSocket | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #pingTimer: NodeJS.Timeout | null = null;
  #retryMillis = RETRY_FIRST_MILLIS;
  #heard = false;
  #reached = false;
  #closed = false;
  #cause = 'no answer yet';

  /** token: '' for none. */
  constructor(url: URL, listener: TailListener, token = '') {
    this.#url = url;
    this.#listener = listener;
    this.#token = token;
    this.#connect();
  }

  /** True once a connection stood. */
  get reached(): boolean {
    return this.#reached;
  }

  unreachableError(): CliError {
    return new CliError(
      'ERR_CLI_UNREACHABLE',
      `no collector at ${this.#url.host} (${this.#cause})`,
      `start one with: ${startWords(this.#url)}   (or everything at once: ringtail demo); choose another with --url or RINGTAIL_COLLECTOR`,
    );
  }

  close(): void {
    this.#closed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, {
      handshakeTimeout: HANDSHAKE_MILLIS,
      maxPayload: LINE_BYTES_MAX,
      perMessageDeflate: false,
      headers: authorizationOf(this.#token),
    });
    this.#socket = socket;
    let cause = 'the connection closed';
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data) => this.#received(data.toString()));
    socket.on('pong', () => {
      this.#heard = true;
    });
    socket.on('unexpected-response', (_request, response) => this.#refused(response, socket));
    socket.on('error', (error) => {
      cause = printable(causeOf(error));
    });
    socket.on('close', () => this.#lost(cause));
  }

  #opened(socket: WebSocket): void {
    this.#reached = true;
    this.#heard = true;
    this.#retryMillis = RETRY_FIRST_MILLIS;
    this.#pingTimer = setInterval(() => {
      if (!this.#heard) return socket.terminate();
      this.#heard = false;
      socket.ping();
    }, PING_EVERY_MILLIS);
    this.#listener.trouble('');
  }

  #received(text: string): void {
    if (this.#closed) return;
    this.#heard = true;
    try {
      const line = parseTailLine(text);
      if (line !== null) this.#listener.line(line, text);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      this.#fail(error);
    }
  }

  #refused(response: IncomingMessage, socket: WebSocket): void {
    const status = response.statusCode ?? 0;
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      if (body.length < REFUSAL_BYTES_MAX) body += chunk;
    });
    response.on('close', () => {
      socket.terminate();
      if (status >= 500) return this.#lost(`the collector answered ${status}`);
      const said = printable(body.slice(0, REFUSAL_BYTES_MAX).trim().replace(/\s+/g, ' '));
      const advice =
        status === 401
          ? 'give its token: set RINGTAIL_TOKEN, or RINGTAIL_TOKEN_FILE to the file that holds it'
          : 'is that the address of a ringtail collector? choose another with --url';
      this.#fail(
        new CliError(
          'ERR_CLI_REFUSED',
          `${this.#url.host} answered ${status}${said === '' ? '' : `: ${said}`}`,
          advice,
        ),
      );
    });
  }

  #lost(cause: string): void {
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer);
    this.#pingTimer = null;
    if (this.#closed || this.#retryTimer !== null) return;
    this.#cause = cause;
    const leftMillis = this.#startedMillis + REACH_WITHIN_MILLIS - Date.now();
    if (!this.#reached && leftMillis <= 0) {
      this.#fail(this.unreachableError());
      return;
    }
    this.#listener.trouble(`no connection to the collector at ${this.#url.host} (${cause}), trying again`);
    this.#retryTimer = setTimeout(
      () => {
        this.#retryTimer = null;
        this.#connect();
      },
      this.#reached ? this.#retryMillis : Math.min(this.#retryMillis, leftMillis),
    );
    this.#retryMillis = Math.min(this.#retryMillis * 2, RETRY_MAX_MILLIS);
  }

  #fail(error: CliError): void {
    if (this.#closed) return;
    this.close();
    this.#listener.failed(error);
  }
}

function causeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
