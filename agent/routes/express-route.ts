/**
 * The template of a request that Express (or a router with its habits) has matched: where the router is mounted, and the
 * path of the route. The request carries both when its response ends, but for one case: an error that left the router took
 * the mount along. Then it is what of the request's own path stands before the part that the route matched.
 */
import type { IncomingMessage } from 'node:http';
import { types } from 'node:util';
import { PathTemplates } from './path-template';

const TEMPLATES_PER_ROUTE_MAX = 64;
/** Strings whose parts are what they match, or `:name` for one part. */
const SIMPLE = /^(?:\/(?::\w+|[\w.-]+))*\/?$/;

type ExpressRequest = IncomingMessage & {
  route?: unknown;
  baseUrl?: unknown;
  originalUrl?: unknown;
  app?: unknown;
};

export class ExpressRoutes {
  /** Templates of a route object, by where it is mounted. */
  readonly #templates = new WeakMap<object, Map<string, string>>();
  readonly #mounts = new PathTemplates();

  /** null when the request is none of Express's, '' when it has no template. May throw what the host's objects throw. */
  of(request: ExpressRequest, status: number): string | null {
    const { route, baseUrl } = request;
    const mount = typeof baseUrl === 'string' ? baseUrl : '';
    if (typeof route === 'object' && route !== null) return this.#ofRoute(request, route, mount, status);
    if (typeof request.app !== 'function') return null;
    // Answered by what is mounted there and has no routes, as static files are.
    return mount === '' || (status >= 400 && status < 500) ? '' : `${this.#mounts.of(mount, true)}/*`;
  }

  #ofRoute({ originalUrl }: ExpressRequest, route: object, mountSeen: string, status: number): string {
    const { path } = route as { path?: unknown };
    const left = mountSeen === '' && status >= 400 && typeof path === 'string' && SIMPLE.test(path);
    const mount = left ? mountBefore(originalUrl, path) : mountSeen;
    let templates = this.#templates.get(route);
    if (templates === undefined) {
      templates = new Map();
      this.#templates.set(route, templates);
    }
    const known = templates.get(mount);
    if (known !== undefined) return known;
    // The mount is a part of this request's path and no pattern.
    const base = mount === '' ? '' : this.#mounts.of(mount, true);
    const template = base !== '' && path === '/' ? base : base + pathText(path);
    if (templates.size < TEMPLATES_PER_ROUTE_MAX) templates.set(mount, template);
    return template;
  }
}

/** Express takes strings, regular expressions and lists of both. */
export function pathText(path: unknown): string {
  if (typeof path === 'string') return path;
  if (types.isRegExp(path)) return `/${path.source}/`;
  return Array.isArray(path) ? path.map(pathText).join('|') : '';
}

/** What of a URL's path stands before the parts that `path` matched; '' when they are not at its end. */
function mountBefore(url: unknown, path: string): string {
  if (typeof url !== 'string') return '';
  const parts = partsOf(url.split('?', 1)[0]!);
  const matched = partsOf(path);
  const from = parts.length - matched.length;
  if (from <= 0) return '';
  const fits = matched.every(
    (part, index) => part.startsWith(':') || part.toLowerCase() === parts[from + index]!.toLowerCase(),
  );
  return fits ? `/${parts.slice(0, from).join('/')}` : '';
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}
