/**
 * Which route a finished request belongs to, without patching any framework. In this order:
 *
 *   1. what setRoute() said, or the Fastify source, or koaRoutes()
 *   2. Express: the request itself carries it (express-route.ts)
 *   3. else its path as a template (RINGTAIL_HTTP_PATHS=0 for none); answers of 400 to 499 only find templates that others
 *      made, lest whoever probes a server fills the table
 *
 * Everything read here belongs to the host program: it may be missing, of any type, or throw.
 */
import type { IncomingMessage } from 'node:http';
import { ExpressRoutes, pathText } from './express-route';
import { PathTemplates } from './path-template';

export const ROUTE_CHARS_MAX = 200;

/** A template; a function is asked when the request has ended. '' says: it has none, and its path is not one. */
export type GivenRoute = string | (() => unknown);

export class RequestRoutes {
  readonly #given = new WeakMap<object, GivenRoute>();
  #anyGiven = false;
  readonly #express = new ExpressRoutes();
  readonly #paths: PathTemplates | null;

  constructor(withPaths: boolean) {
    this.#paths = withPaths ? new PathTemplates() : null;
  }

  set(request: object, route: GivenRoute): void {
    this.#given.set(request, route);
    this.#anyGiven = true;
  }

  /** The template, or '' when there is none. status: 0 when the request ended before its headers. Never throws. */
  of(request: IncomingMessage, status: number): string {
    try {
      const given = this.#anyGiven ? this.#given.get(request) : undefined;
      if (given !== undefined) return cut(pathText(typeof given === 'string' ? given : given()));
      const express = this.#express.of(request, status);
      return express === null ? this.#ofPath(request, status) : cut(express);
    } catch {
      return '';
    }
  }

  #ofPath({ url }: IncomingMessage, status: number): string {
    if (this.#paths === null || typeof url !== 'string') return '';
    return this.#paths.of(url, !(status >= 400 && status < 500));
  }
}

function cut(route: string): string {
  return route.length > ROUTE_CHARS_MAX ? `${route.slice(0, ROUTE_CHARS_MAX - 1)}…` : route;
}
