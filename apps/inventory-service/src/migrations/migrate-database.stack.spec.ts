import { randomUUID } from 'node:crypto';
import { expireMongoInbox } from '@millrace/messaging';
import { ORDER_EVENTS, retentionOf, topics } from '@millrace/schemas';
import { Decimal128, type Document, type MongoClient, ObjectId } from 'mongodb';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createMongoClient } from '../mongo/mongo-client.js';
import { createInventoryDatabase, type InventoryDatabase } from '../spec-support/inventory-database.js';
import { migrations } from './index.js';
import { migrateDatabase } from './migrate-database.js';

let database: InventoryDatabase;
let owner: MongoClient;

beforeEach(async () => {
  database = await createInventoryDatabase(inject('stack'));
  owner = createMongoClient(database.ownerUrl, 'spec');
});

afterEach(async () => {
  await owner?.close();
  await database?.[Symbol.asyncDispose]();
});

const names = migrations.map(({ version, name }) => `${version} ${name}`);

describe('migrating', () => {
  it('applies every migration once, and records it', async () => {
    expect(await migrateDatabase(owner.db(), migrations)).toEqual(names);
    expect(await migrateDatabase(owner.db(), migrations)).toEqual([]);
    const records = await owner.db().collection('migrations').find().sort({ _id: 1 }).toArray();
    expect(records.map(({ _id, name }) => `${_id} ${name}`)).toEqual(names);
  });

  it('ends well when two deploys run at the same moment', async () => {
    await using other = createMongoClient(database.ownerUrl, 'spec');
    await Promise.all([migrateDatabase(owner.db(), migrations), migrateDatabase(other.db(), migrations)]);
    expect(await owner.db().collection('migrations').countDocuments()).toBe(migrations.length);
  });

  it('does what an interrupted run left undone', async () => {
    await owner.db().createCollection('stock');
    await migrateDatabase(owner.db(), migrations);
    await expect(insert('stock', { onHand: -1 })).rejects.toThrow('Document failed validation');
  });

  it('refuses a database that a newer release migrated', async () => {
    const newer = { version: 999, name: 'to come', run: async () => undefined };
    await migrateDatabase(owner.db(), [...migrations, newer]);
    await expect(migrateDatabase(owner.db(), migrations)).rejects.toThrow('deploy a newer release');
  });

  it('has the inbox forget an event when its topic does, and follows the declaration', async () => {
    await migrateDatabase(owner.db(), migrations);
    await expireMongoInbox(owner.db(), 1_000);
    await expireMongoInbox(owner.db(), retentionOf(ORDER_EVENTS));
    const indexes = await owner.db().collection('inbox').indexes();
    const retention = topics.find(({ name }) => name === ORDER_EVENTS)?.config['retention.ms'];
    expect(indexes.map(({ expireAfterSeconds }) => expireAfterSeconds)).toContain(Number(retention) / 1_000);
  });
});

describe('the migrated database', () => {
  const now = new Date();
  const stock = { onHand: 5, reserved: 0, version: 1n, updatedAt: now };
  const customer = {
    name: 'Ada',
    email: 'ada@example.com',
    creditLimit: Decimal128.fromString('250.5000'),
    updatedAt: now,
  };
  const outbox = {
    aggregatetype: 'inventory.events',
    aggregateid: 'order',
    type: 'millrace.inventory.StockReserved',
    payload: Buffer.from([0]),
    traceparent: null,
    createdAt: now,
  };

  it.each<[string, string, Document]>([
    ['stock with more reserved than on hand', 'stock', { ...stock, reserved: 6 }],
    ['stock below zero', 'stock', { ...stock, onHand: -1, reserved: -1 }],
    [
      'an outbox document without traceparent, which would stop the connector',
      'outbox',
      omit(outbox, 'traceparent'),
    ],
    ['an outbox document whose payload is text', 'outbox', { ...outbox, payload: 'AA==' }],
    ['a customer whose credit limit is no decimal', 'customers', { ...customer, creditLimit: 250.5 }],
    [
      'a customer whose credit limit is below zero, which the table refuses',
      'customers',
      { ...customer, creditLimit: Decimal128.fromString('-1') },
    ],
    [
      'a customer whose credit limit has more digits than the table',
      'customers',
      { ...customer, creditLimit: Decimal128.fromString('1e14') },
    ],
    [
      'a customer whose credit limit is no number',
      'customers',
      { ...customer, creditLimit: Decimal128.fromString('NaN') },
    ],
    ['a customer without an e-mail address', 'customers', omit(customer, 'email')],
  ])('refuses %s', async (_what, collection, document) => {
    await migrateDatabase(owner.db(), migrations);
    await expect(insert(collection, document)).rejects.toThrow('Document failed validation');
  });

  it('takes what is whole, from the role of the service', async () => {
    await migrateDatabase(owner.db(), migrations);
    await using app = createMongoClient(database.appUrl, 'spec');
    await insert('stock', stock, app);
    await insert('outbox', outbox, app);
    await insert('customers', customer, app);
  });
});

function insert(collection: string, document: Document, client = owner) {
  const _id = collection === 'outbox' ? new ObjectId() : randomUUID();
  return client
    .db()
    .collection<{ _id: string | ObjectId }>(collection)
    .insertOne({ _id, ...document });
}

function omit(document: Document, field: string): Document {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== field));
}
