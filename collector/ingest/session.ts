/**
 * One agent's connection, without its socket: messages come in as bytes and go out through a transport, so that the
 * whole protocol runs in tests as it does in service. Messages are handled strictly one after the other; a batch is
 * acknowledged when the store has it. Anything that is not as it should be ends the connection with a coded error.
 *
 *   challenged ──HELLO, proof right──► open ──GOODBYE, close or error──► closed
 */
import { randomBytes } from 'node:crypto';
import type { CoreTables } from '../../agent/core';
import { WIRE_LIMITS } from '../../agent/wire/limits';
import { proofMatches, proofOf } from '../../agent/wire/proof';
import {
  type CollectorMessage,
  type ControlCommand,
  TAG_ACK,
  TAG_BATCH,
  TAG_CHALLENGE,
  TAG_CONTROL,
  TAG_DATA,
  TAG_DICTIONARY,
  TAG_ERROR,
  TAG_GOODBYE,
  TAG_HELLO,
  TAG_REPLY,
  TAG_WELCOME,
  WIRE_VERSION,
} from '../../agent/wire/schema';
import type { Counters } from '../counters';
import type { Store } from '../store/store';
import type { Agent, AgentLink, Agents, Collected } from './agents';
import { BatchDecoder, decodeBatchHead } from './decode-batch';
import { type Data, decodeData, decodeGoodbye, decodeHello, decodeReply, type Reply } from './decode-hello';
import { Fields } from './fields';
import { decodeMessage, encodeMessage } from './msgpack';
import { WIRE_ERRORS, WireError } from './wire-error';

export interface Transport {
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Reading stops while more is unhandled than the credit allows. */
  pause(): void;
  resume(): void;
}

export type SessionContext = {
  token: string;
  collectorVersion: string;
  store: Store;
  agents: Agents;
  tables: CoreTables;
  counters: Counters;
  log: (line: string) => void;
};

/** Requests to an agent that wait for their REPLY, and for how long. */
const REQUESTS_MAX = 256;
const REPLY_MILLIS = 10_000;

type Waiting = {
  resolve: (collected: Collected) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
  parts: Uint8Array[];
  byteSize: number;
};

export class Session implements AgentLink {
  #context: SessionContext;
  #transport: Transport;
  #nonce = randomBytes(16);
  #decoder: BatchDecoder;
  #proven = false;
  #agent: Agent | null = null;
  #closed = false;
  #goodbye: string | null = null;
  #work: Promise<void> = Promise.resolve();
  #pendingBytes = 0;
  #paused = false;
  #nextRequestId = 1;
  #requests = new Map<number, Waiting>();

  constructor(context: SessionContext, transport: Transport) {
    this.#context = context;
    this.#transport = transport;
    this.#decoder = new BatchDecoder(context.tables, (field) => context.counters.refused(field));
    this.#send([TAG_CHALLENGE, WIRE_VERSION, this.#nonce, context.collectorVersion]);
  }

  /** True once the agent has proven the token. */
  get open(): boolean {
    return this.#proven && !this.#closed;
  }

