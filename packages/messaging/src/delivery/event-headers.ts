import type { AnyEventContract } from '@millrace/schemas';
import { activeTraceparent } from '../tracing.js';
import { uuidV7 } from '../uuid-v7.js';

/** An event's record headers, as Debezium writes them from an outbox row. */
export function eventHeaders(contract: AnyEventContract, eventId = uuidV7()): Record<string, string> {
  const traceparent = activeTraceparent();
  return { id: eventId, eventType: contract.name, ...(traceparent !== null && { traceparent }) };
}
