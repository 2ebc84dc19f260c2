import { type Codec, contractsByName } from '../codec/index.js';
import type { EventHandler, MessageContext } from '../message-bus.js';
import { type Delivery, describePosition, type IncomingRecord, type Outcome } from './delivery.js';

/** The end of the chain: decodes the record and calls the handler of its type, by the schema's full name. */
export function dispatcher(codec: Codec, handlers: readonly EventHandler[]) {
  const routes = new Map<string, ReturnType<typeof route>>();
  for (const topic of new Set(handlers.map(({ contract }) => contract.topic)))
    routes.set(topic, route(handlers.filter(({ contract }) => contract.topic === topic)));

  return async ({ record, signal }: Delivery): Promise<Outcome> => {
    if (record.unreadable) throw record.unreadable;
    const topic = routes.get(record.topic);
    if (!topic) return { kind: 'passed-over', why: 'not-subscribed' };
    const decoded = await codec.decode(record.value, topic.contracts);
    if (decoded.kind !== 'event') return { kind: 'passed-over', why: decoded.kind };
    const handler = topic.handlers.get(decoded.contract.name);
    if (!handler) return { kind: 'passed-over', why: 'not-subscribed' };
    await handler(decoded.event as never, messageContext(record, signal));
    return { kind: 'handled', type: decoded.contract.name };
  };
}

function route(handlers: readonly EventHandler[]) {
  return {
    contracts: contractsByName(handlers.map(({ contract }) => contract)),
    handlers: new Map(handlers.map(({ contract, handler }) => [contract.name, handler])),
  };
}

function messageContext(record: IncomingRecord, signal: AbortSignal): MessageContext {
  const { topic, partition, offset, headers, timestamp } = record;
  return {
    // A record without an id, not written by an outbox, is known by its place.
    eventId: headers.id ?? describePosition(record),
    topic,
    partition,
    offset,
    key: record.key?.toString('utf8') ?? null,
    timestamp,
    headers,
    signal,
  };
}
