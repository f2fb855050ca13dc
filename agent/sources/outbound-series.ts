/**
 * What is measured of requests to other servers: durations by method, address and how they ended; whether a connection was
 * used again; how many connections are open and how many requests wait for one. Addresses are bounded: those beyond share one.
 */
import { SeriesKind } from '../../assembly/layout';
import type { CoreWriter } from '../core';
import {
  CLIENT_ENDS,
  HTTP_METHODS,
  LABEL_ADDRESS,
  LABEL_CONNECTION_STATE,
  LABEL_LIBRARY,
  LABEL_METHOD,
  LABEL_PORT,
  LABEL_STATUS_CLASS,
  ROUTE_OTHER,
  SERIES_CLIENT_OPEN,
  SERIES_CLIENT_QUEUED,
  SERIES_CLIENT_USED,
  SERIES_HTTP_CLIENT,
} from '../wire/schema';
import { openDurations, openSeries, wholeMicros } from './source';

export const ADDRESSES_MAX = 100;
const COMBINATIONS_MAX = 500;
const ADDRESS_CHARS_MAX = 200;
const OTHER: Address = { host: ROUTE_OTHER, port: '' };

export type ClientEnd = (typeof CLIENT_ENDS)[number];
/** port: '' where there is none. */
export type Address = { host: string; port: string };
export type PoolFigures = { active: number; idle: number; queued: number };

const METHODS = new Map<unknown, number>(HTTP_METHODS.map((method, index) => [method, index]));

export class OutboundSeries {
  readonly #writer: CoreWriter;
  readonly #library: string;
  readonly #byAddress = new Map<string, number[]>();
  #connections: ReturnType<typeof openConnections> | null = null;
  #combinations = 0;

  /** library: who makes the connections, 'http' or 'undici'. */
  constructor(writer: CoreWriter, library: string) {
    this.#writer = writer;
    this.#library = library;
  }

  /** key: names the address; what it is, is asked when it is new. */
  ended(key: string, address: () => Address, method: unknown, end: ClientEnd, micros: number): void {
    const place = (METHODS.get(method) ?? 0) * CLIENT_ENDS.length + CLIENT_ENDS.indexOf(end);
    const series = this.#byAddress.get(key)?.[place] ?? this.#openDurations(key, address, place);
    this.#writer.recordInt(series, wholeMicros(micros));
  }

  used(reused: boolean): void {
    const { usedNew, usedAgain } = this.#openConnections();
    this.#writer.add(reused ? usedAgain : usedNew, 1);
  }

  pool(figures: PoolFigures): void {
    const { active, idle, queued } = this.#openConnections();
    this.#writer.set(active, figures.active);
    this.#writer.set(idle, figures.idle);
    this.#writer.set(queued, figures.queued);
  }

  /** Not before there is something to tell: many programs never ask anybody. */
  #openConnections(): ReturnType<typeof openConnections> {
    this.#connections ??= openConnections(this.#writer, this.#library);
    return this.#connections;
  }

  #openDurations(asked: string, address: () => Address, place: number): number {
    const isNew = !this.#byAddress.has(asked);
    const full = (isNew && this.#byAddress.size >= ADDRESSES_MAX) || this.#combinations >= COMBINATIONS_MAX;
    const key = full ? ROUTE_OTHER : asked;
    let ofAddress = this.#byAddress.get(key);
    if (ofAddress === undefined) {
      ofAddress = [];
      this.#byAddress.set(key, ofAddress);
    }
    const known = ofAddress[place];
    if (known !== undefined) return known;
    const { host, port } = full ? OTHER : address();
    const labels = [
      ...[LABEL_METHOD, HTTP_METHODS[Math.floor(place / CLIENT_ENDS.length)]!],
      ...[LABEL_ADDRESS, host.slice(0, ADDRESS_CHARS_MAX)],
      ...(port === '' ? [] : [LABEL_PORT, port]),
      ...[LABEL_STATUS_CLASS, CLIENT_ENDS[place % CLIENT_ENDS.length]!],
    ];
    ofAddress[place] = openDurations(this.#writer, SERIES_HTTP_CLIENT, labels);
    this.#combinations++;
    return ofAddress[place];
  }
}

function openConnections(writer: CoreWriter, library: string) {
  const of = [LABEL_LIBRARY, library];
  const open = (kind: SeriesKind, name: string, state: string) =>
    openSeries(writer, kind, name, [...of, LABEL_CONNECTION_STATE, state]);
  return {
    usedNew: open(SeriesKind.Counter, SERIES_CLIENT_USED, 'new'),
    usedAgain: open(SeriesKind.Counter, SERIES_CLIENT_USED, 'reused'),
    active: open(SeriesKind.Gauge, SERIES_CLIENT_OPEN, 'active'),
    idle: open(SeriesKind.Gauge, SERIES_CLIENT_OPEN, 'idle'),
    queued: openSeries(writer, SeriesKind.Gauge, SERIES_CLIENT_QUEUED, of),
  };
}

/** By the class of its status. */
export function endOfStatus(status: number): ClientEnd {
  return CLIENT_ENDS[Math.min(5, Math.max(1, Math.floor(status / 100)))]!;
}

/** By the error that ended it. */
export function endOfError(error: unknown): ClientEnd {
  const { name, code } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
  };
  if (name === 'TimeoutError' || (typeof code === 'string' && /TIMEOUT|TIMEDOUT/.test(code)))
    return 'timeout';
  return name === 'AbortError' || code === 'ABORT_ERR' || code === 'UND_ERR_ABORTED' ? 'aborted' : 'error';
}
