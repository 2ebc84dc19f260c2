import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { TracerProvider } from '@opentelemetry/sdk-trace';

let started = false;

/**
 * Makes `@opentelemetry/api` work in this process: the active context follows asynchronous calls, and
 * `propagation.inject` and `extract` speak W3C Trace Context (https://www.w3.org/TR/trace-context/).
 * Spans are given ids but exported nowhere. Calling it again changes nothing.
 */
export function startTracing(): void {
  if (started) {
    return;
  }
  started = true;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(new TracerProvider());
}
