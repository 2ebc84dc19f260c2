import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { context } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { contextOf, traceIdOf } from '../tracing/trace.hook.js';
import { ProblemException } from './problem.js';
import { pathOf, routeOf } from './route-of.js';
import { toProblem } from './to-problem.js';

/** Answers every error as `application/problem+json` (RFC 9457) and logs those that are not the client's fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.send(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Sends the problem; an answer that has begun already is cut off, so that nobody takes it for whole. */
  send(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const traceId = traceIdOf(request);
    const problem = { ...toProblem(error), instance: pathOf(request), ...(traceId && { traceId }) };
    if (problem.status >= 500) {
      const level = error instanceof ProblemException ? 'warn' : 'error';
      context.with(contextOf(request), () =>
        this.logger[level]({ err: error }, `${request.method} ${routeOf(request)} failed`),
      );
    }
    if (reply.raw.headersSent) {
      if (!reply.raw.writableEnded) {
        reply.raw.destroy();
      }
      return;
    }
    reply.code(problem.status).type('application/problem+json').send(problem);
  }
}
