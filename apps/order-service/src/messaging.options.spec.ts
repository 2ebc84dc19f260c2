import { PostgresInboxStore } from '@millrace/messaging';
import { retentionOf, StockReserved } from '@millrace/schemas';
import { loadConfig } from '@millrace/service-defaults';
import { expect, test } from 'vitest';
import { orderServiceConfig } from './config.js';
import { messagingOptions } from './messaging.options.js';

const database = { execute: async () => 0, query: async () => [] };

const optionsWith = (env: Record<string, string> = {}) =>
  messagingOptions(
    loadConfig(orderServiceConfig, {
      PORT: '3001',
      KAFKA_BROKERS: '127.0.0.1:9092',
      SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081/apis/ccompat/v7',
      DATABASE_URL: 'postgres://orders_app:secret@127.0.0.1:5432/orders',
      ...env,
    }),
    database,
  );

test('remembers a handled event for longer than its topic keeps it', () => {
  const { inbox, inboxRetentionMs } = optionsWith();
  expect(inbox).toBeInstanceOf(PostgresInboxStore);
  expect(inboxRetentionMs).toBeGreaterThan(retentionOf(StockReserved.topic));
});

test('takes from the environment how long a partition may stand still', () => {
  expect(optionsWith().stalledAfterMs).toBe(60_000);
  expect(optionsWith({ PARTITION_STALLED_AFTER_MS: '5000' }).stalledAfterMs).toBe(5_000);
});
