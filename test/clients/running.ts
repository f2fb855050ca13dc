/** A collector as people run it, a process of its own on a free port, and a tail of it over WebSocket. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import WebSocket from 'ws';
import type { TailLine } from '../../collector/tail/schema';

const CONNECT_MILLIS = 15_000;
const COMMAND_FILE = resolve(__dirname, '../../build/cli.js');

export type RunningCollector = {
  /** http://127.0.0.1:port */
  url: string;
  /** What a program needs to find it. */
  agentEnvironment: Record<string, string>;
  pid: number;
  /** Resolves to its exit code, null when it had to be killed. */
  close(): Promise<number | null>;
};

/** What is tested is what a program shows, not how the agent saves: on a busy machine it would sample less, or rest. */
const TESTED_BUDGET_PERCENT = 100;

/** onStderr: gets what it says there; by default that goes to ours. */
export async function openCollector(
  words: readonly string[] = [],
  onStderr?: (text: string) => void,
  nodeWords: readonly string[] = [],
): Promise<RunningCollector> {
  const home = mkdtempSync(join(tmpdir(), 'collector-'));
  const token = 'a-token-for-one-test-run';
  const environment = { HOME: home, RINGTAIL_TOKEN: token };
  const child = spawn(process.execPath, [...nodeWords, COMMAND_FILE, 'collector', '--port', '0', ...words], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', onStderr === undefined ? 'inherit' : 'pipe'],
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => onStderr?.(text));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const url = await new Promise<string>((found, failed) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [line] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? [];
      if (line !== undefined) found(line);
    });
    void ended.then(() => failed(new Error(`the collector ended before it listened: ${text}`)));
  });
  return {
    url,
    agentEnvironment: {
      ...environment,
      RINGTAIL_COLLECTOR: url.replace('http', 'ws'),
      RINGTAIL_BUDGET_PERCENT: String(TESTED_BUDGET_PERCENT),
    },
    pid: child.pid!,
    close: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      const code = await ended;
      clearTimeout(late);
      rmSync(home, { recursive: true, force: true });
      return code;
    },
  };
}

/** Resolves once the tail is open. */
export async function watchTail(
  collector: RunningCollector,
  service: string,
  onLine: (line: TailLine) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(`${collector.url.replace('http', 'ws')}/v1/tail?service=${service}`);
  socket.on('message', (data) => onLine(JSON.parse(String(data)) as TailLine));
  await new Promise<void>((open, failed) => {
    socket.once('open', () => open());
    socket.once('error', failed);
  });
  return socket;
}

/** Resolves when a service is connected and was for `millis`: on a busy machine a program takes its time to start. */
export async function connected({ url }: RunningCollector, service: string, millis = 1000): Promise<void> {
  const end = performance.now() + CONNECT_MILLIS;
  while ((await fetch(`${url}/debug/pprof/cmdline?service=${service}`)).status !== 200) {
    if (performance.now() > end) throw new Error(`${service} did not connect in ${CONNECT_MILLIS} ms`);
    await new Promise((done) => setTimeout(done, 50));
  }
  await new Promise((done) => setTimeout(done, millis));
}
