import { type MessagingOptions, MongoOutboxStore } from '@millrace/messaging';
import { StockRejected, StockReleased, StockReserved } from '@millrace/schemas';
import type { Db } from 'mongodb';
import type { InventoryServiceConfig } from './config.js';

/**
 * What inventory-service publishes, and where its outbox is. What it handles says `@Subscribe`; its inbox forgets by
 * a TTL index, which the migration keeps.
 */
export function messagingOptions(config: InventoryServiceConfig, db: Db): MessagingOptions {
  return {
    group: 'inventory-service',
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    publishes: [StockReserved, StockRejected, StockReleased],
    outbox: new MongoOutboxStore(db),
    stalledAfterMs: config.PARTITION_STALLED_AFTER_MS,
    // Requests may take three quarters of the time to shut down; the database's connections close after this.
    closeWithinMs: config.SHUTDOWN_TIMEOUT_MS / 5,
  };
}
