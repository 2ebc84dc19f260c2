import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { pathOf, routeOf } from '../http/route-of.js';

/** Asked every few seconds by machines: worth a line only when something is being looked for. */
const routine = /^\/(health|metrics|docs|openapi\.json)(\/|$)/;

/** One line for each answered request, with route, status and duration. */
export function logRequests(server: FastifyInstance, logger: Logger): void {
  server.addHook('onResponse', (request, reply, done) => {
    const path = pathOf(request);
    logger[routine.test(path) ? 'debug' : 'info'](
      {
        method: request.method,
        path,
        route: routeOf(request),
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime * 100) / 100,
      },
      'request answered',
    );
    done();
  });
}
