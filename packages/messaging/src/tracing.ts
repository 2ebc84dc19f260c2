import { context, propagation } from '@opentelemetry/api';

/** The active trace context as a W3C `traceparent`; null outside a trace, or where no propagator is registered. */
export function activeTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}
