import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Packr, Unpackr } from 'msgpackr/index-no-eval';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Link, type LinkHost } from '../../../agent/aggregator/link';
import { proofMatches, proofOf } from '../../../agent/wire/proof';
import {
  TAG_ACK,
  TAG_BATCH,
  TAG_CHALLENGE,
  TAG_CONTROL,
  TAG_DICTIONARY,
  TAG_ERROR,
  TAG_GOODBYE,
  TAG_HELLO,
  TAG_WELCOME,
  WIRE_VERSION,
} from '../../../agent/wire/schema';

const SETTINGS = { useRecords: false, structuredClone: false };
const packr = new Packr(SETTINGS);
const unpackr = new Unpackr(SETTINGS);
const NONCE = new Uint8Array(16).fill(7);

/** Accepts agents as a collector does; `committed` is what WELCOME tells. */
class FakeCollector {
  readonly received: unknown[][] = [];
  readonly raw: Buffer[] = [];
  token = 'secret-secret-secret';
  committed = -1;
  socket: WebSocket | null = null;
  welcomes = 0;
  constructor(readonly server: WebSocketServer) {
    server.on('connection', (socket) => {
      this.socket = socket;
      socket.send(packr.pack([TAG_CHALLENGE, WIRE_VERSION, NONCE, '0.0.0']));
      socket.on('message', (data: Buffer) => this.#receive(socket, data));
    });
  }
  #receive(socket: WebSocket, data: Buffer) {
    const message = unpackr.unpack(data) as unknown[];
    this.received.push(message);
    this.raw.push(Buffer.from(data));
    if (message[0] !== TAG_HELLO) return;
    const nonce = message[4] as Uint8Array;
    if (!proofMatches(proofOf(this.token, 'agent', NONCE, nonce), message[5] as Uint8Array))
      return socket.close();
    this.welcomes++;
    socket.send(
      packr.pack([
        TAG_WELCOME,
        WIRE_VERSION,
        proofOf(this.token, 'collector', nonce, NONCE),
        this.committed,
        'memory',
        1_000_000,
      ]),
    );
  }
  say(message: unknown[]) {
    this.socket?.send(packr.pack(message));
  }
  of(tag: number) {
    return this.received.filter((message) => message[0] === tag);
  }
}

