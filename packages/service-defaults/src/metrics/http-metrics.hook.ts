import type { FastifyInstance } from 'fastify';
import { Histogram, type Registry } from 'prom-client';
import { isEventStream } from '../http/in-flight-requests.js';
import { routeOf } from '../http/route-of.js';

const NAME = 'http_server_request_duration_seconds';

/**
 * Measures each request by method, route template and status: labels whose number is bounded by the
 * routes, not by what clients send. Event streams last as long as the client likes and are left out.
 */
export function measureRequests(server: FastifyInstance, registry: Registry): void {
  const known = registry.getSingleMetric(NAME) as Histogram | undefined;
  const duration = known ?? histogram(registry);
  server.addHook('onResponse', (request, reply, done) => {
    if (!isEventStream(reply.raw)) {
      const labels = { method: request.method, route: routeOf(request), status: reply.statusCode };
      duration.observe(labels, reply.elapsedTime / 1000);
    }
    done();
  });
}

function histogram(registry: Registry): Histogram {
  return new Histogram({
    name: NAME,
    help: 'Time from the first byte of a request to the last byte of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
}
