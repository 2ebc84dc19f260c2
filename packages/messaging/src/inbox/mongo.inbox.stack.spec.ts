import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type MongoUnderTest, openMongo } from '../spec-support/mongo-under-test.js';
import { expireMongoInbox, MongoInbox } from './mongo.inbox.js';

let mongo: MongoUnderTest;
let inbox: MongoInbox;

beforeAll(async () => {
  mongo = await openMongo();
  inbox = new MongoInbox(mongo.db);
  await mongo.db.createCollection('effects');
});
afterAll(() => mongo.close());
beforeEach(async () => {
  await mongo.db.collection('inbox').deleteMany({});
  await mongo.db.collection('effects').deleteMany({});
});

/** A handler as the services have them: claim, then effect, in one transaction. */
const handle = (eventId: string, fail = false) =>
  mongo.client.withSession((session) =>
    session.withTransaction(async () => {
      if (!(await inbox.claim(session, eventId, 'order.events'))) return false;
      await mongo.db.collection('effects').insertOne({ eventId }, { session });
      if (fail) throw new Error('after the effect');
      return true;
    }),
  );

const effects = () => mongo.db.collection('effects').countDocuments();

test('of deliveries at the same moment one has the effect, and the others are told', async () => {
  const claimed = await Promise.all(Array.from({ length: 8 }, () => handle('e')));
  expect(claimed.filter(Boolean)).toEqual([true]);
  expect(await effects()).toBe(1);
});

test('a claim of a transaction that was aborted is none', async () => {
  const results = await Promise.allSettled([handle('e', true), handle('e')]);
  expect(results.filter((result) => result.status === 'fulfilled' && result.value).length).toBe(1);
  expect(await effects()).toBe(1);
});

test('the expiry index is made, and changed when the retention changes', async () => {
  const expiry = async () => {
    const indexes = await mongo.db.collection('inbox').indexes();
    return indexes.find(({ name }) => name === 'expiry')?.expireAfterSeconds;
  };
  await expireMongoInbox(mongo.db, 3_600_000);
  expect(await expiry()).toBe(3_600);
  await expireMongoInbox(mongo.db, 3_600_000);
  await expireMongoInbox(mongo.db, 7_200_500);
  expect(await expiry()).toBe(7_201);
});
