/** The HTTP source over a recording writer, and real servers and requests for it. */
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { RequestRoutes } from '../../agent/routes/request-routes';
import { SourceGuard } from '../../agent/source-guard';
import type { SourceContext } from '../../agent/sources/source';
import { RecordingWriter } from './recording-writer';

export type Opened = { writer: RecordingWriter; routes: RequestRoutes; close: () => void };

/** Opens sources; close() expects that none of them failed. */
export function watched(
  opens: readonly ((context: SourceContext, routes: RequestRoutes) => () => void)[],
  withPaths = true,
): Opened {
  const writer = new RecordingWriter();
  const control = new ControlPage();
  const routes = new RequestRoutes(withPaths);
  const guards = opens.map((open) => {
    const guard = new SourceGuard('test', control, nowMicros);
    guard.opened(open({ writer, control, guard, nowMicros }, routes));
    return guard;
  });
  const close = () => {
    for (const guard of guards) guard.close();
    expect(control.hostFaults).toBe(0);
  };
  return { writer, routes, close };
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

export function serverOf(listener: RequestListener): Server {
  return createServer(listener);
}

/** Status of the answer, its body read. */
export function ask(port: number, path: string, method = 'GET'): Promise<number> {
  return new Promise((done, failed) => {
    const asked = request({ port, path, method, host: '127.0.0.1', agent: false }, (answer) =>
      read(answer).then(done, failed),
    );
    asked.on('error', failed).end();
  });
}

export function read(answer: IncomingMessage): Promise<number> {
  return new Promise((done) => answer.resume().on('end', () => done(answer.statusCode ?? 0)));
}
