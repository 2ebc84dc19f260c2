import { loadConfig } from '@millrace/service-defaults';
import type { Db } from 'mongodb';
import { expect, test } from 'vitest';
import { inventoryServiceConfig } from './config.js';
import { messagingOptions } from './messaging.options.js';

/** Never asked: options name a store, and use none. */
const database = {} as Db;

const optionsWith = (env: Record<string, string> = {}) =>
  messagingOptions(
    loadConfig(inventoryServiceConfig, {
      PORT: '3002',
      KAFKA_BROKERS: '127.0.0.1:9092',
      SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081/apis/ccompat/v7',
      MONGODB_URL: 'mongodb://inventory_app:secret@127.0.0.1:27017/inventory',
      ...env,
    }),
    database,
  );

test('takes from the environment how long a partition may stand still', () => {
  expect(optionsWith().stalledAfterMs).toBe(60_000);
  expect(optionsWith({ PARTITION_STALLED_AFTER_MS: '5000' }).stalledAfterMs).toBe(5_000);
});
