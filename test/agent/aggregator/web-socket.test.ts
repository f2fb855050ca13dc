import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import { WebSocket } from '../../../agent/aggregator/web-socket';

const MAX = 65_536;

type Seen = { messages: Buffer[]; pongs: number; ends: { reason: string; code: number }[] };

/** What the client's events told. */
function seen(): Seen & {
  onMessage(bytes: Buffer): void;
  onPong(): void;
  onClose(reason: string, code: number): void;
} {
  const told: Seen = { messages: [], pongs: 0, ends: [] };
  return Object.assign(told, {
    onMessage: (bytes: Buffer) => told.messages.push(bytes),
    onPong: () => {
      told.pongs++;
    },
    onClose: (reason: string, code: number) => told.ends.push({ reason, code }),
  });
}

const until = async (condition: () => boolean, what: string) => {
  for (const end = Date.now() + 8000; !condition(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
  }
};

describe('WebSocket', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function listen(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const open = new Set<Socket>();
    server.on('connection', (socket) => open.add(socket));
    closing.push(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/agent?a=b`;
  }

  async function accept(use: (socket: ServerSocket, path: string) => void): Promise<string> {
    const http = createHttpServer();
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket, request) => use(socket, request.url ?? ''));
    return listen(http);
  }

  async function answer(respond: (socket: Socket, request: string) => void): Promise<string> {
    return listen(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', (request) => respond(socket, String(request)));
      }),
    );
  }

  it('carries messages of all sizes both ways', async () => {
    let path = '';
    const url = await accept((socket, requested) => {
      path = requested;
      socket.on('message', (data: Buffer) => socket.send(data));
    });
    const events = seen();
    const client = new WebSocket(url, MAX, events);
    const sizes = [0, 1, 125, 126, 20_000, 65_535, 65_536];
    for (const size of sizes) client.send(new Uint8Array(size).fill(size));
    await until(() => events.messages.length === sizes.length, 'echoes');
    expect(events.messages.map((message) => message.length)).toEqual(sizes);
    for (const [index, size] of sizes.entries())
      expect(events.messages[index]!.every((byte) => byte === (size & 255))).toBe(true);
    expect(path).toBe('/v1/agent?a=b');
    client.terminate();
  });

  it('answers pings, and tells of pongs', async () => {
    let ponged = '';
    const url = await accept((socket) => {
      socket.ping('there?');
      socket.on('pong', (data) => {
        ponged = String(data);
      });
    });
    const events = seen();
    const client = new WebSocket(url, MAX, events);
    client.ping();
    await until(() => events.pongs === 1 && ponged !== '', 'pongs');
    expect(ponged).toBe('there?');
    client.terminate();
  });

  it('says goodbye with its code, after what was sent before', async () => {
    const got: unknown[] = [];
    const url = await accept((socket) => {
      socket.on('message', (data: Buffer) => got.push(String(data)));
      socket.on('close', (code) => got.push(code));
    });
    const events = seen();
    const client = new WebSocket(url, MAX, events);
    client.send(Buffer.from('last'), () => client.close(1000));
    await until(() => got.length === 2 && events.ends.length === 1, 'goodbye');
    expect(got).toEqual(['last', 1000]);
    expect(events.ends).toEqual([{ reason: 'closed with 1000', code: 1000 }]);
  });

  it('tells the code and the words that the other side closed with, once', async () => {
    const events = seen();
    new WebSocket(await accept((socket) => socket.close(1009, 'too big')), MAX, events);
    await until(() => events.ends.length > 0, 'end');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(events.ends).toEqual([{ reason: 'closed with 1009 "too big"', code: 1009 }]);
  });

  it('notices a connection that is cut', async () => {
    const events = seen();
    new WebSocket(await accept((socket) => socket.terminate()), MAX, events);
    await until(() => events.ends.length === 1, 'end');
  });

  it('ends on a message beyond the limit, and on what is no frame', async () => {
    const large = seen();
    new WebSocket(await accept((socket) => socket.send(new Uint8Array(MAX + 1))), MAX, large);
    await until(() => large.ends.length === 1, 'end');
    expect(large.ends[0]!.reason).toMatch(/65537 bytes or more/);
    const text = seen();
    new WebSocket(await accept((socket) => socket.send('text')), MAX, text);
    await until(() => text.ends.length === 1, 'end');
    expect(text.ends[0]!.reason).toMatch(/kind 1 out of place/);
  });

  it.each([
    ['a refusal', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', /answered the upgrade with "HTTP\/1.1 503/],
    [
      'a wrong accept key',
      'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: abc\r\n\r\n',
      /not speak WebSocket/,
    ],
    ['no upgrade at all', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', /not speak WebSocket/],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', /answered the upgrade with "SSH/],
    ['endless headers', 'x'.repeat(20_000), /does not speak HTTP/],
  ])('refuses %s', async (_what, response, reason) => {
    const events = seen();
    new WebSocket(await answer((socket) => socket.write(response)), MAX, events);
    await until(() => events.ends.length === 1, 'end');
    expect(events.ends[0]!.reason).toMatch(reason);
  });

  it('ends with the system’s words when nobody listens', async () => {
    const url = await accept(() => {});
    for (const close of closing.splice(0)) close();
    const events = seen();
    new WebSocket(url, MAX, events);
    await until(() => events.ends.length === 1, 'end');
    expect(events.ends[0]!.reason).toMatch(/ECONNREFUSED/);
  });

  it('begins with a TLS handshake where the address says wss', async () => {
    const events = seen();
    const url = await answer((socket, hello) => {
      expect(hello.charCodeAt(0)).toBe(22); // a TLS handshake record
      socket.destroy();
    });
    new WebSocket(url.replace('ws:', 'wss:'), MAX, events);
    await until(() => events.ends.length === 1, 'end');
  });
});
