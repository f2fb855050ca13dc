/**
 * Requests to this program's node:http servers, through diagnostics channels. A request is counted exactly once:
 * when its response has finished, or, because an aborted one never finishes, when its socket closes with it open.
 * Open requests are kept per socket, weakly, so that a pipelined request that never got its turn counts as well.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RecordKind } from '../../assembly/layout';
import { HTTP_METHODS, LABEL_STATUS_CLASS, SERIES_HTTP_SERVER, STATUS_CLASSES } from '../wire/schema';
import { openDurations, pushRecord, type SourceContext, wholeMicros } from './source';

const REQUEST_START = 'http.server.request.start';
const RESPONSE_FINISH = 'http.server.response.finish';
const ABORTED = 1 << 8;
/** Every how many calls the callbacks are timed: a clock read costs as much as the rest of them. */
const TIMED_EVERY_CALLS = 16;

type ServerMessage = { request: IncomingMessage; response: ServerResponse; socket: Socket };
/** Open requests of one socket with their starts, µs. */
type OpenRequests = Map<ServerResponse, number>;

/** Our `close` listener must not be the one that Node warns of; the response adds its own after it. */
function makeRoom(socket: Socket): void {
  const max = socket.getMaxListeners();
  if (max > 0 && socket.listenerCount('close') + 1 >= max) socket.setMaxListeners(max + 1);
}

export function openHttp({ writer, guard, nowMicros }: SourceContext): () => void {
  /** One histogram a way to end; a class gets its own when the first request ends so. */
  const durations: number[] = [];
  const durationsOf = (statusClass: number): number => {
    const known = durations[statusClass];
    if (known !== undefined) return known;
    const labels = [LABEL_STATUS_CLASS, STATUS_CLASSES[statusClass] ?? '5xx'];
    const opened = openDurations(writer, SERIES_HTTP_SERVER, labels);
    durations[statusClass] = opened;
    return opened;
  };
  const methods = new Map<string | undefined, number>(HTTP_METHODS.map((method, index) => [method, index]));
  const openBySocket = new WeakMap<Socket, OpenRequests>();

  const record = (response: ServerResponse, startMicros: number, status: number, abortedBit: number) => {
    const durationMicros = nowMicros() - startMicros;
    const method = methods.get(response.req?.method) ?? 0;
    const statusClass = abortedBit === 0 ? Math.min(5, Math.floor(status / 100)) : 0;
    writer.recordInt(durationsOf(statusClass), wholeMicros(durationMicros));
    pushRecord(writer, RecordKind.HttpServer, status, method | abortedBit, startMicros, durationMicros);
  };

  const onStart = guard.wrap(({ response, socket }: ServerMessage) => {
    let open = openBySocket.get(socket);
    if (open === undefined) {
      open = new Map();
      openBySocket.set(socket, open);
      makeRoom(socket);
      socket.on('close', onSocketClose);
    }
    open.set(response, nowMicros());
  }, TIMED_EVERY_CALLS);

  const onFinish = guard.wrap(({ response, socket }: ServerMessage) => {
    const open = openBySocket.get(socket);
    const startMicros = open?.get(response);
    if (open === undefined || startMicros === undefined) return;
    open.delete(response);
    record(response, startMicros, response.statusCode, 0);
  }, TIMED_EVERY_CALLS);

  const onClosed = guard.wrap((socket: Socket) => {
    const open = openBySocket.get(socket);
    openBySocket.delete(socket);
    if (open === undefined || !guard.open) return;
    for (const [response, startMicros] of open) {
      record(response, startMicros, response.headersSent ? response.statusCode : 0, ABORTED);
    }
  });
  function onSocketClose(this: Socket): void {
    onClosed(this);
  }

  const started = (message: unknown) => onStart(message as ServerMessage);
  const finished = (message: unknown) => onFinish(message as ServerMessage);
  subscribe(REQUEST_START, started);
  subscribe(RESPONSE_FINISH, finished);
  return () => {
    unsubscribe(REQUEST_START, started);
    unsubscribe(RESPONSE_FINISH, finished);
  };
}
