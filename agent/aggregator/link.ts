/**
 * The connection to the collector: dial, prove, resend, acknowledge, dial again. What was sent and not yet acknowledged
 * is kept as bytes and sent again byte for byte after a reconnect; everything else stays with the caller until there is
 * room. The token is read afresh at every dial and never travels.
 */
import { randomBytes } from 'node:crypto';
import { decodeCollectorMessage, encodeMessage } from '../wire/encode';
import { WIRE_LIMITS } from '../wire/limits';
import { proofMatches, proofOf } from '../wire/proof';
import {
  type ControlMessage,
  type DictionaryMessage,
  type IdentityTuple,
  TAG_ACK,
  TAG_CHALLENGE,
  TAG_CONTROL,
  TAG_DATA,
  TAG_ERROR,
  TAG_GOODBYE,
  TAG_HELLO,
  TAG_REPLY,
  TAG_WELCOME,
  type WelcomeMessage,
  WIRE_VERSION,
} from '../wire/schema';
import { WebSocket } from './web-socket';

const DIAL_DEADLINE_MILLIS = 5000;
/** What a collector says is small. */
const MESSAGE_BYTES_MAX = 65_536;
const BACKOFF_FIRST_MILLIS = 500;
const BACKOFF_MAX_MILLIS = 30_000;
/** No message and no answer to a ping for this long: the collector is gone. */
const SILENCE_MILLIS = 45_000;

/** Errors that speak of a message and not of the connection. */
const BATCH_REFUSALS = /^ERR_WIRE_(ENCODING|MESSAGE|LIMIT|DICTIONARY|COLUMNS|BUCKETS)$/;
/** The same, said by WebSocket's close code: a message that is too big. */
const CLOSE_TOO_BIG = 1009;
/** So many batches given up with nothing taken in between: it is not the batches. */
const GIVEN_UP_MAX = 3;

export type LinkHost = {
  url: string;
  agentId: Uint8Array;
  token(): string | null;
  identity(): IdentityTuple;
  epoch(): number;
  dictionary(): DictionaryMessage;
  onControl(message: ControlMessage): void;
  /** Bytes that may wait for an acknowledgement; the collector's credit may allow less. */
  queueBytes: number;
  /** A batch that the collector refused twice is given up, with so many ticks. */
  onRefused(sequence: number, code: string, ticks: number): void;
  /** One batch after the other was refused: the epoch itself must be what it cannot take. All of them are dropped. */
  onEpochRefused(code: string): void;
  /** Everything that was sent is acknowledged. */
  onAcknowledged(): void;
  /** Up: connected and welcomed. Down: with the reason, told once per cause. */
  onUp(durability: string): void;
  onDown(reason: string): void;
};

/** What no proof matches. */
const NO_PROOF = new Uint8Array(0);

type Sent = { sequence: number; bytes: Uint8Array; ticks: number };

export class Link {
  up = false;
  sentBytes = 0;
  /** How often a collector has welcomed us: requests are numbered by connection. */
  connections = 0;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #watch: NodeJS.Timeout | null = null;
  #backoffMillis = BACKOFF_FIRST_MILLIS;
  #heardAtMillis = 0;
  #unacknowledged: Sent[] = [];
  #inFlightBytes = 0;
  #creditBytes = 0;
  #closed = false;
  /** The batch that the collector refused last. */
  #refusedSequence = -1;
  #givenUp = 0;
  #nonce: Uint8Array = randomBytes(16);
  #expectedProof: Uint8Array = NO_PROOF;

  constructor(readonly host: LinkHost) {}

