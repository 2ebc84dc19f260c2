import type { FastifyRequest } from 'fastify';

/** The template of a request's route, for example `/orders/:id`; `unmatched` where no route fits. */
export function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
}

/** The path of a request's URL, without the query, which may hold personal data. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
