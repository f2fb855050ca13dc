/** Routes of real frameworks, as their requests' series tell them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { type RunningAgent, register, unregister } from '../../agent/registration';
import { koaRoutes } from '../../agent/set-route';
import { openFastify } from '../../agent/sources/fastify';
import { openHttp } from '../../agent/sources/http';
import { describeWithFrameworks, framework } from '../frameworks/installed';
import { ask, listening, type Opened, watched } from './watched-http';

const SERIES = 'http.server.request.duration';

let closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.reverse()) close();
  closing = [];
});

function opened(): Opened {
  const source = watched([openHttp, openFastify]);
  closing.push(source.close);
  return source;
}

/** 'GET /users/:id 2xx' of every request so far. */
function told({ writer }: Opened): string[] {
  return writer.of(SERIES).map(({ series }) => {
    const words = series.split(' ');
    const after = (label: string) => (words.includes(label) ? words[words.indexOf(label) + 1] : '-');
    return `${after('http.request.method')} ${after('http.route')} ${after('http.response.status_class')}`;
  });
}

async function askAll(source: Opened, port: number, requests: readonly string[]): Promise<void> {
  for (const [index, line] of requests.entries()) {
    const [method, path] = line.split(' ');
    await ask(port, path!, method);
    await expect.poll(() => told(source).length).toBe(index + 1);
  }
}

for (const name of ['express4', 'express5']) {
  describeWithFrameworks(`Express (${name})`, () => {
    it('tells templates of routes and routers, and nothing of what has none', async () => {
      const source = opened();
      const express = framework(name);
      const app = express();
      app.get('/users/:id', (_: unknown, response: ServerResponse) => response.end('x'));
      app.get(/^\/by-(\d+)$/, (_: unknown, response: ServerResponse) => response.end('x'));
      app.get(['/a', '/b'], (_: unknown, response: ServerResponse) => response.end('x'));
      const shop = express.Router();
      shop.get('/', (_: unknown, response: ServerResponse) => response.end('x'));
      shop.post('/items/:item', (_: unknown, response: { status(code: number): ServerResponse }) =>
        response.status(201).end('x'),
      );
      shop.get('/broken', () => {
        throw new Error('broken');
      });
      app.use('/shop', shop);
      app.use('/tenants/:tenant', shop);
      app.use('/static', (request: IncomingMessage, response: ServerResponse, next: () => void) =>
        request.url === '/logo.png' ? response.end('x') : next(),
      );
      app.use((_: unknown, __: unknown, response: ServerResponse, ___: unknown) => {
        response.statusCode = 500;
        response.end('x');
      });
      const port = await listening(closable(createServer(app)));
      await askAll(source, port, [
        'GET /users/42?secret=1',
        'GET /by-7',
        'GET /b',
        'GET /shop',
        'POST /shop/items/9',
        'GET /tenants/17/items/9',
        'POST /tenants/17/items/9',
        'GET /shop/broken',
        'GET /static/logo.png',
        'GET /wp-admin/setup.php',
      ]);
      expect(told(source)).toEqual([
        'GET /users/:id 2xx',
        'GET /^\\/by-(\\d+)$/ 2xx',
        'GET /a|/b 2xx',
        'GET /shop 2xx',
        'POST /shop/items/:item 2xx',
        'GET - 4xx',
        'POST /tenants/:id/items/:item 2xx',
        'GET /shop/broken 5xx',
        'GET /static/* 2xx',
        'GET - 4xx',
      ]);
    });
  });
}

for (const name of ['fastify4', 'fastify5']) {
  describeWithFrameworks(`Fastify (${name})`, () => {
    it('tells templates, also of requests that a hook answers and of nested plugins', async () => {
      const source = opened();
      const fastify = framework(name)();
      fastify.addHook('onRequest', async (request: { url: string }, reply: FastifyReply) => {
        if (request.url.endsWith('denied')) return reply.code(401).send('no');
      });
      fastify.get('/users/:id', async () => 'x');
      fastify.register(
        async (shop: typeof fastify) => {
          shop.post('/items/:item', async (_: unknown, reply: FastifyReply) => reply.code(201).send('x'));
          shop.get('/broken', async () => {
            throw new Error('broken');
          });
        },
        { prefix: '/shop' },
      );
      await fastify.listen({ port: 0, host: '127.0.0.1' });
      closing.push(() => void fastify.close());
      const { port } = fastify.server.address();
      await askAll(source, port, [
        'GET /users/42?secret=1',
        'POST /shop/items/9',
        'GET /shop/broken',
        'GET /users/denied',
        'GET /nowhere/at/all',
      ]);
      expect(told(source)).toEqual([
        'GET /users/:id 2xx',
        'POST /shop/items/:item 2xx',
        'GET /shop/broken 5xx',
        'GET /users/:id 4xx',
        'GET - 4xx',
      ]);
    });

    it('is left alone when the agent has ended', async () => {
      const source = watched([openHttp, openFastify]);
      const fastify = framework(name)();
      fastify.get('/users/:id', async () => 'x');
      source.close();
      await fastify.listen({ port: 0, host: '127.0.0.1' });
      closing.push(() => void fastify.close());
      expect(await ask(fastify.server.address().port, '/users/42')).toBe(200);
      expect(told(source)).toEqual([]);
    });
  });
}

describeWithFrameworks('Koa', () => {
  it('tells templates of @koa/router by koaRoutes(), and paths without it', async () => {
    const source = opened();
    const agent = { setRoute: source.routes.set.bind(source.routes) } as unknown as RunningAgent;
    register(agent);
    closing.push(() => unregister(agent));
    const Koa = framework('koa');
    const router = new (framework('@koa/router').Router)();
    router.get('/users/:id', (context: { body: string }) => {
      context.body = 'x';
    });
    router.post('/broken/:id', () => {
      throw new Error('broken');
    });
    const shop = new (framework('@koa/router').Router)({ prefix: '/shop' });
    shop.get('/items/:item', async (context: { body: string }) => {
      await new Promise((done) => setTimeout(done, 5));
      context.body = 'x';
    });
    router.use(shop.routes());
    const app = new Koa({ silent: true });
    app.silent = true;
    app.use(koaRoutes());
    app.use(router.routes());
    const withRoutes = await listening(closable(createServer(app.callback())));
    await askAll(source, withRoutes, [
      'GET /users/ann',
      'POST /broken/ann',
      'GET /shop/items/pen',
      'GET /nowhere/ann',
    ]);
    const plain = new Koa();
    plain.use(router.routes());
    const without = await listening(closable(createServer(plain.callback())));
    await ask(without, '/users/7');
    await expect.poll(() => told(source)).toHaveLength(5);
    expect(told(source)).toEqual([
      'GET /users/:id 2xx',
      'POST /broken/:id 5xx',
      'GET /shop/items/:item 2xx',
      'GET - 4xx',
      'GET /users/:id 2xx',
    ]);
  });
});

type FastifyReply = { code(code: number): { send(text: string): unknown } };

function closable<T extends { close(): unknown; closeAllConnections(): void }>(server: T): T {
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}