  /** Bytes that may still go out before an acknowledgement must come. */
  get roomBytes(): number {
    return this.up ? Math.min(this.#creditBytes, this.host.queueBytes) - this.#inFlightBytes : 0;
  }

  get unacknowledgedCount(): number {
    return this.#unacknowledged.length;
  }

  dial(): void {
    if (this.#closed || this.#socket !== null) return;
    const token = this.host.token();
    if (token === null) return this.#retry('no token found (see RINGTAIL_TOKEN)');
    let deadline: NodeJS.Timeout | undefined;
    const socket = new WebSocket(`${this.host.url.replace(/\/$/, '')}/v1/agent`, MESSAGE_BYTES_MAX, {
      onMessage: (bytes) => {
        this.#heardAtMillis = Date.now();
        const refusal = this.#receive(bytes, token, socket);
        if (this.up) clearTimeout(deadline);
        if (refusal !== '') socket.terminate(refusal);
      },
      onPong: () => {
        this.#heardAtMillis = Date.now();
      },
      onClose: (reason, code) => {
        clearTimeout(deadline);
        if (this.up && code === CLOSE_TOO_BIG) this.#headRefused('1009');
        this.#lost(socket, reason);
      },
    });
    this.#socket = socket;
    this.#expectedProof = NO_PROOF;
    deadline = setTimeout(() => socket.terminate('no welcome in time'), DIAL_DEADLINE_MILLIS);
  }

  /** Sends one encoded BATCH and keeps it until it is acknowledged. */
  send(sequence: number, bytes: Uint8Array, ticks: number): void {
    this.#unacknowledged.push({ sequence, bytes, ticks });
    this.#inFlightBytes += bytes.length;
    this.#write(bytes);
  }

  reply(requestId: number, code: number, t0Micros: number, text: string): void {
    if (this.up) this.#write(encodeMessage([TAG_REPLY, requestId, code, t0Micros, text]));
  }

  /** Sends what a collect asked for; its reply must follow. */
  data(requestId: number, bytes: Uint8Array): void {
    for (let from = 0; this.up && from < bytes.length; from += WIRE_LIMITS.dataBytes)
      this.#write(encodeMessage([TAG_DATA, requestId, bytes.subarray(from, from + WIRE_LIMITS.dataBytes)]));
  }

  /** Says goodbye and calls back when the kernel has it all, or at once when the link is down. */
  close(epoch: number, lastSequence: number, reason: string, done: () => void): void {
    this.#closed = true;
    this.#clearTimers();
    const socket = this.#socket;
    if (socket === null || !this.up) {
      socket?.terminate();
      return done();
    }
    socket.send(encodeMessage([TAG_GOODBYE, epoch, lastSequence, reason]), () => {
      socket.close(1000);
      done();
    });
  }

  /** Drops the connection and dials again: a new epoch begins with a new HELLO. */
  redial(): void {
    this.#backoffMillis = 0;
    this.#socket?.terminate();
  }

  #write(bytes: Uint8Array): void {
    this.sentBytes += bytes.length;
    this.#socket?.send(bytes);
  }

  /** '' or why the connection must end. */
  #receive(data: Buffer, token: string, socket: WebSocket): string {
    const message = decodeCollectorMessage(data);
    if (message === null) return 'the collector sent something that is no message';
    switch (message[0]) {
      case TAG_CHALLENGE: {
        if (message[1] !== WIRE_VERSION)
          return `the collector speaks wire version ${message[1]}, this agent ${WIRE_VERSION}`;
        this.#nonce = randomBytes(16);
        this.#expectedProof = proofOf(token, 'collector', this.#nonce, message[2]);
        const proof = proofOf(token, 'agent', message[2], this.#nonce);
        socket.send(
          encodeMessage([
            TAG_HELLO,
            WIRE_VERSION,
            this.host.agentId,
            this.host.epoch(),
            this.#nonce,
            proof,
            this.host.identity(),
          ]),
        );
        return '';
      }
      case TAG_WELCOME:
        return this.#welcomed(message);
      case TAG_ACK:
        this.#backoffMillis = BACKOFF_FIRST_MILLIS;
        this.#givenUp = 0;
        this.#acknowledged(message[1]);
        if (this.#unacknowledged.length === 0) this.host.onAcknowledged();
        return '';
      case TAG_CONTROL:
        if (this.up) this.host.onControl(message);
        return '';
      case TAG_ERROR:
        if (this.up && BATCH_REFUSALS.test(message[1])) this.#headRefused(message[1]);
        return `the collector refused: ${message[1]} ${message[2]}`;
    }
  }

  #welcomed([, , proof, lastSequence, durability, creditBytes]: WelcomeMessage): string {
    if (!proofMatches(this.#expectedProof, proof)) return 'whoever answers there does not know the token';
    this.up = true;
    this.connections++;
    this.#expectedProof = NO_PROOF;
    this.#creditBytes = creditBytes;
    this.#acknowledged(lastSequence);
    this.#write(encodeMessage(this.host.dictionary()));
    for (const { bytes } of this.#unacknowledged) this.#write(bytes);
    this.#watch = setInterval(() => this.#checkSilence(), SILENCE_MILLIS / 3);
    this.host.onUp(durability);
    return '';
  }

  #acknowledged(sequence: number): void {
    while (this.#unacknowledged.length > 0 && this.#unacknowledged[0]!.sequence <= sequence) {
      this.#inFlightBytes -= this.#unacknowledged.shift()!.bytes.length;
    }
  }

  /** The collector takes batches in order, so it is the oldest one that it cannot take: again once, then never. */
  #headRefused(code: string): void {
    const head = this.#unacknowledged[0];
    if (head === undefined) return;
    if (this.#refusedSequence !== head.sequence) {
      this.#refusedSequence = head.sequence;
      return;
    }
    this.#unacknowledged.shift();
    this.#inFlightBytes -= head.bytes.length;
    this.#refusedSequence = -1;
    this.host.onRefused(head.sequence, code, head.ticks);
    if (++this.#givenUp < GIVEN_UP_MAX) return;
    this.#givenUp = 0;
    for (const { sequence, ticks } of this.#unacknowledged) this.host.onRefused(sequence, code, ticks);
    this.#unacknowledged = [];
    this.#inFlightBytes = 0;
    this.host.onEpochRefused(code);
  }

  #checkSilence(): void {
    if (Date.now() - this.#heardAtMillis > SILENCE_MILLIS) this.#socket?.terminate();
    else this.#socket?.ping();
  }

  #lost(socket: WebSocket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.up = false;
    this.#clearTimers();
    this.#retry(reason);
  }

  #retry(reason: string): void {
    if (this.#closed) return;
    this.host.onDown(reason);
    const waitMillis = this.#backoffMillis * (0.8 + Math.random() * 0.4);
    this.#backoffMillis = Math.min(
      BACKOFF_MAX_MILLIS,
      Math.max(BACKOFF_FIRST_MILLIS, this.#backoffMillis * 2),
    );
    this.#timer = setTimeout(() => this.dial(), waitMillis);
  }

  #clearTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#timer = this.#watch = null;
  }
}
