/** Collectors in the states that a program may meet: mute (accepts and says nothing) and down (nobody listens). */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type CollectorStand = { url: string; close: () => Promise<void> };

export async function muteCollector(): Promise<CollectorStand> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.resume();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: urlOf((server.address() as AddressInfo).port),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

export async function noCollector(): Promise<CollectorStand> {
  const { url, close } = await muteCollector();
  await close();
  return { url, close: async () => {} };
}

function urlOf(port: number): string {
  return `ws://127.0.0.1:${port}`;
}
