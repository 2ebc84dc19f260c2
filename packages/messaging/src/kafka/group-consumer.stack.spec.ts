import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@millrace/testing';
import { AssignerProtocol, type PartitionAssigner, PartitionAssigners } from 'kafkajs';
import { register } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { handle, type MessageContext, type Subscription } from '../message-bus.js';
import { type Noted, type TestEvents, testEvents } from '../spec-support/test-events.js';
import { KafkaMessageBus, type KafkaMessageBusOptions } from './kafka.message-bus.js';
import { bareKafka, connection, testTopic, withAdmin } from './spec-support/kafka-under-test.js';

let events: TestEvents;
let group: string;
let topic: AsyncDisposable;
let buses: KafkaMessageBus[];

beforeEach(async () => {
  events = testEvents();
  group = `test-${randomUUID()}`;
  topic = await testTopic(events.topic);
  buses = [];
});
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await topic[Symbol.asyncDispose]();
});

function openBus(options: Partial<KafkaMessageBusOptions> = {}): KafkaMessageBus {
  const bus = new KafkaMessageBus({ ...connection, codec: events.codec, closeWithinMs: 500, ...options });
  buses.push(bus);
  return bus;
}

/** As round robin, under a name that no other member offers. */
const foreignAssigner: PartitionAssigner = (config) => ({
  ...PartitionAssigners.roundRobin(config),
  name: 'foreign',
  protocol: ({ topics }) => ({
    name: 'foreign',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),
});

async function collect(
  bus: KafkaMessageBus,
  handler: (event: Noted, context: MessageContext) => Promise<void> = async () => undefined,
): Promise<{ notes: string[]; subscription: Subscription }> {
  const notes: string[] = [];
  const subscription = await bus.subscribe({
    group,
    handlers: [
      handle(events.Noted, async (event, context) => {
        await handler(event, context);
        notes.push(event.note);
      }),
    ],
  });
  return { notes, subscription };
}

const settled = (...subscriptions: Subscription[]) =>
  eventually('a settled group', 30_000, () =>
    subscriptions.every((subscription) => subscription.reasons().length === 0),
  );

/** One key on each partition. */
async function keys(bus: KafkaMessageBus): Promise<string[]> {
  const byPartition = new Map<number, string>();
  for (let n = 0; byPartition.size < 3; n++) {
    const { partition } = await bus.publish(events.Erased, { key: `key-${n}`, note: '' });
    byPartition.set(partition, `key-${n}`);
  }
  return [...byPartition.values()];
}

test('a handler slower than the session timeout keeps its membership, and the others flow', async () => {
  const bus = openBus({ sessionTimeoutMs: 6_000 });
  const [slow = '', other = ''] = await keys(bus);
  const begun: string[] = [];
  let done = false;
  let aborted = false;
  const { notes, subscription } = await collect(bus, async ({ note }, { signal }) => {
    begun.push(note);
    if (note !== 'slow') return;
    // Longer than a session: what a handler does is not the point, how long it takes is.
    await sleep(9_000);
    aborted = signal.aborted;
    done = true;
  });
  await settled(subscription);
  await bus.publish(events.Noted, { key: slow, note: 'slow' });
  await eventually('the slow record to be in hand', 10_000, () => begun.includes('slow'));
  for (let n = 0; !done; n++) {
    await bus.publish(events.Noted, { key: other, note: `other ${n}` });
    await eventually(`other ${n}`, 3_000, () => notes.includes(`other ${n}`));
    expect(subscription.reasons()).toEqual([]);
  }
  await bus.publish(events.Noted, { key: slow, note: 'behind it' });
  await eventually('the record behind the slow one', 10_000, () => notes.includes('behind it'));
  expect([aborted, begun.filter((note) => note === 'slow')]).toEqual([false, ['slow']]);
});

test('when another consumer joins, the handlers of lost partitions are told, and nothing is skipped', async () => {
  const [one, two] = [openBus(), openBus()];
  const all = await keys(one);
  const reasons: unknown[] = [];
  const mine = await collect(one, async (_, { signal }) => {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason);
        reject(signal.reason);
      });
      if (reasons.length > 0) resolve();
    });
  });
  await settled(mine.subscription);
  for (const key of all) await one.publish(events.Noted, { key, note: key });
  const yours = await collect(two);
  await eventually('a lost partition', 30_000, () => reasons.length > 0);
  expect(String(reasons[0])).toContain('given to another consumer');
  await eventually('its record at the new owner', 20_000, () => yours.notes.length >= reasons.length);
  await mine.subscription.close();
  await eventually('the other records too', 30_000, () => yours.notes.length === 3);
  expect([...yours.notes].sort()).toEqual([...all].sort());
});

test('a member without a partition is settled', async () => {
  const crowd = await Promise.all([1, 2, 3, 4].map(async () => collect(openBus())));
  await settled(...crowd.map(({ subscription }) => subscription));
});

