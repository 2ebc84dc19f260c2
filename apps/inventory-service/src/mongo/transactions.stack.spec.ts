import type { Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createInventoryDatabase, type InventoryDatabase } from '../spec-support/inventory-database.js';
import { createMongoClient } from './mongo-client.js';
import { Transactions } from './transactions.js';

interface Counter {
  _id: string;
  count: number;
}

let database: InventoryDatabase;
let client: MongoClient;
let db: Db;

const counters = () => db.collection<Counter>('counters');
const increment = { $inc: { count: 1 } };

beforeAll(async () => {
  database = await createInventoryDatabase(inject('stack'));
  client = createMongoClient(database.ownerUrl, 'spec');
  db = client.db();
  await db.createCollection('counters');
});

afterAll(async () => {
  await client?.close();
  await database?.[Symbol.asyncDispose]();
});

describe('Transactions', () => {
  it('begins again when another writer was first', async () => {
    await counters().insertOne({ _id: 'contended', count: 0 });
    const transactions = new Transactions(client);
    let attempts = 0;
    await transactions.run(async (session) => {
      await counters().findOne({ _id: 'contended' }, { session });
      if (++attempts === 1) await counters().updateOne({ _id: 'contended' }, increment);
      await counters().updateOne({ _id: 'contended' }, increment, { session });
    });
    expect(attempts).toBe(2);
    expect(await counters().findOne({ _id: 'contended' })).toMatchObject({ count: 2 });
  });

  it('gives up within its limits, says so, and leaves nothing', async () => {
    await counters().insertOne({ _id: 'held', count: 0 });
    await using holder = client.startSession();
    holder.startTransaction();
    await counters().updateOne({ _id: 'held' }, increment, { session: holder });

    const transactions = new Transactions(client, { attempts: 3, budgetMs: 5_000 });
    const refused = transactions.run(async (session) => {
      await counters().insertOne({ _id: 'left behind', count: 0 }, { session });
      await counters().updateOne({ _id: 'held' }, increment, { session });
    });
    await expect(refused).rejects.toMatchObject({ code: 'TRANSACTION_NOT_COMMITTED', canRetry: true });
    expect(await counters().findOne({ _id: 'left behind' })).toBeNull();
  });

  it('rolls back and passes on what it cannot mend, without another attempt', async () => {
    let attempts = 0;
    const failing = new Transactions(client).run(async (session) => {
      attempts++;
      await counters().insertOne({ _id: 'undone', count: 0 }, { session });
      throw new TypeError('a fault in the work');
    });
    await expect(failing).rejects.toThrow(TypeError);
    expect(attempts).toBe(1);
    expect(await counters().findOne({ _id: 'undone' })).toBeNull();
  });

  it('begins nothing once it is told to stop', async () => {
    const stopped = new Transactions(client).run(
      async () => {
        throw new Error('must not run');
      },
      AbortSignal.abort(new Error('shutting down')),
    );
    await expect(stopped).rejects.toThrow('shutting down');
  });
});
