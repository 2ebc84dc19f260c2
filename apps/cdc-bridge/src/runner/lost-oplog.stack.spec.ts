import { eventually } from '@millrace/testing';
import { type Collection, Int32 } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { Flows, type Item, item, keyed, NO_DIFFERENCE } from '../testing/flows.js';
import { OwnMongod } from '../testing/own-mongod.js';
import { StreamedChanges } from '../testing/streamed-changes.js';

const OPLOG_MB = 4;
const COUNTS = keyed('counts');
const EMPTIED = keyed('emptied');

let mongod: OwnMongod;
let flows: Flows;
let bridge: BridgeUnderTest;
const items = (name: string): Collection<Item> => flows.documents.collection<Item>(name);

beforeAll(async () => {
  mongod = await OwnMongod.start(OPLOG_MB);
  const stack = inject('stack');
  flows = await Flows.create(
    { ...stack, databases: { ...stack.databases, mongoAdmin: mongod.adminUrl } },
    'create table counts (id int primary key, n int); create table emptied (id int primary key, n int)',
  );
  bridge = flows.bridge;
  await items('counts').insertMany(Array.from({ length: 60 }, (_, i) => item(i + 1)));
  await items('emptied').insertMany([1, 2, 3].map(item));
  await bridge.deploy(['counts', 'emptied'].map((name) => flows.itemsEntry(name)));
  await flows.untilEqual(COUNTS);
  await flows.untilEqual(EMPTIED);
}, 240_000);

afterAll(async () => {
  await flows?.[Symbol.asyncDispose]();
  await mongod?.[Symbol.asyncDispose]();
});

/** The connector rests while something is written and deleted, until the oplog holds nothing of it any more. */
async function loseOplog(meanwhile: () => Promise<unknown>): Promise<void> {
  const signal = AbortSignal.timeout(90_000);
  const name = bridge.connector('mongo');
  await bridge.connect.stop(name, signal);
  await eventually(`${name} to stop`, 30_000, async () => {
    return (await bridge.connect.status(name, signal)).tasks.length === 0;
  });
  await meanwhile();
  await mongod.rollOver();
  await bridge.connect.resume(name, signal);
}

const untilSwept = async () => {
  for (const pipeline of ['counts', 'emptied']) await flows.untilSwept(pipeline, /new snapshot/);
};

it('begins anew where the oplog has rolled over, also while no bridge was there to see it', async () => {
  const { connect, stack } = bridge;
  for (const instance of bridge.instances.splice(0)) await instance.stop();
  const topic = bridge.topic({ collection: 'counts' });
  const seen = await StreamedChanges.fromNow(stack, [topic]);
  await loseOplog(async () => {
    await items('counts').deleteMany({ _id: { $lte: 10 } });
    await items('counts').insertOne(item(100));
    await items('counts').updateMany({ _id: { $gt: 50, $lte: 60 } }, { $set: { n: new Int32(0) } });
    await items('emptied').deleteMany({});
  });
  await eventually('the new snapshot', 60_000, async () => (await seen.count())[topic]?.ops.r === 51);
  const { tasks } = await connect.status(bridge.connector('mongo'), AbortSignal.timeout(10_000));
  expect(tasks.map(({ state }) => state)).toEqual(['RUNNING']);

  await bridge.start();
  expect(await flows.untilEqual(COUNTS)).toMatchObject({ rows: 51 });
  expect(await flows.untilEqual(EMPTIED)).toMatchObject({ rows: 0 });
  await untilSwept();
  expect(await bridge.status('counts')).toMatchObject({
    reasons: [],
    lastError: { code: 'SNAPSHOT_AGAIN', message: expect.stringContaining('changes were lost') },
  });
  expect(await flows.verify('counts')).toMatchObject({ compared: 51, ...NO_DIFFERENCE });
}, 180_000);

it('begins anew under a running bridge, once, and the changes after it flow', async () => {
  await bridge.restart();
  await items('emptied').insertMany([4, 5].map(item));
  expect(await flows.untilEqual(EMPTIED)).toMatchObject({ rows: 2 });
  await loseOplog(async () => {
    await items('counts').deleteMany({ _id: { $lte: 20 } });
    await items('counts').insertOne(item(101));
    await items('emptied').deleteMany({});
  });
  expect(await flows.untilEqual(COUNTS)).toMatchObject({ rows: 42 });
  expect(await flows.untilEqual(EMPTIED)).toMatchObject({ rows: 0 });
  await untilSwept();
  await items('counts').insertOne(item(102));
  await items('counts').deleteOne({ _id: 101 });
  expect(await flows.untilEqual(COUNTS)).toMatchObject({ rows: 42 });
  const sweeps = bridge.instances[0]?.lines().filter(({ msg }) => String(msg).startsWith('swept'));
  expect(sweeps?.filter(({ pipeline }) => pipeline === 'emptied')).toHaveLength(1);
}, 180_000);
