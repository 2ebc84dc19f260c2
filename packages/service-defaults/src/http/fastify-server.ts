import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceConfig } from '../config/service.config.js';
import { answerClientError } from './client-error.js';
import type { ProblemFilter } from './problem.filter.js';

/** Fastify with the service's limits, whose own errors are problems as well. */
export function fastifyAdapter(config: ServiceConfig, problems: ProblemFilter): FastifyAdapter {
  const requestTimeout = config.REQUEST_TIMEOUT_MS;
  return new FastifyAdapter({
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout,
    // Node lowers its time for headers (60 s) only to a `requestTimeout` that it is created with, and
    // enforces neither while the time for headers is the longer one.
    http: { requestTimeout, connectionsCheckingInterval: Math.min(requestTimeout, 5_000) },
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      problems.send(error, request, reply),
  });
}
