import { randomUUID } from 'node:crypto';
import { LogReader } from '@millrace/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { partitionOf } from './partition-placement.js';
import { RecordProducer } from './record-producer.js';
import { brokers, connection, testTopic } from './spec-support/kafka-under-test.js';

let name: string;
let topic: AsyncDisposable;
let producer: RecordProducer;

beforeEach(async () => {
  name = `test-${randomUUID()}`;
  topic = await testTopic(name, { partitions: 6 });
  producer = new RecordProducer(connection);
});
afterEach(async () => {
  await producer.close();
  await topic[Symbol.asyncDispose]();
});

const append = (key: string, value = Buffer.from('v'), headers = {}) =>
  producer.append({ topic: name, key, value, headers });

async function log() {
  const reader = await LogReader.fromBeginning(brokers, [name]);
  try {
    return await reader.read();
  } finally {
    await reader.close();
  }
}

test('every record stands in the log where it was said to be, on the partition of its key', async () => {
  const keys = Array.from({ length: 500 }, (_, n) => `key-${n % 50}`);
  const positions = await Promise.all(
    keys.map((key, n) => append(key, Buffer.from(`${n}`), { id: String(n) })),
  );
  const records = await log();
  expect(records.length).toBe(500);
  for (const [n, key] of keys.entries()) {
    const { partition, offset } = positions[n] ?? {};
    expect(partition).toBe(partitionOf(name, key, 6));
    const record = records.find((entry) => entry.partition === partition && entry.offset === offset);
    expect([record?.key, record?.value?.toString(), record?.headers]).toEqual([
      key,
      `${n}`,
      { id: String(n) },
    ]);
  }
});

test('a send that is refused rejects its own records, and the next ones are appended', async () => {
  const refused = append('k', Buffer.alloc(2 * 1_024 * 1_024, 'x'));
  await expect(refused).rejects.toMatchObject({ code: 'SEND_FAILED', canRetry: false });
  const texts = ['one', 'two', 'three'];
  for (const text of texts) await append('k', Buffer.from(text));
  expect((await log()).map(({ value }) => value?.toString())).toEqual(texts);
});

test('a record without a key is refused, and one on a topic that is not there', async () => {
  await expect(append('')).rejects.toMatchObject({ code: 'KEY_MISSING', canRetry: false });
  await expect(append(undefined as unknown as string)).rejects.toMatchObject({ code: 'KEY_MISSING' });
  const elsewhere = producer.append({ topic: `no-${name}`, key: 'k', value: null, headers: {} });
  await expect(elsewhere).rejects.toMatchObject({ code: 'SEND_FAILED' });
});

test('nothing is appended after close, and what was under way is', async () => {
  const last = append('k', Buffer.from('last'));
  await producer.close();
  await expect(last).resolves.toMatchObject({ topic: name });
  await expect(append('k')).rejects.toMatchObject({ code: 'BUS_CLOSED' });
});
