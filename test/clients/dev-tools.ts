/**
 * DevTools of Debian's Chromium, headless, over its own protocol: files are opened in the Performance panel as by hand,
 * and what it drew is read from it. (Debian's build has no chrome://tracing.) Where it is missing, tests say so loudly;
 * in CI that is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import WebSocket from 'ws';

const DEV_TOOLS = 'devtools://devtools/bundled';
const LOAD_MILLIS = 20_000;
const WORDS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--remote-debugging-port=0'],
];

/** One track: what it is called on the screen, and its entries. micros: how long each lasts. */
export type DrawnTrack = { name: string; entries: { name: string; micros: number }[] };

export type DevTools = {
  /** What the Performance panel made of a file, gzipped or plain by its name, in the order of the tracks' thread ids. */
  open(fileName: string, bytes: Uint8Array): Promise<DrawnTrack[]>;
  /** PNG, for looking at it. */
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
};

/** Call at the top of a test file: false means "skip", and then the reason has been printed. */
export function needChromium(what: string): boolean {
  if (spawnSync('chromium', ['--version']).status === 0) return true;
  if (process.env.CI !== undefined)
    throw new Error(
      `${what}: no chromium in PATH, and nothing may be skipped in CI (apt-get install chromium)`,
    );
  console.warn(`\n*** SKIPPED: ${what}: chromium is not installed (apt-get install chromium)\n`);
  return false;
}

export async function openDevTools(): Promise<DevTools> {
  const home = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn('chromium', [...WORDS, `--user-data-dir=${home}`, 'about:blank'], {
    env: { PATH: process.env.PATH ?? '', HOME: home },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const address = await new Promise<string>((found, failed) => {
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [url] = /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(text) ?? [];
      if (url !== undefined) found(url);
    });
    void ended.then(() => failed(new Error(`chromium ended before it listened: ${text}`)));
  });
  const send = await protocol(address);
  const { targetId } = await send('Target.createTarget', {
    url: `${DEV_TOOLS}/devtools_app.html?panel=timeline`,
  });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  return {
    async open(fileName, bytes) {
      const expression = `(${openInPanel})(${JSON.stringify([DEV_TOOLS, basename(fileName), Buffer.from(bytes).toString('base64'), LOAD_MILLIS])})`;
      const words = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await send('Runtime.evaluate', words, String(sessionId));
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: DrawnTrack[] }).value;
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', {}, String(sessionId));
      return Buffer.from(String(data), 'base64');
    },
    async close() {
      await send('Browser.close');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

type Send = (
  method: string,
  params?: Record<string, unknown>,
  sessionId?: string,
) => Promise<Record<string, unknown>>;

/** Commands of the protocol, answered by their ids. */
async function protocol(address: string): Promise<Send> {
  const socket = new WebSocket(address, { maxPayload: 256 * 1024 * 1024 });
  await new Promise<void>((open, failed) => {
    socket.once('open', () => open());
    socket.once('error', failed);
  });
  const waiting = new Map<number, (answer: { error?: object; result: Record<string, unknown> }) => void>();
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data));
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  let lastId = 0;
  return (method, params = {}, sessionId = undefined) =>
    new Promise((done, failed) => {
      const id = ++lastId;
      waiting.set(id, ({ error, result }) =>
        error === undefined ? done(result) : failed(new Error(`${method}: ${JSON.stringify(error)}`)),
      );
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
}

/** Runs in DevTools, as text: it must not use anything of this file. */
const openInPanel = `async ([base, fileName, base64, millis]) => {
  const until = async (look) => {
    for (const end = performance.now() + millis; !look(); )
      if (performance.now() > end) throw new Error('DevTools did not load ' + fileName + ': ' + document.body.innerText);
      else await new Promise((done) => setTimeout(done, 50));
  };
  await until(() => document.readyState === 'complete');
  const { TimelinePanel } = await import(base + '/panels/timeline/timeline.js');
  let panel;
  const made = () => {
    try {
      return (panel = TimelinePanel.TimelinePanel.instance());
    } catch {}
  };
  await until(made);
  const loaded = panel.model.size();
  await panel.loadFromFile(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], fileName, {
    type: fileName.endsWith('.gz') ? 'application/gzip' : 'application/json',
  }));
  await until(() => panel.model.size() > loaded && panel.hasActiveTrace());
  const { Renderer } = panel.model.parsedTrace().data;
  const drawn = panel.getFlameChart().getMainDataProvider().timelineData();
  const names = drawn.groups.map(({ name }) => name);
  const tracks = [...Renderer.processes.values()].flatMap(({ threads }) => [...threads]);
  const shown = tracks.reduce((sum, [, { entries }]) => sum + entries.length, 0);
  if (drawn.entryLevels.length !== shown) throw new Error(drawn.entryLevels.length + ' of ' + shown + ' entries drawn');
  return tracks.sort(([left], [right]) => left - right).map(([tid, { name, entries }]) => ({
    name: names.find((text) => text === name + ' (' + tid + ')') ?? '(not drawn: ' + name + ')',
    entries: entries.map(({ name, dur = 0 }) => ({ name, micros: dur })),
  }));
}`;
