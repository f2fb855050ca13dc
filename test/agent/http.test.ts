/** Real servers and sockets: every request is counted exactly once, however it ends. */
import { createServer, get, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { RequestRoutes } from '../../agent/routes/request-routes';
import { SourceGuard } from '../../agent/source-guard';
import { openHttp } from '../../agent/sources/http';
import { HttpRequestBits, RecordKind } from '../../assembly/layout';
import { RecordingWriter } from './recording-writer';

const GET = 1 << HttpRequestBits.MethodShift;
const POST = 2 << HttpRequestBits.MethodShift;
const ABORTED = HttpRequestBits.Aborted;
const SERIES = 'http.server.request.duration';

let closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing) close();
  closing = [];
});

function watched(): RecordingWriter {
  const writer = new RecordingWriter();
  const control = new ControlPage();
  const guard = new SourceGuard('http', control, nowMicros);
  guard.opened(openHttp({ writer, control, guard, nowMicros }, new RequestRoutes(true)));
  closing.push(() => {
    guard.close();
    expect(control.hostFaults).toBe(0);
  });
  return writer;
}

async function listening(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  closing.push(() => server.close().closeAllConnections());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis));

function talk(port: number, text: string): Promise<{ destroy: () => void }> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => done(socket)));
    socket.on('error', () => {}).resume();
  });
}

describe('the HTTP source', () => {
  it('tells status, method and duration of finished requests', async () => {
    const writer = watched();
    const port = await listening((request, response) => {
      setTimeout(() => response.writeHead(request.method === 'POST' ? 201 : 404).end('x'), 20);
    });
    await talk(
      port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    await expect.poll(() => writer.pushed.length).toBe(2);
    expect(writer.pushed.map(({ kind, a }) => [kind, a])).toEqual([
      [RecordKind.HttpServer, 201 | POST],
      [RecordKind.HttpServer, 404 | GET],
    ]);
    expect(writer.of(SERIES).map(({ series }) => series.split(' ').at(-1))).toEqual(['2xx', '4xx']);
    expect(writer.pushed.map(({ b }) => writer.names[b - 1])).toEqual(
      writer.of(SERIES).map(({ series }) => series),
    );
    for (const { value } of writer.of(SERIES)) expect(value).toBeGreaterThan(15_000);
    for (const { startMicros, durationMicros } of writer.pushed) {
      expect(Math.abs(startMicros + durationMicros - nowMicros())).toBeLessThan(1e6);
    }
  });

  it('counts requests of one kept-alive connection apart', async () => {
    const writer = watched();
    const port = await listening((_, response) => response.end('x'));
    for (let request = 0; request < 5; request++) {
      await new Promise<void>((done) => get({ port }, (response) => response.resume().on('end', done)));
    }
    await expect.poll(() => writer.pushed.length).toBe(5);
    await pause(20);
    expect(writer.pushed).toHaveLength(5);
  });

  it('counts an aborted request once, before and after its headers', async () => {
    const writer = watched();
    let answered = 0;
    const port = await listening((request, response) => {
      if (request.url === '/headers') response.writeHead(206).write('part');
      answered++;
    });
    const sockets = await Promise.all(
      ['/', '/headers'].map((path) => talk(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)),
    );
    await expect.poll(() => answered).toBe(2);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => writer.pushed.length).toBe(2);
    await pause(20);
    expect(writer.pushed.map(({ a }) => a).sort()).toEqual([GET | ABORTED, 206 | GET | ABORTED]);
    expect(new Set(writer.of(SERIES).map(({ series }) => series.split(' ').at(-1)))).toEqual(
      new Set(['aborted']),
    );
  });

  it('counts pipelined requests that never got their turn', async () => {
    const writer = watched();
    const port = await listening((request, response) => {
      if (request.url !== '/stuck') response.end('x');
    });
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const socket = await talk(port, one('/ok') + one('/stuck') + one('/waiting') + one('/waiting'));
    await expect.poll(() => writer.pushed.length).toBe(1);
    socket.destroy();
    await expect.poll(() => writer.pushed.length).toBe(4);
    expect(writer.pushed.filter(({ a }) => (a & ABORTED) !== 0)).toHaveLength(3);
  });

  it('is not the listener too many of a socket, and raises the limit of no other', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);
    const limits: [number, number][] = [];
    const server = createServer((request, response) => {
      const { socket } = request;
      limits.push([socket.listenerCount('close'), socket.getMaxListeners()]);
      response.end('x');
    });
    closing.push(() => server.close().closeAllConnections());
    server.on('connection', (socket) => {
      if (limits.length === 0) while (socket.listenerCount('close') < 9) socket.on('close', () => {});
    });
    watched();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    for (let request = 0; request < 2; request++) {
      await new Promise<void>((done) =>
        get({ port, agent: false }, (response) => response.resume().on('end', done)),
      );
    }
    process.removeListener('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(limits[0]).toEqual([11, 11]);
    expect(limits[1]![1]).toBe(10);
  });

  it('is silent after it was closed', async () => {
    const writer = watched();
    const port = await listening((_, response) => response.end('x'));
    closing.shift()?.();
    await new Promise<void>((done) =>
      get({ port, agent: false }, (response) => response.resume().on('end', done)),
    );
    await pause(20);
    expect(writer.pushed).toEqual([]);
  });
});
