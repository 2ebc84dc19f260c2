import { randomUUID } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import { inject } from 'vitest';

export interface MongoUnderTest {
  readonly client: MongoClient;
  readonly db: Db;
  close(): Promise<void>;
}

/** A database for one test file, gone when it is closed. */
export async function openMongo(): Promise<MongoUnderTest> {
  const client = await MongoClient.connect(inject('stack').databases.mongoAdmin);
  const db = client.db(`test_${randomUUID()}`);
  await db.createCollection('outbox');
  await db.createCollection('inbox');
  return {
    client,
    db,
    async close() {
      await db.dropDatabase();
      await client.close();
    },
  };
}
