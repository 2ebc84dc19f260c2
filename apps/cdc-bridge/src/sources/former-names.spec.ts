import { expect, it } from 'vitest';
import { formerNames } from './former-names.js';
import { mongoConnector } from './mongo.connector.js';
import { postgresConnector } from './postgres.connector.js';

const REGISTRY = 'http://registry:8081';
const postgres = (name: string, database: string) =>
  postgresConnector(name, `postgres://cdc:${name}@db:5432/${database}`, [], REGISTRY);
const mongo = (name: string, database: string) =>
  mongoConnector(name, `mongodb://cdc:${name}@db/${database}?replicaSet=rs0`, [], REGISTRY);

it('tells of connectors that read a database by the name that it had before', () => {
  const sources = [
    { kind: 'postgres', name: 'shop', config: postgres('shop', 'orders') },
    { kind: 'mongo', name: 'items', config: mongo('items', 'stock') },
  ] as const;
  const connectors = new Map([
    ['shop-changes', postgres('shop', 'orders')],
    ['web-orders-changes', postgres('web-orders', 'orders')],
    ['stock-changes', mongo('stock', 'stock')],
    // Another bridge's, and an outbox's.
    ['elsewhere-changes', postgres('elsewhere', 'elsewhere')],
    ['orders-outbox', postgres('orders', 'orders')],
  ]);
  expect(formerNames(connectors, sources)).toEqual([
    expect.stringMatching(/^shop: the connector web-orders-changes reads .*, both web_orders_changes$/),
    expect.stringMatching(/^items: the connector stock-changes reads .*: remove it from Connect$/),
  ]);
  expect(formerNames(new Map(), sources)).toEqual([]);
});
