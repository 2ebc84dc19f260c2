import { loadConfig } from '@millrace/service-defaults';
import { describe, expect, test } from 'vitest';
import { orderServiceConfig } from './config.js';

const enough = {
  PORT: '3001',
  KAFKA_BROKERS: '127.0.0.1:9092',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081/apis/ccompat/v7',
  DATABASE_URL: 'postgres://orders_app:secret@127.0.0.1:5432/orders',
};

describe('the configuration', () => {
  test('has a default for all but its addresses: an unanswered order expires after a minute', () => {
    expect(loadConfig(orderServiceConfig, enough)).toMatchObject({
      ORDER_EXPIRY_MS: 60_000,
      DATABASE_POOL_SIZE: 10,
    });
  });

  test('names every fault at once, and no password', () => {
    const wrong = {
      ...enough,
      DATABASE_URL: 'mysql://u:secret@h/orders',
      ORDER_EXPIRY_MS: '-1',
      DATABASE_POOL_SIZE: 'many',
      ORDER_STREAMS_MAX: '0',
    };
    const load = () => loadConfig(orderServiceConfig, wrong);
    for (const name of ['DATABASE_URL', 'ORDER_EXPIRY_MS', 'DATABASE_POOL_SIZE', 'ORDER_STREAMS_MAX']) {
      expect(load).toThrow(name);
    }
    expect(load).not.toThrow('secret');
  });
});
