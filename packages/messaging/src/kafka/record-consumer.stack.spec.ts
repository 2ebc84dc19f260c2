import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@millrace/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecordConsumer } from './record-consumer.js';
import type { LostPosition, RecordBatch, RecordConsumerOptions } from './record-consumer.types.js';
import { RecordProducer } from './record-producer.js';
import { bareKafka, connection, testTopic, withAdmin } from './spec-support/kafka-under-test.js';
import { StoredCopy } from './spec-support/stored-copy.js';

let topic: string;
let group: string;
let resource: AsyncDisposable;
let producer: RecordProducer;
let consumers: RecordConsumer[];
let copy: StoredCopy;

beforeEach(async () => {
  topic = `test-${randomUUID()}`;
  group = `test-${randomUUID()}`;
  resource = await testTopic(topic, { partitions: 2 });
  producer = new RecordProducer(connection);
  consumers = [];
  copy = new StoredCopy();
});
afterEach(async () => {
  await Promise.all(consumers.map((consumer) => consumer.close()));
  await producer.close();
  await resource[Symbol.asyncDispose]();
});

function consume(options: Partial<RecordConsumerOptions> = {}): RecordConsumer {
  const consumer = new RecordConsumer({
    ...connection,
    group,
    topics: [topic],
    limits: { records: 100, bytes: 1_000_000 },
    begin: copy.begin,
    handle: copy.handle,
    closeWithinMs: 1_000,
    backoff: { firstMs: 50, maxMs: 200 },
    ...options,
  });
  consumers.push(consumer);
  consumer.start();
  return consumer;
}

/** One record after another, so that each is a batch of its own in the log. */
async function write(partition: number, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    await producer.appendRaw({
      topic,
      key: null,
      value: Buffer.from(`value ${n}`),
      headers: {},
      place: () => partition,
    });
}

const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, n) => BigInt(from + n));
const applied = (partition: number, end: number) =>
  eventually(
    `${topic}/${partition}@${end}`,
    30_000,
    () => copy.positions.get(partition)?.next === BigInt(end),
  );

async function deleteBefore(partition: number, offset: number): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  });
}

test('begins where the caller says, whatever was committed, and commits for others to see', async () => {
  await write(0, 10);
  await write(1, 3);
  await withAdmin((admin) =>
    admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '9' }] }),
  );
  copy.positions.set(0, { next: 4n });
  const consumer = consume();
  await applied(0, 10);
  await applied(1, 3);
  expect([copy.offsets(0), copy.offsets(1)]).toEqual([upTo(10, 4), upTo(3)]);
  expect(consumer.reasons()).toEqual([]);
  expect(consumer.assigned()).toEqual([
    { topic, partition: 0, position: 10n, end: 10n },
    { topic, partition: 1, position: 3n, end: 3n },
  ]);
  await consumer.close();
  const [committed] = await withAdmin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
  expect(committed?.partitions.map(({ partition, offset }) => [partition, offset])).toEqual([
    [0, '10'],
    [1, '3'],
  ]);
});

test('while members come and go, every record is applied once and in order', async () => {
  const total = 150;
  const handle = async (batch: RecordBatch) => {
    await sleep(5);
    if (!batch.signal.aborted) await copy.handle(batch);
  };
  const options = { handle, limits: { records: 7, bytes: 1_000_000 } };
  const first = consume(options);
  const writing = Promise.all([write(0, total), write(1, total)]);
  await eventually('the first records', 30_000, () => copy.records.length > 20);
  const second = consume(options);
  await eventually('a partition of the second', 30_000, () => second.assigned().length === 1);
  const third = consume(options);
  await eventually('three members', 30_000, () => third.reasons().length === 0);
  await first.close();
  await writing;
  await applied(0, total);
  await applied(1, total);
  expect([copy.offsets(0), copy.offsets(1)]).toEqual([upTo(total), upTo(total)]);
});

