import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { contractsByName, EncodeError } from '../codec/index.js';
import { type MongoUnderTest, openMongo } from '../spec-support/mongo-under-test.js';
import { testEvents } from '../spec-support/test-events.js';
import { MongoOutbox, MongoOutboxStore } from './mongo.outbox.js';

const { topic, Noted, codec } = testEvents();
let mongo: MongoUnderTest;
let outbox: MongoOutbox;

beforeAll(async () => {
  mongo = await openMongo();
  outbox = new MongoOutbox(codec, mongo.db);
});
afterAll(() => mongo.close());
beforeEach(() => mongo.db.collection('outbox').deleteMany({}));

const documents = () => mongo.db.collection('outbox').find().toArray();

const append = (note: string) =>
  mongo.client.withSession((session) =>
    session.withTransaction(() => outbox.append(session, Noted, { key: 'k', note })),
  );

test('appends the finished record with every field that Debezium asks for', async () => {
  const eventId = await append('hello');
  const [document] = await documents();
  expect(Object.keys(document ?? {}).sort()).toEqual(
    ['_id', 'aggregateid', 'aggregatetype', 'createdAt', 'payload', 'traceparent', 'type'].sort(),
  );
  expect(document).toMatchObject({
    aggregatetype: topic,
    aggregateid: 'k',
    type: Noted.name,
    traceparent: null,
  });
  expect(document?._id.toHexString()).toBe(eventId);
  const decoded = await codec.decode(document?.payload.buffer, contractsByName([Noted]));
  expect(decoded).toMatchObject({ event: { key: 'k', note: 'hello' } });
});

test('leaves nothing behind a transaction that is aborted', async () => {
  const failing = mongo.client.withSession((session) =>
    session.withTransaction(async () => {
      await outbox.append(session, Noted, { key: 'k', note: 'never' });
      throw new Error('business says no');
    }),
  );
  await expect(failing).rejects.toThrow('business says no');
  expect(await documents()).toEqual([]);
});

test('refuses an event that its schema does not take', async () => {
  await expect(append(7 as unknown as string)).rejects.toThrow(EncodeError);
  expect(await documents()).toEqual([]);
});

test('the store removes what it is told, passes over foreign ids, and knows its oldest document', async () => {
  const store = new MongoOutboxStore(mongo.db);
  expect(await store.oldest()).toBeNull();
  const first = await append('1');
  const second = await append('2');
  expect(Math.abs(Date.now() - ((await store.oldest())?.getTime() ?? 0))).toBeLessThan(60_000);
  await store.remove([first, 'order.events/3@42', 'zz', '']);
  expect((await documents()).map(({ _id }) => _id.toHexString())).toEqual([second]);
  await store.remove([]);
});
