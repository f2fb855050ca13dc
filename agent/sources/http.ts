/**
 * Requests to this program's node:http servers, through diagnostics channels. A request is counted exactly once:
 * when its response has finished, or, because an aborted one never finishes, when its socket closes with it open.
 * Open requests are kept per socket, weakly, so that a pipelined request that never got its turn counts as well.
 * Sockets are watched from when a server accepts them: how many come and go, and how many requests one carries.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HttpRequestBits, RecordKind, SeriesKind } from '../../assembly/layout';
import type { CoreWriter } from '../core';
import type { LabelContext } from '../label-context';
import type { RequestRoutes } from '../routes/request-routes';
import {
  HTTP_METHODS,
  SERIES_CONNECTION_REQUESTS,
  SERIES_CONNECTIONS_CLOSED,
  SERIES_CONNECTIONS_OPENED,
} from '../wire/schema';
import { listen } from './host-listener';
import { RequestSeries } from './request-series';
import { openSeries, pushRecord, type SourceContext, wholeMicros } from './source';

const SOCKET_ACCEPTED = 'net.server.socket';
const REQUEST_START = 'http.server.request.start';
const RESPONSE_FINISH = 'http.server.response.finish';
/** Every how many calls the callbacks are timed: a clock read costs as much as the rest of them. */
const TIMED_EVERY_CALLS = 16;

type SocketMessage = { socket: Socket };
type ServerMessage = { request: IncomingMessage; response: ServerResponse; socket: Socket };
/** open: requests without an end yet, with their starts, µs. accepted: seen when a server took it (TLS ends in another). */
type Connection = { open: Map<ServerResponse, number>; requests: number; accepted: boolean };

/** labels: told of every request, so that samples get its route; null where nobody asked for that. */
export function openHttp(
  { writer, guard, nowMicros }: SourceContext,
  routes: RequestRoutes,
  labels: LabelContext | null = null,
): () => void {
  const series = new RequestSeries(writer);
  /** Not before there is a server: many programs have none. */
  let churnKnown: ReturnType<typeof openChurn> | null = null;
  const churn = () => {
    churnKnown ??= openChurn(writer);
    return churnKnown;
  };
  const methods = new Map<string | undefined, number>(HTTP_METHODS.map((method, index) => [method, index]));
  const connections = new WeakMap<Socket, Connection>();
  /** By the number that labels know them by. */
  const numbers = new WeakMap<ServerResponse, number>();

  const record = (response: ServerResponse, startMicros: number, status: number, abortedBit: number) => {
    const durationMicros = nowMicros() - startMicros;
    const { req } = response;
    const method = methods.get(req.method) ?? 0;
    const statusClass = abortedBit === 0 ? Math.min(5, Math.floor(status / 100)) : 0;
    const durations = series.of(method, routes.of(req, status), statusClass);
    writer.recordInt(durations, wholeMicros(durationMicros));
    const bits = (status & HttpRequestBits.StatusMask) | (method << HttpRequestBits.MethodShift) | abortedBit;
    pushRecord(writer, RecordKind.HttpServer, bits, durations, startMicros, durationMicros);
    const number = numbers.get(response) ?? 0;
    if (number !== 0) pushRecord(writer, RecordKind.LabelledRequest, number, durations, startMicros, 0);
  };

  const watch = (socket: Socket, accepted: boolean): Connection => {
    const connection = { open: new Map(), requests: 0, accepted };
    connections.set(socket, connection);
    listen(socket, 'close', onSocketClose as () => void);
    return connection;
  };

  const onAccepted = guard.wrap(({ socket }: SocketMessage) => {
    watch(socket, true);
    writer.add(churn().opened, 1);
  }, TIMED_EVERY_CALLS);

  const onStart = guard.wrap(({ response, socket }: ServerMessage) => {
    const connection = connections.get(socket) ?? watch(socket, false);
    connection.requests++;
    connection.open.set(response, nowMicros());
    if (labels !== null) numbers.set(response, labels.beginRequest());
  }, TIMED_EVERY_CALLS);

  const onFinish = guard.wrap(({ response, socket }: ServerMessage) => {
    const open = connections.get(socket)?.open;
    const startMicros = open?.get(response);
    if (open === undefined || startMicros === undefined) return;
    open.delete(response);
    record(response, startMicros, response.statusCode, 0);
  }, TIMED_EVERY_CALLS);

  const onClosed = guard.wrap((socket: Socket) => {
    const connection = connections.get(socket);
    connections.delete(socket);
    if (connection === undefined || !guard.open) return;
    if (connection.accepted) writer.add(churn().closed, 1);
    if (connection.requests > 0) writer.recordInt(churn().requestsEach, connection.requests);
    for (const [response, startMicros] of connection.open) {
      record(response, startMicros, response.headersSent ? response.statusCode : 0, HttpRequestBits.Aborted);
    }
  }, TIMED_EVERY_CALLS);
  function onSocketClose(this: Socket): void {
    onClosed(this);
  }

  const subscriptions: [channel: string, onMessage: (message: unknown) => void][] = [
    [SOCKET_ACCEPTED, (message) => onAccepted(message as SocketMessage)],
    [REQUEST_START, (message) => onStart(message as ServerMessage)],
    [RESPONSE_FINISH, (message) => onFinish(message as ServerMessage)],
  ];
  for (const [channel, onMessage] of subscriptions) subscribe(channel, onMessage);
  return () => {
    for (const [channel, onMessage] of subscriptions) unsubscribe(channel, onMessage);
  };
}

function openChurn(writer: CoreWriter) {
  return {
    opened: openSeries(writer, SeriesKind.Counter, SERIES_CONNECTIONS_OPENED),
    closed: openSeries(writer, SeriesKind.Counter, SERIES_CONNECTIONS_CLOSED),
    requestsEach: openSeries(writer, SeriesKind.Histogram, SERIES_CONNECTION_REQUESTS),
  };
}