const until = async (condition: () => boolean, what: string) => {
  for (const end = Date.now() + 8000; !condition(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
  }
};

describe('Link', () => {
  let server: Server;
  let sockets: WebSocketServer;
  let collector: FakeCollector;
  let link: Link;
  let reasons: string[];
  let controls: unknown[];
  let refused: number[];
  let epochsRefused: number;
  const host = (token: string | null): LinkHost => ({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    agentId: new Uint8Array(16).fill(1),
    token: () => token,
    identity: () => ['svc', 'i', 'h', 1, 'v20', '0', [], 0, 0, 0, 10_101, 'wasm'],
    epoch: () => 1,
    dictionary: () => [TAG_DICTIONARY, 1, [1, [], 1, new Uint8Array(0), 1, new Uint8Array(0)], []],
    onControl: (message) => controls.push(message),
    queueBytes: 1_000_000,
    onRefused: (sequence) => refused.push(sequence),
    onEpochRefused: () => epochsRefused++,
    onAcknowledged: () => {},
    onUp: () => {},
    onDown: (reason) => reasons.push(reason),
  });
  const batch = (sequence: number) => packr.pack([TAG_BATCH, 1, sequence]);

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    sockets = new WebSocketServer({ server });
    collector = new FakeCollector(sockets);
    reasons = [];
    controls = [];
    refused = [];
    epochsRefused = 0;
    link = new Link(host(collector.token));
  });
  afterEach(() => {
    link.close(1, 0, 'stop', () => {});
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.close();
  });

  it('proves the token without sending it, and then sends the dictionary', async () => {
    link.dial();
    await until(() => collector.of(TAG_DICTIONARY).length === 1, 'dictionary');
    expect(link.up).toBe(true);
    expect(Buffer.concat(collector.raw).includes(collector.token)).toBe(false);
  });

  it('tells nothing to who does not know the token', async () => {
    link = new Link(host('another-token-altogether'));
    link.dial();
    await until(() => reasons.length > 0, 'refusal');
    expect(collector.welcomes).toBe(0);

    collector.token = 'another-token-altogether';
    const squatter = new Link({ ...host('another-token-altogether') });
    sockets.removeAllListeners('connection');
    sockets.on('connection', (socket) => {
      socket.send(packr.pack([TAG_CHALLENGE, WIRE_VERSION, NONCE, '0']));
      socket.on('message', (data: Buffer) => {
        collector.raw.push(Buffer.from(data));
        socket.send(packr.pack([TAG_WELCOME, WIRE_VERSION, new Uint8Array(32), -1, 'memory', 1000]));
      });
    });
    reasons = [];
    collector.raw.length = 0;
    squatter.dial();
    await until(() => reasons.length > 0, 'refusal of the squatter');
    expect(reasons[0]).toContain('does not know the token');
    expect(collector.raw).toHaveLength(1);
    squatter.close(1, 0, 'stop', () => {});
  });

  it('sends what was not acknowledged again, byte for byte, and what was committed never', async () => {
    link.dial();
    await until(() => link.up, 'up');
    for (const sequence of [0, 1, 2]) link.send(sequence, batch(sequence), 1);
    await until(() => collector.of(TAG_BATCH).length === 3, 'three batches');
    collector.say([TAG_ACK, 0]);
    await until(() => link.unacknowledgedCount === 2, 'acknowledgement');
    const before = collector.raw.slice(-2);
    collector.committed = 1;
    collector.received.length = collector.raw.length = 0;
    collector.socket!.terminate();
    await until(() => collector.of(TAG_BATCH).length === 1, 'resend');
    expect(collector.of(TAG_BATCH)).toEqual([[TAG_BATCH, 1, 2]]);
    expect(collector.raw.at(-1)!.equals(before[1]!)).toBe(true);
    expect(link.unacknowledgedCount).toBe(1);
  });

  it('gives no room while credit is used up, and room again after an acknowledgement', async () => {
    link.dial();
    await until(() => link.up, 'up');
    const bytes = packr.pack([TAG_BATCH, 1, 0, new Uint8Array(900_000)]);
    link.send(0, bytes, 1);
    expect(link.roomBytes).toBe(1_000_000 - bytes.length);
    collector.say([TAG_ACK, 0]);
    await until(() => link.roomBytes === 1_000_000, 'room');
  });

  it('hands over control messages, and drops who sends nonsense', async () => {
    link.dial();
    await until(() => link.up, 'up');
    collector.say([TAG_CONTROL, 5, 'watch', 10, '']);
    await until(() => controls.length === 1, 'control');
    collector.socket!.send(Buffer.from([0xc1, 1, 2]));
    await until(() => reasons.length > 0, 'drop');
    expect(reasons[0]).toContain('no message');
  });

  it('gives up a batch that was refused twice, and goes on with the next', async () => {
    link.dial();
    await until(() => link.up, 'up');
    for (const sequence of [0, 1]) link.send(sequence, batch(sequence), 1);
    for (const round of [1, 2]) {
      await until(
        () => collector.welcomes === round && collector.of(TAG_BATCH).length === 2 * round,
        `round ${round}`,
      );
      collector.say([TAG_ERROR, 'ERR_WIRE_COLUMNS', 'no samples']);
      await until(() => reasons.length === round, `refusal ${round}`);
      expect(refused).toEqual(round === 1 ? [] : [0]);
    }
    await until(() => collector.of(TAG_BATCH).length === 5, 'the next one alone');
    expect(collector.of(TAG_BATCH).at(-1)).toEqual([TAG_BATCH, 1, 1]);
  });

  it('says goodbye last', async () => {
    link.dial();
    await until(() => link.up, 'up');
    await new Promise<void>((resolve) => link.close(1, 4, 'exit', resolve));
    await until(() => collector.of(TAG_GOODBYE).length === 1, 'goodbye');
    expect(collector.received.at(-1)).toEqual([TAG_GOODBYE, 1, 4, 'exit']);
  });

  it('keeps dialling, with a reason each time, where nobody listens', async () => {
    const nobody = new Link({ ...host('t'), url: 'ws://127.0.0.1:1' });
    nobody.dial();
    await until(() => reasons.length >= 2, 'two tries');
    expect(reasons[0]).toContain('ECONNREFUSED');
    nobody.close(1, 0, 'stop', () => {});
  });
});
