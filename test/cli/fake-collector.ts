/** The tail's sending end alone: a WebSocket server that says what a test tells it to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export type FakeCollector = {
  url: string;
  port: number;
  /** Paths with queries, in order of arrival. */
  asked: string[];
  /** Of each upgrade. */
  authorizations: (string | undefined)[];
  send(text: string): void;
  /** Resolves when somebody is connected. */
  connected(): Promise<void>;
  close(): Promise<void>;
};

/** status: answer upgrades with that instead. metrics: what /metrics says, else 404. */
export async function startFakeCollector(
  options: { port?: number; status?: number; body?: string; metrics?: string } = {},
): Promise<FakeCollector> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/metrics' && options.metrics !== undefined ? 200 : 404;
    response.end(options.metrics ?? '');
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    asked.push(request.url ?? '');
    authorizations.push(request.headers.authorization);
    if (options.status !== undefined) {
      socket.end(`HTTP/1.1 ${options.status} No\r\nconnection: close\r\n\r\n${options.body ?? ''}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    asked,
    authorizations,
    send: (text) => sockets.clients.forEach((client: WebSocket) => void client.send(text)),
    connected: () =>
      sockets.clients.size > 0
        ? Promise.resolve()
        : new Promise((resolve) => sockets.once('connection', () => resolve())),
    close: () => {
      for (const client of sockets.clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
