/**
 * Routes of Fastify. Its `fastify.initialization` channel hands over each new instance so that hooks can be added, which is
 * what its documentation has it for: nothing is patched. The hook runs first of all, so that a request that another hook
 * answers has its route, too. Instances from before the agent have none.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { RequestRoutes } from '../routes/request-routes';
import type { SourceContext } from './source';

const INITIALIZATION = 'fastify.initialization';
const TIMED_EVERY_CALLS = 16;

/** routerPath: before Fastify 4.10. */
type FastifyRequest = { raw: IncomingMessage; routeOptions?: { url?: unknown }; routerPath?: unknown };
type FastifyHook = (request: FastifyRequest, reply: unknown, done: () => void) => void;
type InitializationMessage = { fastify: { addHook(name: 'onRequest', hook: FastifyHook): void } };

export function openFastify({ guard }: SourceContext, routes: RequestRoutes): () => void {
  const onRequest = guard.wrap((request: FastifyRequest) => {
    if (!guard.open) return;
    const url = 'routeOptions' in request ? request.routeOptions?.url : request.routerPath;
    routes.set(request.raw, typeof url === 'string' ? url : '');
  }, TIMED_EVERY_CALLS);

  const onInstance = guard.wrap(({ fastify }: InitializationMessage) => {
    fastify.addHook('onRequest', (request, _reply, done) => {
      onRequest(request);
      done();
    });
  });

  const onMessage = (message: unknown) => onInstance(message as InitializationMessage);
  subscribe(INITIALIZATION, onMessage);
  return () => {
    unsubscribe(INITIALIZATION, onMessage);
  };
}
