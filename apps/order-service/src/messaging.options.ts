import { type MessagingOptions, PostgresInboxStore, PostgresOutboxStore } from '@millrace/messaging';
import { OrderCancelled, OrderConfirmed, OrderExpired, OrderPlaced, OrderRejected } from '@millrace/schemas';
import type { OrderServiceConfig } from './config.js';
import type { Database } from './database/database.repository.js';

/** What order-service publishes, and where its outbox and inbox are. What it handles says `@Subscribe`. */
export function messagingOptions(config: OrderServiceConfig, database: Database): MessagingOptions {
  return {
    group: 'order-service',
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    publishes: [OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled, OrderExpired],
    outbox: new PostgresOutboxStore(database.execute, database.query),
    inbox: new PostgresInboxStore(database.execute),
    // Within what is left of the shutdown's time when requests in hand took theirs.
    closeWithinMs: config.SHUTDOWN_TIMEOUT_MS / 5,
  };
}
