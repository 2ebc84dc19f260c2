import { ConfigError, loadConfig } from '@millrace/service-defaults';
import { describe, expect, it } from 'vitest';
import { bridgeConfig, databasesOf, prepareConfig } from './config.js';

const others = {
  PORT: '0',
  KAFKA_BROKERS: 'a:1',
  SCHEMA_REGISTRY_URL: 'http://registry',
  CONNECT_URL: 'http://connect',
  CONNECT_REGISTRY_URL: 'http://registry',
};
const POSTGRES_ORDERS_URL = 'postgres://bridge:secret@db/orders';
const MONGO_STOCK_ROOM_URL = 'mongodb://bridge:secret@db/stock?replicaSet=rs0';

function faults(config: typeof bridgeConfig | typeof prepareConfig, env: Record<string, string>) {
  try {
    loadConfig(config(env), env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(({ variable, problem }) => `${variable} ${problem}`);
  }
}

describe('the databases of the environment', () => {
  it('are named by their variables', () => {
    const env = { ...others, POSTGRES_ORDERS_URL, MONGO_STOCK_ROOM_URL };
    expect(databasesOf(loadConfig(bridgeConfig(env), env))).toEqual([
      { kind: 'postgres', name: 'orders', url: POSTGRES_ORDERS_URL },
      { kind: 'mongo', name: 'stock-room', url: MONGO_STOCK_ROOM_URL },
    ]);
  });

  it('are known with all their roles to the deploy step alone', () => {
    const env = {
      ...others,
      POSTGRES_ORDERS_URL,
      POSTGRES_ORDERS_OWNER_URL: 'postgres://owner@db/orders',
      POSTGRES_ORDERS_CONNECTOR_URL: `postgres://cdc:\${env:PASSWORD}@db/orders`,
    };
    expect(databasesOf(loadConfig(prepareConfig(env), env))).toEqual([
      {
        kind: 'postgres',
        name: 'orders',
        url: POSTGRES_ORDERS_URL,
        ownerUrl: 'postgres://owner@db/orders',
        connectorUrl: `postgres://cdc:\${env:PASSWORD}@db/orders`,
      },
    ]);
    expect(databasesOf(loadConfig(bridgeConfig(env), env))).toEqual([
      { kind: 'postgres', name: 'orders', url: POSTGRES_ORDERS_URL },
    ]);
  });

  it('are refused with every fault at once, and never with a password', () => {
    const env = {
      ...others,
      POSTGRES_ORDERS_URL: 'mysql://bridge:secret@db/orders',
      POSTGRES_STOCK_OWNER_URL: 'postgres://owner:secret@db/stock',
      MONGO_PLACES_URL: 'mongodb://bridge:secret@db/?replicaSet=rs0',
    };
    const told = faults(bridgeConfig, env);
    expect(told).toEqual([
      expect.stringMatching(/^POSTGRES_ORDERS_URL is wrong: .*postgres:\/\//),
      expect.stringMatching(/^POSTGRES_STOCK_URL is not set/),
      expect.stringMatching(/^MONGO_PLACES_URL is wrong: .*<database name>/),
    ]);
    expect(told.join()).not.toContain('secret');
    expect(faults(prepareConfig, { ...others, POSTGRES_ORDERS_URL })).toEqual([
      expect.stringMatching(/^POSTGRES_ORDERS_OWNER_URL is not set/),
      expect.stringMatching(/^POSTGRES_ORDERS_CONNECTOR_URL is not set/),
    ]);
  });

  it('have a name each', () => {
    const env = { ...others, POSTGRES_ORDERS_URL, MONGO_ORDERS_URL: 'mongodb://db/orders' };
    expect(faults(bridgeConfig, env)).toEqual([expect.stringContaining('the name orders is taken')]);
  });
});