test('a topic that is not there yet is named in readiness, and consumed once it is there', async () => {
  await topic[Symbol.asyncDispose]();
  events = testEvents();
  const { notes, subscription } = await collect(openBus());
  await eventually('a reason', 60_000, () =>
    subscription.reasons().some((reason) => reason.includes('crashed')),
  );
  topic = await testTopic(events.topic);
  await openBus().publish(events.Noted, { key: 'k', note: 'at last' });
  await eventually('the record', 60_000, () => notes.includes('at last'));
  await settled(subscription);
});

test('a crash of KafkaJS is named in readiness, and a new consumer takes its place', async () => {
  // A member that shares no assignment protocol with ours makes KafkaJS give up for good.
  const foreign = bareKafka.consumer({
    groupId: group,
    partitionAssigners: [foreignAssigner],
  });
  const joined = new Promise((resolve) => foreign.on(foreign.events.GROUP_JOIN, resolve));
  await foreign.connect();
  await foreign.subscribe({ topic: events.topic });
  await foreign.run({ eachMessage: async () => undefined });
  await joined;

  const bus = openBus();
  const { notes, subscription } = await collect(bus);
  await eventually('the reason', 30_000, () =>
    subscription.reasons().some((reason) => reason.includes('the consumer crashed and is built anew')),
  );
  await foreign.disconnect();
  await bus.publish(events.Noted, { key: 'k', note: 'hello' });
  await eventually('the record', 60_000, () => notes.includes('hello'));
  await settled(subscription);
});

test('close commits how far it came, and leaves the group', async () => {
  const bus = openBus();
  const last = new Map<number, bigint>();
  for (let n = 0; n < 30; n++) {
    const { partition, offset } = await bus.publish(events.Noted, { key: `key-${n}`, note: String(n) });
    last.set(partition, offset);
  }
  const { notes, subscription } = await collect(bus);
  await eventually('all records', 20_000, () => notes.length === 30);
  await subscription.close();
  await withAdmin(async (admin) => {
    const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [events.topic] });
    const committed = offsets?.partitions.map(
      ({ partition, offset }) => [partition, BigInt(offset)] as const,
    );
    expect(new Map(committed)).toEqual(
      new Map([...last].map(([partition, offset]) => [partition, offset + 1n])),
    );
    const { groups } = await admin.describeGroups([group]);
    expect(groups[0]?.members).toEqual([]);
  });
});

test('a partition with lag that stands still is a reason, and its lag a metric', async () => {
  const bus = openBus({ stalledAfterMs: 1_000, lagEveryMs: 100 });
  await bus.publish(events.Noted, { key: 'k', note: 'stuck' });
  const { partition } = await bus.publish(events.Noted, { key: 'k', note: 'behind it' });
  let release: () => void = () => undefined;
  const { notes, subscription } = await collect(bus, () => new Promise((resolve) => (release = resolve)));
  await eventually('the reason', 30_000, () =>
    subscription
      .reasons()
      .some((reason) => /^test-.*\/\d@\d+ has stood still for \d+ s with 2 records to go$/.test(reason)),
  );
  expect(await lagOf(partition)).toBe(2);
  release();
  await eventually('the first record', 10_000, () => notes.length === 1);
  await eventually('the second in hand', 10_000, () => {
    release();
    return notes.length === 2;
  });
  await settled(subscription);
  await eventually('no lag', 10_000, async () => (await lagOf(partition)) === 0);
});

async function lagOf(partition: number): Promise<number | undefined> {
  const lag = await register.getSingleMetric('millrace_consumer_lag')?.get();
  return lag?.values.find(({ labels }) => labels.group === group && labels.partition === partition)?.value;
}

test('records of an aborted transaction do not come, and markers are no lag', async () => {
  const producer = bareKafka.producer({ transactionalId: group, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const send = async (note: string, end: 'commit' | 'abort') => {
    const transaction = await producer.transaction();
    const value = events.codec.encode(events.Noted, { key: 'k', note });
    await transaction.send({ topic: events.topic, messages: [{ key: 'k', value }] });
    await transaction[end]();
  };
  await send('aborted', 'abort');
  await send('committed', 'commit');
  const { notes, subscription } = await collect(openBus({ stalledAfterMs: 500, lagEveryMs: 100 }));
  await eventually('the committed record', 20_000, () => notes.length > 0);
  await settled(subscription);
  await send('aborted too', 'abort');
  await producer.disconnect();
  // Three records, and a marker behind each: the last is written after the abort was acknowledged.
  await eventually('the last marker', 10_000, () =>
    withAdmin(async (admin) => {
      const offsets = await admin.fetchTopicOffsets(events.topic);
      return offsets.some(({ high }) => high === '6');
    }),
  );
  const samples: unknown[] = [];
  await eventually('three samples in a row without lag', 20_000, async () => {
    const lags = await Promise.all([0, 1, 2].map(lagOf));
    if (lags.every((lag) => lag === 0)) samples.push(lags);
    else samples.length = 0;
    await sleep(100);
    return samples.length >= 3;
  });
  expect(notes).toEqual(['committed']);
});
