/**
 * The histograms of server requests, by method, route and status class; each is made when the first request ends so. Routes
 * that come when there are enough, and new combinations beyond all bounds, go to one route of their own.
 */
import type { CoreWriter } from '../core';
import {
  HTTP_METHODS,
  LABEL_METHOD,
  LABEL_ROUTE,
  LABEL_STATUS_CLASS,
  ROUTE_OTHER,
  SERIES_HTTP_SERVER,
  STATUS_CLASSES,
} from '../wire/schema';
import { openDurations } from './source';

export const ROUTES_MAX = 200;
/** Of the 2048 that a thread may have: the program's own need room, too. */
const COMBINATIONS_MAX = 1000;

export class RequestSeries {
  readonly #writer: CoreWriter;
  readonly #routes = new Map<string, number[]>();
  #combinations = 0;

  constructor(writer: CoreWriter) {
    this.#writer = writer;
  }

  /** method: index of HTTP_METHODS. statusClass: index of STATUS_CLASSES. route: '' for none. */
  of(method: number, route: string, statusClass: number): number {
    const place = method * STATUS_CLASSES.length + statusClass;
    return this.#routes.get(route)?.[place] ?? this.#open(method, route, statusClass, place);
  }

  #open(method: number, asked: string, statusClass: number, place: number): number {
    const isNew = !this.#routes.has(asked);
    const full = (isNew && this.#routes.size >= ROUTES_MAX) || this.#combinations >= COMBINATIONS_MAX;
    const route = full && asked !== '' ? ROUTE_OTHER : asked;
    let series = this.#routes.get(route);
    if (series === undefined) {
      series = [];
      this.#routes.set(route, series);
    }
    const known = series[place];
    if (known !== undefined) return known;
    const labels = [
      LABEL_METHOD,
      HTTP_METHODS[method]!,
      ...(route === '' ? [] : [LABEL_ROUTE, route]),
      LABEL_STATUS_CLASS,
      STATUS_CLASSES[statusClass] ?? '5xx',
    ];
    series[place] = openDurations(this.#writer, SERIES_HTTP_SERVER, labels);
    this.#combinations++;
    return series[place];
  }
}
