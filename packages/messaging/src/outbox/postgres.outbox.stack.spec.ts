import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { contractsByName, EncodeError } from '../codec/index.js';
import { openPostgres, type PostgresUnderTest } from '../spec-support/postgres-under-test.js';
import { testEvents } from '../spec-support/test-events.js';
import { PostgresOutbox, PostgresOutboxStore } from './postgres.outbox.js';

const { topic, Noted, codec } = testEvents();
const outbox = new PostgresOutbox(codec);
let postgres: PostgresUnderTest;

beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(() => postgres.close());
beforeEach(() => postgres.pool.query('truncate outbox'));

const rows = async () => (await postgres.pool.query('select * from outbox')).rows;

test('appends the finished record in one statement of the caller', async () => {
  const statements: string[] = [];
  const eventId = await postgres.transaction((execute) =>
    outbox.append(
      (sql, params) => {
        statements.push(sql);
        return execute(sql, params);
      },
      Noted,
      { key: 'k', note: 'hello' },
    ),
  );
  expect(statements.length).toBe(1);
  const [row] = await rows();
  expect(row).toMatchObject({
    id: eventId,
    aggregatetype: topic,
    aggregateid: 'k',
    type: Noted.name,
    traceparent: null,
  });
  expect(await codec.decode(row.payload, contractsByName([Noted]))).toMatchObject({
    event: { key: 'k', note: 'hello' },
  });
});

test('leaves nothing behind a transaction that is rolled back', async () => {
  const failing = postgres.transaction(async (execute) => {
    await outbox.append(execute, Noted, { key: 'k', note: 'never' });
    throw new Error('business says no');
  });
  await expect(failing).rejects.toThrow('business says no');
  expect(await rows()).toEqual([]);
});

test('refuses an event that its schema does not take, before it writes', async () => {
  const wrong = { key: 'k', note: 7 as unknown as string };
  await expect(outbox.append(postgres.execute, Noted, wrong)).rejects.toThrow(EncodeError);
  expect(await rows()).toEqual([]);
});

test('the store removes what it is told, passes over foreign ids, and knows its oldest row', async () => {
  const store = new PostgresOutboxStore(postgres.execute, postgres.query);
  expect(await store.oldest()).toBeNull();
  const first = await outbox.append(postgres.execute, Noted, { key: 'k', note: '1' });
  const second = await outbox.append(postgres.execute, Noted, { key: 'k', note: '2' });
  expect(Math.abs(Date.now() - ((await store.oldest())?.getTime() ?? 0))).toBeLessThan(60_000);
  await store.remove([first, 'order.events/3@42', "x'; drop table outbox; --", '']);
  expect((await rows()).map(({ id }) => id)).toEqual([second]);
  await store.remove([]);
});
