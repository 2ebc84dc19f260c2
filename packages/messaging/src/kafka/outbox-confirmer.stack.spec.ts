import { randomUUID } from 'node:crypto';
import { eventually } from '@millrace/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.js';
import { PostgresOutbox, PostgresOutboxStore } from '../outbox/postgres.outbox.js';
import { openPostgres, type PostgresUnderTest } from '../spec-support/postgres-under-test.js';
import { type TestEvents, testEvents } from '../spec-support/test-events.js';
import { KafkaMessageBus } from './kafka.message-bus.js';
import { OutboxConfirmer } from './outbox-confirmer.js';
import { bareKafka, connection, testTopic, withAdmin } from './spec-support/kafka-under-test.js';

let events: TestEvents;
let topic: AsyncDisposable;
let postgres: PostgresUnderTest;
let bus: KafkaMessageBus;
let confirmers: OutboxConfirmer[];
let group: string;

beforeEach(async () => {
  events = testEvents();
  topic = await testTopic(events.topic);
  postgres = await openPostgres();
  bus = new KafkaMessageBus({ ...connection, codec: events.codec });
  confirmers = [];
  group = `test-${randomUUID()}`;
});
afterEach(async () => {
  await Promise.all([bus.close(), ...confirmers.map((confirmer) => confirmer.close())]);
  await postgres.close();
  await topic[Symbol.asyncDispose]();
});

function confirm(warn: (text: string) => void = () => undefined): OutboxConfirmer {
  const store = new PostgresOutboxStore(postgres.execute, postgres.query);
  const confirmer = new OutboxConfirmer({
    ...connection,
    log: { ...silentLog, warn },
    group,
    topics: [events.topic],
    store,
  });
  confirmers.push(confirmer);
  confirmer.start();
  return confirmer;
}

const append = (note: string) =>
  new PostgresOutbox(events.codec).append(postgres.execute, events.Noted, { key: 'k', note });
/** What the connector does with a row. */
const relay = (eventId: string) => bus.publish(events.Noted, { key: 'k', note: '' }, { eventId });

const left = async () =>
  (await postgres.pool.query('select id from outbox order by id')).rows.map(({ id }) => id);

test('a row goes when its event is in the log, and stays until then', async () => {
  const [first, second] = [await append('1'), await append('2')];
  await relay(first);
  confirm();
  await eventually('the first row to go', 20_000, async () => (await left()).length === 1);
  expect(await left()).toEqual([second]);
  const { partition, offset } = await relay(second);
  await eventually('the second row to go', 20_000, async () => (await left()).length === 0);
  await eventually('its place to be kept', 10_000, () =>
    withAdmin(async (admin) => {
      const groupId = `${group}.outbox-confirmer`;
      const [kept] = await admin.fetchOffsets({ groupId, topics: [events.topic] });
      return kept?.partitions.some((entry) => entry.partition === partition && BigInt(entry.offset) > offset);
    }),
  );
});

test('an event of a transaction that is open or aborted is not in the log', async () => {
  const [doubtful, certain] = [await append('1'), await append('2')];
  const producer = bareKafka.producer({ transactionalId: group, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const send = async (id: string) => {
    const transaction = await producer.transaction();
    await transaction.send({ topic: events.topic, messages: [{ key: 'k', value: 'v', headers: { id } }] });
    return transaction;
  };
  await (await send(doubtful)).abort();
  confirm();
  const open = await send(certain);
  expect(await left()).toEqual([doubtful, certain]);
  await open.commit();
  await eventually('the certain row to go', 20_000, async () => (await left()).length === 1);
  expect(await left()).toEqual([doubtful]);
  await producer.disconnect();
});

test('where the database is away it tries again, and what was not removed is not lost by a restart', async () => {
  const first = await append('1');
  await relay(first);
  await postgres.pool.query('alter table outbox rename to away');
  let refusals = 0;
  const confirmer = confirm((text) => {
    if (text === 'outbox rows could not be removed') refusals++;
  });
  await eventually('two refusals', 30_000, () => refusals >= 2);
  await confirmer.close();
  await postgres.pool.query('alter table away rename to outbox');
  expect(await left()).toEqual([first]);
  confirm();
  await eventually('the row to go', 30_000, async () => (await left()).length === 0);
});
