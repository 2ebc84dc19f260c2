import { randomUUID } from 'node:crypto';
import { deadLetterTopicOf } from '@millrace/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyTopics } from '../kafka/apply-topics.js';
import type { ConsumedRecord } from '../kafka/record-consumer.types.js';
import { bareKafka, brokers, connection, withAdmin } from '../kafka/spec-support/kafka-under-test.js';
import { DeadLetters } from './dead-letters.js';

const at = new Date('2026-01-02T03:04:05.678Z');
const record: ConsumedRecord = {
  topic: 'source',
  partition: 7,
  offset: 9_007_199_254_740_993n,
  key: Buffer.from([0xff, 0x00, 0xc3]),
  value: Buffer.from([0x00, 0xfe, 0xff]),
  headers: { id: Buffer.from([0xff]), twice: [Buffer.from('a'), Buffer.from('b')], none: null },
  timestamp: new Date('2026-01-01T00:00:00.001Z'),
};

let group: string;
let deadLetters: DeadLetters;

beforeEach(async () => {
  group = `test-${randomUUID()}`;
  await applyTopics(brokers, [deadLetterTopicOf(group)]);
  deadLetters = new DeadLetters(connection, () => at);
});
afterEach(async () => {
  await deadLetters.close();
  await withAdmin((admin) => admin.deleteTopics({ topics: [`${group}.dlq`] }));
});

const write = (dead: ConsumedRecord, text = 'value out of range') =>
  deadLetters.write(dead, { group, reason: { code: '22003', text } });

interface Letter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Record<string, unknown>;
}

async function read(count: number): Promise<Letter[]> {
  const consumer = bareKafka.consumer({ groupId: `${group}-check`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: `${group}.dlq`, fromBeginning: true });
  const messages: Letter[] = [];
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        messages.push(message);
        if (messages.length === count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return messages;
}

test('a dead letter has the exact bytes, the headers that it had, where it came from, and why', async () => {
  const position = await write(record);
  expect(position).toEqual({ topic: `${group}.dlq`, partition: 0, offset: 0n });
  const [letter] = await read(1);
  expect([letter?.key, letter?.value]).toEqual([record.key, record.value]);
  const { id, twice, none, ...own } = letter?.headers ?? {};
  expect({ id, twice, none }).toEqual({ ...record.headers, none: Buffer.alloc(0) });
  expect(Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)]))).toEqual({
    'dlq.topic': 'source',
    'dlq.partition': '7',
    'dlq.offset': '9007199254740993',
    'dlq.timestamp': '2026-01-01T00:00:00.001Z',
    'dlq.at': at.toISOString(),
    'dlq.group': group,
    'dlq.reason.code': '22003',
    'dlq.reason.text': 'value out of range',
  });
});

test('key and value may be missing, and stay so; a long reason is cut', async () => {
  await write({ ...record, key: null, value: null, timestamp: new Date(Number.NaN) }, 'x'.repeat(1_000_000));
  await write({ ...record, key: Buffer.alloc(0), value: Buffer.alloc(0) });
  const letters = await read(2);
  expect(letters.map(({ key, value }) => [key, value])).toEqual([
    [null, null],
    [Buffer.alloc(0), Buffer.alloc(0)],
  ]);
  expect(String(letters[0]?.headers?.['dlq.reason.text']).length).toBe(2_000);
});

test('a record larger than an event may be stands in the log all the same', async () => {
  const value = Buffer.alloc(5 * 1_024 * 1_024, 'x');
  await write({ ...record, value });
  const [letter] = await read(1);
  expect(letter?.value?.equals(value)).toBe(true);
});

test('a record that stands in no partition is taken by a topic of several', async () => {
  const topic = { ...deadLetterTopicOf(`${group}-several`), partitions: 3 };
  await applyTopics(brokers, [topic]);
  const cause = { group: `${group}-several`, reason: { code: 'X', text: '' } };
  const unplaced = await deadLetters.write({ ...record, partition: -1, offset: -1n }, cause);
  const placed = await deadLetters.write(record, cause);
  await withAdmin((admin) => admin.deleteTopics({ topics: [topic.name] }));
  expect([unplaced.partition, placed.partition]).toEqual([0, 1]);
});

test('where there is no dead-letter topic, the caller is told', async () => {
  const nowhere = deadLetters.write(record, { group: `${group}-other`, reason: { code: 'X', text: '' } });
  await expect(nowhere).rejects.toMatchObject({ code: 'SEND_FAILED' });
});
