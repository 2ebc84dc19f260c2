import { type MessagingOptions, PostgresInboxStore, PostgresOutboxStore } from '@millrace/messaging';
import {
  INVENTORY_EVENTS,
  OrderCancelled,
  OrderConfirmed,
  OrderExpired,
  OrderPlaced,
  OrderRejected,
  retentionOf,
} from '@millrace/schemas';
import type { OrderServiceConfig } from './config.js';
import type { Database } from './database/database.repository.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What order-service publishes, and where its outbox and inbox are. What it handles says `@Subscribe`. */
export function messagingOptions(
  config: OrderServiceConfig,
  database: Pick<Database, 'execute' | 'query'>,
): MessagingOptions {
  return {
    group: 'order-service',
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    publishes: [OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled, OrderExpired],
    outbox: new PostgresOutboxStore(database.execute, database.query),
    inbox: new PostgresInboxStore(database.execute),
    // Kafka removes whole segments, so a record may outlive its topic's retention by a little.
    inboxRetentionMs: retentionOf(INVENTORY_EVENTS) + DAY_MS,
    stalledAfterMs: config.PARTITION_STALLED_AFTER_MS,
    // Within what is left of the shutdown's time when requests in hand took theirs.
    closeWithinMs: config.SHUTDOWN_TIMEOUT_MS / 5,
  };
}