  /** Takes a message; it is handled when those before it are. */
  receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > WIRE_LIMITS.creditBytes && !this.#paused) {
      this.#paused = true;
      this.#transport.pause();
    }
    this.#work = this.#work.then(() => this.#handle(bytes));
  }

  /** Resolves when everything received so far is handled. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** The transport is gone. What was received is still handled. */
  disconnected(): void {
    void this.#work.then(() => this.#end());
  }

  request(command: ControlCommand, argument: number, signal?: AbortSignal): Promise<Reply> {
    return this.#ask(command, argument, '', REPLY_MILLIS, signal).then(({ reply }) => reply);
  }

  collect(text: string, deadlineMillis: number, signal?: AbortSignal): Promise<Collected> {
    return this.#ask('collect', 0, text, deadlineMillis, signal);
  }

  /** signal: tells the agent that nobody waits any more, also after its REPLY: a capture goes on then. */
  #ask(
    command: ControlCommand,
    argument: number,
    text: string,
    deadlineMillis: number,
    signal?: AbortSignal,
  ): Promise<Collected> {
    if (!this.open || this.#requests.size >= REQUESTS_MAX) {
      return Promise.reject(new Error(`agent cannot be asked to ${command} now`));
    }
    const requestId = this.#nextRequestId++;
    this.#send([TAG_CONTROL, requestId, command, argument, text]);
    signal?.addEventListener('abort', () => this.#cancel(requestId));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#requests.delete(requestId);
        reject(new Error(`the agent did not reply to ${command} ${text} within ${deadlineMillis} ms`));
      }, deadlineMillis);
      const waiting = { resolve, reject, timer: timer.unref(), parts: [], byteSize: 0 };
      this.#requests.set(requestId, waiting);
    });
  }

  #cancel(requestId: number): void {
    this.#send([TAG_CONTROL, this.#nextRequestId++, 'cancel', requestId, '']);
    this.#taken(requestId)?.reject(new Error('the asker has gone'));
  }

  refuse(error: WireError): void {
    if (this.#closed) return;
    this.#context.counters.error(error.code);
    if (this.#agent !== null)
      this.#context.log(`agent ${nameOf(this.#agent)}: ${error.message} (${error.code})`);
    this.#send([TAG_ERROR, error.code, error.message]);
    this.#transport.close(WIRE_ERRORS[error.code], error.code);
    this.#end();
  }

  async #handle(bytes: Uint8Array): Promise<void> {
    try {
      if (!this.#closed) await this.#dispatch(bytes);
    } catch (error) {
      this.refuse(asWireError(error));
    } finally {
      this.#pendingBytes -= bytes.length;
      if (this.#paused && this.#pendingBytes <= WIRE_LIMITS.creditBytes / 2) {
        this.#paused = false;
        this.#transport.resume();
      }
    }
  }

  async #dispatch(bytes: Uint8Array): Promise<void> {
    const { counters, agents } = this.#context;
    counters.messages++;
    counters.messageBytes += bytes.length;
    const message = this.#agent === null ? decodeFirst(bytes) : decodeMessage(bytes);
    if (!Array.isArray(message)) throw new WireError('ERR_WIRE_MESSAGE', 'a message must be an array');
    const tag: unknown = message[0];
    const agent = this.#agent;
    if (agent === null) {
      if (tag !== TAG_HELLO)
        throw new WireError('ERR_WIRE_ORDER', `expected hello first, got tag ${String(tag)}`);
      return this.#hello(message);
    }
    agents.heard(agent);
    if (tag === TAG_BATCH) return this.#inTurn(agent, () => this.#batch(agent, message, bytes.length));
    if (tag === TAG_DICTIONARY) return this.#dictionary(agent, message);
    if (tag === TAG_REPLY) return this.#reply(decodeReply(message));
    if (tag === TAG_DATA) return this.#data(decodeData(message));
    if (tag === TAG_GOODBYE) {
      this.#goodbye = decodeGoodbye(message).reason;
      return;
    }
    throw new WireError(
      'ERR_WIRE_ORDER',
      `tag ${typeof tag === 'number' ? tag : typeof tag} has no place here`,
    );
  }

  async #hello(message: readonly unknown[]): Promise<void> {
    const { token, store, agents, counters } = this.#context;
    const hello = decodeHello(message);
    if (!proofMatches(proofOf(token, 'agent', this.#nonce, hello.nonce), hello.proof)) {
      throw new WireError(
        'ERR_WIRE_PROOF',
        'the agent has another token than this collector: see RINGTAIL_TOKEN_FILE',
      );
    }
    await store.putInstance(hello.instance);
    const lastSequence = await store.lastSequence(hello.instance.agentId, hello.epoch);
    const proof = proofOf(token, 'collector', hello.nonce, this.#nonce);
    this.#send([TAG_WELCOME, WIRE_VERSION, proof, lastSequence, store.durability, WIRE_LIMITS.creditBytes]);
    this.#proven = true;
    // Listeners may ask the agent for something at once.
    this.#agent = agents.connect(hello.instance, this);
    counters.connections++;
  }

  #dictionary(agent: Agent, message: readonly unknown[]): void {
    const number = new Fields(message, 'dictionary message', 4, 1).integer('epoch', 2 ** 32 - 1);
    this.#giveUpOnError(agent, number, () =>
      this.#decoder.dictionary(message, this.#context.agents.epoch(agent, number)),
    );
  }

  /** A connection that was left behind may still have a batch on its way into the store: the same batch comes again here. */
  #inTurn(agent: Agent, work: () => Promise<void>): Promise<void> {
    const turn = agent.turn.then(() => (this.#closed ? undefined : work()));
    agent.turn = turn.catch(() => {});
    return turn;
  }

  async #batch(agent: Agent, message: readonly unknown[], byteSize: number): Promise<void> {
    const { store, agents, counters } = this.#context;
    const { agentId } = agent.instance;
    const head = decodeBatchHead(message);
    const lastSequence = await store.lastSequence(agentId, head.epoch);
    if (head.sequence <= lastSequence) {
      counters.duplicates++;
      this.#send([TAG_ACK, head.sequence]);
      return;
    }
    const batch = this.#giveUpOnError(agent, head.epoch, () =>
      this.#decoder.batch(message, agentId, agents.epoch(agent, head.epoch), byteSize),
    );
    try {
      await store.commit(batch);
    } catch (error) {
      throw new WireError(
        'ERR_WIRE_STORE',
        `batch ${head.sequence} was not stored: ${(error as Error).message}`,
      );
    }
    counters.batches++;
    if (lastSequence >= 0) counters.gaps += head.sequence - lastSequence - 1;
    for (const { reason, count } of batch.losses) counters.loss(reason, count);
    this.#send([TAG_ACK, head.sequence]);
    const { instance } = agent;
    agents.committed(agent, batch);
    if (agent.instance !== instance) await store.putInstance(agent.instance);
  }

  /** What an epoch defined cannot be trusted after an error in it: it comes again with the next connection. */
  #giveUpOnError<Result>(agent: Agent, epoch: number, decode: () => Result): Result {
    try {
      return decode();
    } catch (error) {
      agent.epochs.delete(epoch);
      throw error;
    }
  }

  #reply(reply: Reply): void {
    const waiting = this.#taken(reply.requestId);
    waiting?.resolve({ reply, bytes: Buffer.concat(waiting.parts) });
  }

  /** Parts of an answer that nobody waits for any more are dropped. */
  #data({ requestId, bytes }: Data): void {
    const waiting = this.#requests.get(requestId);
    if (waiting === undefined) return;
    waiting.byteSize += bytes.length;
    if (waiting.byteSize <= WIRE_LIMITS.collectBytes) waiting.parts.push(bytes);
    else this.#taken(requestId)?.reject(new Error(`the answer is over ${WIRE_LIMITS.collectBytes} bytes`));
  }

  #taken(requestId: number): Waiting | undefined {
    const waiting = this.#requests.get(requestId);
    this.#requests.delete(requestId);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #send(message: CollectorMessage): void {
    if (!this.#closed) this.#transport.send(encodeMessage(message));
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject, timer } of this.#requests.values()) {
      clearTimeout(timer);
      reject(new Error('the agent is gone'));
    }
    this.#requests.clear();
    if (this.#agent !== null) this.#context.agents.disconnected(this.#agent, this, this.#goodbye);
  }
}

/** Whoever has not proven the token is not given the memory that a batch may take. */
function decodeFirst(bytes: Uint8Array): unknown {
  const { helloBytes, helloValues } = WIRE_LIMITS;
  if (bytes.length > helloBytes) {
    throw new WireError(
      'ERR_WIRE_LIMIT',
      `hello must be at most ${helloBytes} bytes, got ${bytes.length}: give the agent fewer or shorter labels`,
    );
  }
  return decodeMessage(bytes, { ...WIRE_LIMITS, messageValues: helloValues });
}

function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  return new WireError('ERR_WIRE_INTERNAL', `the collector failed: ${String(error)}`);
}

function nameOf({ instance }: Agent): string {
  return `${instance.service} ${instance.instance}`;
}
