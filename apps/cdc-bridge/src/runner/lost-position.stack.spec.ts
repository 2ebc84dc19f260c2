import { deleteTopic, eventually, expireRecords, setTopicConfig } from '@millrace/testing';
import { type Collection, type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { heartbeatTopic } from '../names/bridge-names.js';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { Flows, type Item, item, keyed, NO_DIFFERENCE } from '../testing/flows.js';
import { StreamedChanges } from '../testing/streamed-changes.js';

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

let flows: Flows;
let bridge: BridgeUnderTest;
let app: pg.Client;
let documents: Db;
let brokers: readonly string[];
const items = (name: string): Collection<Item> => documents.collection<Item>(name);

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `create table shelves (id int primary key, n int);
     create table counts (id int primary key, n int);
     create table late (id int primary key, n int);
     create table couples (id int primary key, n int)`,
  );
  ({ bridge, app, documents } = flows);
  brokers = bridge.stack.kafka.bootstrapServers;
  await app.query(`insert into shelves select n, n from generate_series(1, 60) n;
    insert into couples select n, n from generate_series(1, 60) n`);
  await items('counts').insertMany(Array.from({ length: 60 }, (_, i) => item(i + 1)));
  await bridge.deploy(pipelines());
  for (const comparison of ONE_WAY) await flows.untilEqual(comparison);
  await flows.untilEqual(keyed('couples'));
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const ONE_WAY = [keyed('shelves'), keyed('counts')];
const TOPICS = () => [bridge.topic({ table: 'public.shelves' }), bridge.topic({ collection: 'counts' })];

function pipelines(...more: object[]): object[] {
  const { postgres, mongo } = bridge.names;
  return [
    flows.entry('shelves'),
    flows.entry('late', { delay: '1h' }),
    flows.itemsEntry('counts'),
    {
      name: 'couples',
      between: [
        { postgres, table: 'public.couples' },
        { mongo, collection: 'couples' },
      ],
      conflict: { priority: 'postgres' },
    },
    ...more,
  ];
}

/** Waits until the changes that `work` makes are in the topics: so many in each. */
async function written(count: number, work: () => Promise<unknown>): Promise<void> {
  const seen = await StreamedChanges.fromNow(bridge.stack, TOPICS());
  await work();
  await eventually(`${count} changes in each topic`, 60_000, async () => {
    const counts = Object.values(await seen.count());
    return counts.every(({ ops }) => Object.values(ops).reduce((sum, n) => sum + n, 0) >= count);
  });
}

async function stopAll(): Promise<void> {
  for (const instance of bridge.instances.splice(0)) await instance.stop();
}

const alarm = (pipeline: string, message: RegExp, index = 0) =>
  eventually(`the alarm of ${pipeline}`, 60_000, async () => {
    const { lastError } = await bridge.status(pipeline, index);
    return lastError?.code === 'POSITION_LOST' && message.test(lastError.message);
  });

describe('a checkpoint that its topic does not hold any more', () => {
  it('is an alarm, a new snapshot and a sweep where its records have expired', async () => {
    await bridge.untilIdle('shelves');
    await bridge.untilIdle('counts');
    await stopAll();
    await written(21, async () => {
      await app.query(`delete from shelves where id <= 10; update shelves set n = 0 where id > 50;
        insert into shelves values (100, 1)`);
      await items('counts').deleteMany({ _id: { $lte: 10 } });
      await items('counts').updateMany({ _id: { $gt: 50 } }, { $set: { n: new Int32(0) } });
      await items('counts').insertOne(item(100));
    });
    for (const topic of TOPICS()) await expireRecords(brokers, topic);
    const since = await StreamedChanges.fromNow(bridge.stack, TOPICS());
    await bridge.start();
    for (const comparison of ONE_WAY) {
      await alarm(comparison.table, /the checkpoint \d+ is outside of its topic/);
      expect(await flows.untilEqual(comparison)).toMatchObject({ rows: 51 });
      await flows.untilSwept(comparison.table, /is outside of its topic/);
      expect(await flows.verify(comparison.table)).toMatchObject({ compared: 51, ...NO_DIFFERENCE });
    }
    await eventually('each row to be read anew', 60_000, async () => {
      const read = Object.values(await since.count()).map(({ ops }) => ops.r ?? 0);
      return read.length === ONE_WAY.length && read.every((rows) => rows >= 51);
    });
  }, 180_000);

  it('is one too where another topic is there under its name, however far that goes', async () => {
    await stopAll();
    for (const topic of TOPICS()) await deleteTopic(brokers, topic);
    await app.query('delete from shelves where id <= 20');
    await items('counts').deleteMany({ _id: { $lte: 20 } });
    await bridge.prepare('apply');
    // More than the checkpoints have come to, in every partition.
    await written(600, async () => {
      for (let n = 1; n <= 15; n++) {
        await app.query('update shelves set n = $1', [n]);
        await items('counts').updateMany({}, { $set: { n: new Int32(n) } });
      }
    });
    await bridge.start();
    for (const comparison of ONE_WAY) {
      await alarm(comparison.table, /the topic is not the one that was read to/);
      expect(await flows.untilEqual(comparison)).toMatchObject({ rows: 41 });
      await flows.untilSwept(comparison.table, /the topic is not the one/);
    }
  }, 180_000);

  it('is noticed by a running bridge', async () => {
    for (const topic of TOPICS()) await deleteTopic(brokers, topic);
    await app.query('delete from shelves where id <= 30; insert into shelves values (101, 1)');
    await items('counts').deleteMany({ _id: { $lte: 30 } });
    await items('counts').insertOne(item(101));
    await bridge.prepare('apply');
    for (const comparison of ONE_WAY) {
      await alarm(comparison.table, /is outside of its topic|is not the one/);
      expect(await flows.untilEqual(comparison)).toMatchObject({ rows: 32 });
    }
    await app.query('insert into shelves values (102, 1)');
    await items('counts').insertOne(item(102));
    for (const comparison of ONE_WAY) expect(await flows.untilEqual(comparison)).toMatchObject({ rows: 33 });
  }, 180_000);
});

