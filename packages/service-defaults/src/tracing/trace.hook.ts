import type { IncomingMessage } from 'node:http';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { routeOf } from '../http/route-of.js';

const contexts = new WeakMap<IncomingMessage, Context>();

/**
 * Runs every request inside a server span that continues the caller's trace (`traceparent` header), or
 * begins one. The answer names the span in its own `traceparent` header.
 */
export function traceRequests(server: FastifyInstance): void {
  const tracer = trace.getTracer('@millrace/service-defaults');

  server.addHook('onRequest', (request, reply, done) => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = tracer.startSpan(
      `${request.method} ${routeOf(request)}`,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': request.method, 'http.route': routeOf(request) },
      },
      caller,
    );
    const inner = trace.setSpan(caller, span);
    contexts.set(request.raw, inner);
    propagation.inject(inner, reply.raw, { set: (raw, name, value) => raw.setHeader(name, value) });
    context.with(inner, done);
  });

  server.addHook('onResponse', (request, reply, done) => {
    const span = trace.getSpan(contextOf(request));
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) {
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
    context.with(contextOf(request), done);
  });
}

/** The trace context of a request, also where the asynchronous one is lost. */
export function contextOf(request: FastifyRequest): Context {
  return contexts.get(request.raw) ?? ROOT_CONTEXT;
}

/** The trace id of a request, when it has one. */
export function traceIdOf(request: FastifyRequest): string | undefined {
  return trace.getSpanContext(contextOf(request))?.traceId;
}
