/** Templates of paths, and what a request is asked for its route. */
import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathTemplates } from '../../agent/routes/path-template';
import { RequestRoutes } from '../../agent/routes/request-routes';
import { RequestSeries, ROUTES_MAX } from '../../agent/sources/request-series';
import { RecordingWriter } from './recording-writer';

const requestOf = (members: object) => members as IncomingMessage;

describe('PathTemplates', () => {
  it.each([
    ['/', '/'],
    ['//', '/'],
    ['/users', '/users'],
    ['/users/', '/users'],
    ['/users/42', '/users/:id'],
    ['/users/42/orders?word=secret', '/users/:id/orders'],
    ['/?secret', '/'],
    ['/v1/user-groups/8f14e45f-ceea-467f-a8f4-5d1c8b2a9e6b', '/v1/user-groups/:id'],
    ['/files/9f86d081884c7d659a2feaa0c55ad015', '/files/:id'],
    ['/mail/ann@example.org', '/mail/:id'],
    ['/caf%C3%A9', '/:id'],
    ['/static/app.js', '/static/:id'],
    ['/a/b/c/d/e/f/g/h', '/a/b/c/d/e/f/*'],
    ['http://proxied.example/users', ''],
    ['*', ''],
    ['', ''],
  ])('makes %s to %s', (path, template) => {
    expect(new PathTemplates().of(path, true)).toBe(template);
  });

  it('takes words for names where one place has too many of them', () => {
    const templates = new PathTemplates();
    const word = (n: number) => `name${String.fromCharCode(97 + Math.floor(n / 26), 97 + (n % 26))}`;
    const seen = new Set<string>();
    for (let n = 0; n < 100; n++) seen.add(templates.of(`/users/${word(n)}/orders`, true));
    expect(seen.size).toBe(33);
    expect(templates.of('/users/somebody/orders', true)).toBe('/users/:id/orders');
  });

  it('learns nothing from a path that may not be learnt', () => {
    const templates = new PathTemplates();
    expect(templates.of('/admin/login', false)).toBe('');
    templates.of('/users/42', true);
    expect(templates.of('/users/7', false)).toBe('/users/:id');
    expect(templates.of('/users/nobody', false)).toBe('/users/:id');
    expect(templates.of('/admin/login', false)).toBe('');
  });

  it('is bounded, has no digit of the path and never the query, whatever the path', () => {
    const templates = new PathTemplates();
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.webPath(), fc.string(), (path, query) => {
        const template = templates.of(`${path}?${query}`, true);
        seen.add(template);
        expect(template.replace(/\/v\d{1,2}(?=\/|$)/g, '')).not.toMatch(/[\d?@%]/);
        expect(templates.of(path, true)).toBe(template);
      }),
      { numRuns: 3000 },
    );
    expect(seen.size).toBeLessThanOrEqual(2001);
  });
});

describe('RequestRoutes', () => {
  it('prefers what was said of a request to what it carries and to its path', () => {
    const routes = new RequestRoutes(true);
    const request = requestOf({ url: '/a', route: { path: '/b' } });
    expect(routes.of(request, 200)).toBe('/b');
    routes.set(request, '/said');
    expect(routes.of(request, 200)).toBe('/said');
    routes.set(request, () => '/asked');
    expect(routes.of(request, 200)).toBe('/asked');
    routes.set(request, '');
    expect(routes.of(request, 200)).toBe('');
  });

  it('tells no path when that is switched off', () => {
    expect(new RequestRoutes(false).of(requestOf({ url: '/a' }), 200)).toBe('');
  });

  it('finds where a router was mounted although an error has left it', () => {
    const routes = new RequestRoutes(true);
    const request = (path: unknown, originalUrl: string) =>
      requestOf({ baseUrl: '', originalUrl, route: { path } });
    expect(routes.of(request('/items/:item', '/shop/12/ITEMS/9?x'), 500)).toBe('/shop/:id/items/:item');
    expect(routes.of(request('/', '/shop'), 500)).toBe('/shop');
    expect(routes.of(request('/users/:id', '/users/9'), 500)).toBe('/users/:id');
    expect(routes.of(request('/files/*rest', '/shop/files/a/b'), 500)).toBe('/files/*rest');
    expect(routes.of(request('/other/:id', '/shop/users/9'), 500)).toBe('/other/:id');
  });

  it('survives whatever a request carries', () => {
    const routes = new RequestRoutes(true);
    const thrower = Object.defineProperty({}, 'route', {
      get() {
        throw new Error('a getter of the host');
      },
    });
    expect(routes.of(requestOf(thrower), 200)).toBe('');
    expect(routes.of(requestOf({ route: { path: { toString: () => 'x' } } }), 200)).toBe('');
    expect(routes.of(requestOf({ url: 7 }), 200)).toBe('');
    const long = requestOf({ route: { path: `/${'x'.repeat(500)}` } });
    expect(routes.of(long, 200)).toHaveLength(200);
    const throws = requestOf({ url: '/a' });
    routes.set(throws, () => {
      throw new Error('as Koa could');
    });
    expect(routes.of(throws, 200)).toBe('');
  });
});

describe('RequestSeries', () => {
  it('has one series a method, route and class, and one route for all that come when there are enough', () => {
    const writer = new RecordingWriter();
    const series = new RequestSeries(writer);
    const first = series.of(1, '/a', 2);
    expect(series.of(1, '/a', 2)).toBe(first);
    expect(new Set([first, series.of(2, '/a', 2), series.of(1, '/a', 5), series.of(1, '', 2)]).size).toBe(4);
    for (let n = 0; n < 1000; n++) series.of(1, `/r${n}`, 2);
    expect(series.of(1, '/late', 2)).toBe(series.of(1, '/later', 2));
    const nameOf = (handle: number) => writer.names[handle - 1];
    expect(nameOf(series.of(1, '/late', 2))).toMatch(
      /http\.request\.method GET http\.route \(other\) .* 2xx$/,
    );
    expect(nameOf(series.of(1, '/r10', 2))).toContain('/r10');
    expect(nameOf(series.of(3, '', 2))).not.toContain('http.route');
    const routes = new Set(writer.names.map((name) => /http\.route (\S+)/.exec(name)?.[1] ?? ''));
    expect(routes.size).toBe(ROUTES_MAX + 1);
  });

  it('bounds combinations, too', () => {
    const writer = new RecordingWriter();
    const series = new RequestSeries(writer);
    for (let route = 0; route < 150; route++)
      for (let method = 0; method < 10; method++)
        for (let end = 0; end < 6; end++) series.of(method, `/r${route}`, end);
    expect(writer.names.length).toBeLessThanOrEqual(1060);
  });
});
