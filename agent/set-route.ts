/**
 * Routes that programs tell by themselves: setRoute() for any server, koaRoutes() for Koa, which keeps its routes where no
 * request shows them. Without an agent in this thread both do nothing.
 */
import { isText } from './options';
import { refuse } from './refusal';
import { runningAgent } from './registration';
import { type GivenRoute, ROUTE_CHARS_MAX } from './routes/request-routes';

/** What carries an IncomingMessage: Fastify's request (raw), Koa's context (req). */
type Carrier = { raw?: unknown; req?: unknown };
/** matched: by @koa/router. */
type KoaContext = { req: object; _matchedRoute?: unknown; routerPath?: unknown };

/**
 * Says which route a server request belongs to, as a template: `setRoute(request, '/users/:id')`. request: node:http's
 * IncomingMessage, or a framework's request or context that has it as `raw` or `req`. '' says that it has no route.
 * Templates must be few: those beyond 200 in a process count as `(other)`.
 */
export function setRoute(request: object, route: string): void {
  try {
    if (route === '' || isText(route, ROUTE_CHARS_MAX)) tell(messageOf(request), route);
    else refuse('route', `a route must be a text of at most ${ROUTE_CHARS_MAX} printable characters`, route);
  } catch {
    refuse('request', 'setRoute() takes a request of node:http or what carries it as raw or req', request);
  }
}

/** A middleware that tells the routes of @koa/router: `app.use(koaRoutes())`, before the router. */
export function koaRoutes(): <T>(context: object, next: () => T) => T {
  return (context, next) => {
    try {
      const koa = context as KoaContext;
      tell(koa.req, () => koa._matchedRoute ?? koa.routerPath ?? '');
    } catch {
      // Then its requests have no route.
    }
    return next();
  };
}

function tell(request: object, route: GivenRoute): void {
  runningAgent()?.setRoute(request, route);
}

function messageOf(request: object): object {
  const { raw, req } = request as Carrier;
  const carried = raw ?? req;
  return typeof carried === 'object' && carried !== null ? carried : request;
}