test.each([
  ['below', 2n],
  ['beyond', 50n],
])(
  'a position %s what the topic holds is told, and nothing is skipped without an answer',
  async (_, next) => {
    await write(0, 10);
    await deleteBefore(0, 5);
    copy.positions.set(0, { next });
    const told: LostPosition[] = [];
    let answer: bigint | undefined;
    const consumer = consume({
      onLost: async (_topic, _partition, lost) => {
        told.push(lost);
        return answer;
      },
    });
    await eventually('an alarm, and again', 30_000, () => told.length > 1);
    expect(told[0]).toEqual({ why: 'out of range', position: next, low: 5n, high: 10n });
    expect(consumer.reasons().join()).toContain(`POSITION_OUT_OF_RANGE`);
    expect(copy.offsets(0)).toEqual([]);
    answer = 7n;
    copy.positions.set(0, { next: 7n });
    await applied(0, 10);
    expect(copy.offsets(0)).toEqual(upTo(10, 7));
    await eventually('no reason any more', 10_000, () => consumer.reasons().length === 0);
  },
);

test.each([
  { batch: 'held', after: 0, checkEveryMs: 200 },
  { batch: 'refused', after: 0, checkEveryMs: 200 },
  { batch: 'held', after: 3, checkEveryMs: 3_600_000 },
])('records that go while a batch is $batch are an alarm, with $after after them', async (how) => {
  await write(0, 20);
  const told: LostPosition[] = [];
  let release: () => void = () => undefined;
  const inHand = new Promise<void>((resolve) => (release = resolve));
  let isInHand = false;
  consume({
    limits: { records: 1, bytes: 1 },
    checkEveryMs: how.checkEveryMs,
    handle: async (batch) => {
      isInHand = true;
      await inHand;
      if (how.batch === 'refused') throw new Error('not now');
      await copy.handle(batch);
    },
    onLost: async (_topic, _partition, lost) => {
      told.push(lost);
      return undefined;
    },
  });
  await eventually('the first in hand', 30_000, () => isInHand);
  await deleteBefore(0, 20);
  await write(0, how.after);
  release();
  await eventually('the alarm', 30_000, () => told.length > 0);
  expect(told[0]).toMatchObject({ why: 'out of range', low: 20n, high: BigInt(20 + how.after) });
  expect(told[0]?.position).toBe(copy.positions.get(0)?.next ?? 0n);
});

test('a topic that was made anew is told, and one that was not goes on', async () => {
  await write(0, 6);
  await consume().assigned();
  await applied(0, 6);
  await consumers.pop()?.close();
  await write(0, 1);
  const told: LostPosition[] = [];
  const onLost = async (_topic: string, _partition: number, lost: LostPosition) => {
    told.push(lost);
    copy.positions.delete(0);
    return lost.low;
  };
  const consumer = consume({ onLost });
  await applied(0, 7);
  await consumer.close();
  expect([told, copy.offsets(0)]).toEqual([[], upTo(7)]);

  await resource[Symbol.asyncDispose]();
  resource = await eventually('the topic anew', 30_000, () => testTopic(topic, { partitions: 2 }));
  await write(0, 9);
  copy.records.length = 0;
  consume({ onLost });
  await applied(0, 9);
  expect(told).toEqual([{ why: 'recreated', position: 7n, low: 0n, high: 9n }]);
  expect(copy.offsets(0)).toEqual(upTo(9));
});

test('a rejected batch makes its own partition begin again, and the others flow', async () => {
  await write(0, 3);
  let refusals = 0;
  const consumer = consume({
    handle: async (batch) => {
      if (batch.partition === 0 && refusals >= 0) {
        refusals++;
        throw Object.assign(new TypeError('the sink is away'), { code: 'SINK_AWAY' });
      }
      await copy.handle(batch);
    },
  });
  await eventually('three refusals', 30_000, () => refusals >= 3);
  expect(consumer.reasons()).toEqual([expect.stringContaining('SINK_AWAY, TypeError: the sink is away')]);
  await write(1, 5);
  await applied(1, 5);
  refusals = Number.NEGATIVE_INFINITY;
  await applied(0, 3);
  await eventually('no reason any more', 10_000, () => consumer.reasons().length === 0);
  expect([copy.offsets(0), copy.offsets(1)]).toEqual([upTo(3), upTo(5)]);
  expect(copy.begun.filter((partition) => partition === 1)).toEqual([1]);
});

