import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Middleware } from './middleware.js';

/** Runs each attempt in a consumer span that continues the trace of the record's W3C `traceparent` header. */
export function tracing(): Middleware {
  const tracer = trace.getTracer('@millrace/messaging');
  return ({ record, group }, next) => {
    const parent = propagation.extract(ROOT_CONTEXT, record.headers);
    const options = {
      kind: SpanKind.CONSUMER,
      // https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'process',
        'messaging.destination.name': record.topic,
        'messaging.destination.partition.id': String(record.partition),
        'messaging.kafka.offset': Number(record.offset),
        'messaging.consumer.group.name': group,
      },
    };
    return tracer.startActiveSpan(`process ${record.topic}`, options, parent, async (span) => {
      try {
        return await next();
      } catch (error) {
        span.recordException(error instanceof Error ? error : String(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  };
}