it('looks at every key of a pair whose hints are gone', async () => {
  const [instance] = bridge.instances;
  await bridge.untilIdle('couples');
  instance?.freeze();
  try {
    // The table's topic stays as it is: where its first partition begins anew, every key is looked at in any case.
    const topic = bridge.topic({ collection: 'couples' });
    const seen = await StreamedChanges.fromNow(bridge.stack, [topic]);
    await items('couples').updateOne({ _id: 3 }, { $set: { n: new Int32(-3) } });
    await items('couples').deleteOne({ _id: 4 });
    await eventually('the hints', 30_000, async () => {
      const { u = 0, d = 0 } = (await seen.count())[topic]?.ops ?? {};
      return u + d === 2;
    });
    await expireRecords(brokers, topic);
  } finally {
    instance?.thaw();
  }
  expect(await flows.untilEqual(keyed('couples'))).toMatchObject({ rows: 59 });
  await alarm('couples', /is lost .*checking everything/);
  // Whichever instance has met it: one that comes later tells it too.
  await bridge.start();
  await alarm('couples', /is lost .*checking everything/, 1);
}, 180_000);

it('gives a second pipeline of a table its rows, although the topic does not hold them any more', async () => {
  await bridge.untilIdle('shelves');
  await expireRecords(brokers, bridge.topic({ table: 'public.shelves' }));
  await stopAll();
  await bridge.deploy(pipelines(flows.entry('shelves', { name: 'again', to: again() })));
  expect(await flows.untilEqual(keyed('shelves'), 'again')).toMatchObject({ rows: 33 });
}, 180_000);
const again = () => ({ mongo: bridge.names.mongo, collection: 'again' });

it('begins with no topic that may lose what it still needs, and says which and why', async () => {
  const [shelves = '', counts = ''] = TOPICS();
  const [late, couples] = ['public.late', 'public.couples'].map((table) => bridge.topic({ table }));
  await stopAll();
  await setTopicConfig(brokers, shelves, { 'retention.ms': '3600000' });
  await setTopicConfig(brokers, late as string, { 'retention.ms': String(WEEK_MS) });
  await setTopicConfig(brokers, counts, { 'cleanup.policy': 'compact' });
  await setTopicConfig(brokers, couples as string, {
    'cleanup.policy': 'compact,delete',
    'retention.bytes': '1000000',
  });
  await bridge.start();
  const faults: Record<string, readonly string[]> = {
    shelves: [`${shelves} has retention.ms 3600000, and needs at least ${WEEK_MS}`],
    late: [`${late} has retention.ms ${WEEK_MS}, and needs at least ${WEEK_MS + 3_600_000}`],
    counts: [`${counts} has cleanup.policy compact, and needs delete`],
    couples: [
      `${couples} has cleanup.policy compact,delete, and needs delete`,
      `${couples} has retention.bytes 1000000, and needs -1`,
    ],
  };
  for (const [pipeline, expected] of Object.entries(faults)) {
    const told = await eventually(`the fault of ${pipeline}`, 60_000, async () => {
      const { state, reasons } = await bridge.status(pipeline);
      return state !== 'running' && reasons.some((reason) => reason.includes('and needs')) && reasons.join();
    });
    for (const fault of expected) expect(told).toContain(fault);
  }
  await app.query('insert into shelves values (103, 1)');
  await bridge.prepare('apply');
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 34 });
  for (const pipeline of Object.keys(faults)) await bridge.untilIdle(pipeline);
}, 180_000);

it('begins with no connector that lacks the topic of its heartbeats, and brings nothing, although it runs', async () => {
  const topic = heartbeatTopic(bridge.names.postgres);
  await stopAll();
  await deleteTopic(brokers, topic);
  await bridge.start();
  for (const pipeline of ['shelves', 'couples']) {
    await eventually(`the fault of ${pipeline}`, 60_000, async () => {
      const { state, reasons } = await bridge.status(pipeline);
      const isTold = reasons.some((reason) => reason.includes(`the topic ${topic} is missing: run prepare`));
      return state !== 'running' && isTold;
    });
  }
  await bridge.untilIdle('counts');
  await app.query('insert into shelves values (104, 1)');
  await bridge.prepare('apply');
  await flows.untilEqual(keyed('shelves'));
  for (const pipeline of ['shelves', 'couples']) await bridge.untilIdle(pipeline);
}, 180_000);