test('what comes next is fetched while a batch is handled, and batches keep to the limit', async () => {
  await write(0, 1);
  const batches: { readonly length: number; readonly at: number }[] = [];
  let release: () => void = () => undefined;
  const inHand = new Promise<void>((resolve) => (release = resolve));
  const consumer = consume({
    limits: { records: 5, bytes: 1_000_000 },
    checkEveryMs: 3_600_000,
    handle: async (batch) => {
      batches.push({ length: batch.records.length, at: performance.now() });
      if (batches.length === 1) await inHand;
      await copy.handle(batch);
    },
  });
  await eventually('the first in hand', 30_000, () => batches.length === 1);
  await write(0, 12);
  // Only a fetch tells a new end here: these records wait.
  await eventually('the fetch', 10_000, () => consumer.assigned().some(({ end }) => (end ?? 0n) >= 10n));
  const released = performance.now();
  release();
  await applied(0, 13);
  expect((batches[1]?.at ?? Number.POSITIVE_INFINITY) - released).toBeLessThan(1_000);
  expect(Math.max(...batches.map(({ length }) => length))).toBe(5);
});

test('a batch longer than the session keeps the membership, and other partitions flow', async () => {
  await write(0, 1);
  let state = 'waiting';
  const consumer = consume({
    sessionTimeoutMs: 6_000,
    handle: async (batch) => {
      if (batch.partition === 0) {
        state = 'in hand';
        // Longer than a session: what a handler does is not the point, how long it takes is.
        await sleep(8_000);
        state = batch.signal.aborted ? 'aborted' : 'done';
      }
      await copy.handle(batch);
    },
  });
  await eventually('the batch in hand', 30_000, () => state === 'in hand');
  for (let n = 1; state === 'in hand'; n++) {
    await write(1, 1);
    await applied(1, n);
    expect(consumer.reasons()).toEqual([]);
  }
  await applied(0, 1);
  expect([state, copy.begun]).toEqual(['done', expect.toSatisfy((begun) => begun.length === 2)]);
});

test('the position passes transaction markers and aborted records, also where nothing else follows', async () => {
  const transactional = bareKafka.producer({
    transactionalId: group,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await transactional.connect();
  const send = async (end: 'commit' | 'abort') => {
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ partition: 0, value: end }] });
    await transaction[end]();
  };
  await send('commit');
  const consumer = consume();
  await applied(0, 2);
  await send('abort');
  await applied(0, 4);
  await transactional.disconnect();
  expect(copy.records.map(({ value }) => value?.toString())).toEqual(['commit']);
  await consumer.close();
  // Its last record with a marker behind it is recognised, and the markers at the end are not waited for.
  consume({ onLost: async () => expect.unreachable() });
  await write(0, 1);
  await applied(0, 5);
  expect(copy.offsets(0)).toEqual([0n, 4n]);
});

test('close finishes the batch in hand, and tells one that takes too long', async () => {
  await write(0, 1);
  let state = 'waiting';
  const consumer = consume({
    closeWithinMs: 300,
    handle: ({ signal }) =>
      new Promise((_, reject) => {
        state = 'in hand';
        signal.addEventListener('abort', () => {
          state = String(signal.reason);
          reject(signal.reason);
        });
      }),
  });
  await eventually('the batch in hand', 30_000, () => state === 'in hand');
  await consumer.close();
  expect(state).toContain('the time to shut down is over');
  expect(consumer.reasons()).toEqual([`consumer group ${group}: closed`]);

  let finished = false;
  const patient = consume({
    handle: async (batch) => {
      state = 'in hand again';
      await sleep(300);
      await copy.handle(batch);
      finished = true;
    },
  });
  await eventually('the batch in hand', 30_000, () => state === 'in hand again');
  await patient.close();
  expect([finished, copy.offsets(0)]).toEqual([true, [0n]]);
});
