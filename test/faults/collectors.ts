/** Collectors in the states that a program may meet: up, mute (accepts and says nothing) and down (nobody listens). */
import { spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

/** env: what a program needs to find it. */
export type CollectorStand = { env: Record<string, string>; close: () => Promise<void> };

const CLI = resolve(__dirname, '../../build/cli.js');
const TOKEN = 'a token for tests only, 0123456789abcdef';

/** The real one, in a process of its own; `kill` ends it without a goodbye. */
export async function realCollector(): Promise<CollectorStand & { kill: () => void }> {
  const child = spawn(process.execPath, [CLI, 'collector', '--port', '0'], {
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), RINGTAIL_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise<void>((done) => child.on('exit', () => done()));
  const port = await new Promise<string>((done, failed) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const match = /on http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
      if (match !== null) done(match[1]!);
    });
    exited.then(() => failed(new Error(`the collector of ${CLI} ended before it listened: ${text}`)));
  });
  return {
    env: { ...envOf(Number(port)), RINGTAIL_TOKEN: TOKEN },
    kill: () => child.kill('SIGKILL'),
    close: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

export async function muteCollector(): Promise<CollectorStand> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.resume();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    env: envOf((server.address() as AddressInfo).port),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

export async function noCollector(): Promise<CollectorStand> {
  const { env, close } = await muteCollector();
  await close();
  return { env, close: async () => {} };
}

function envOf(port: number): Record<string, string> {
  return { RINGTAIL_COLLECTOR: `ws://127.0.0.1:${port}` };
}
