import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Delivery, Outcome } from '../delivery/delivery.js';
import { activeTraceparent } from '../tracing.js';
import { tracing } from './tracing.middleware.js';

const spans = new InMemorySpanExporter();
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  );
});
afterAll(() => {
  context.disable();
  propagation.disable();
  trace.disable();
});
beforeEach(() => spans.reset());

function delivery(headers: Record<string, string>): Delivery {
  const { signal } = new AbortController();
  const position = { topic: 'order.events', partition: 3, offset: 42n };
  const record = { ...position, key: null, value: null, headers, timestamp: new Date() };
  return { record, group: 'order-service', signal, stopping: signal };
}

const handled: Outcome = { kind: 'handled', type: 'x.Y' };

test("handles the record in a consumer span of the producer's trace, which what it writes carries on", async () => {
  let written: string | null = null;
  const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` };
  const outcome = await tracing()(delivery(headers), async () => {
    await Promise.resolve();
    written = activeTraceparent();
    return handled;
  });
  expect(outcome).toBe(handled);
  const [span] = spans.getFinishedSpans();
  expect(span).toMatchObject({
    name: 'process order.events',
    kind: SpanKind.CONSUMER,
    parentSpanContext: { traceId: TRACE_ID, spanId: PARENT_ID },
    attributes: { 'messaging.consumer.group.name': 'order-service', 'messaging.kafka.offset': 42 },
  });
  expect(written).toBe(`00-${TRACE_ID}-${span?.spanContext().spanId}-01`);
});

test.each([{}, { traceparent: 'nonsense' }])(
  'begins a trace where the record has none: %o',
  async (headers) => {
    await tracing()(delivery(headers), async () => handled);
    const [span] = spans.getFinishedSpans();
    expect(span?.parentSpanContext).toBeUndefined();
  },
);

test('marks the span of a failed attempt, and lets the failure through', async () => {
  const failure = new TypeError('boom');
  await expect(tracing()(delivery({}), () => Promise.reject(failure))).rejects.toBe(failure);
  const [span] = spans.getFinishedSpans();
  expect(span?.status.code).toBe(SpanStatusCode.ERROR);
  expect(span?.events[0]?.attributes).toMatchObject({ 'exception.message': 'boom' });
});
