import { DeadLetters, silentLog } from '@millrace/messaging';
import { type Comparison, eventually, LogReader, type LogRecord } from '@millrace/testing';
import { type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { BAG, EQUAL, Flows, ID, type Item, item, text } from '../testing/flows.js';
import { PacedWork } from '../testing/load/paced-work.js';
import type { ReplayReport } from './replay.js';

/** Longer than Kafka waits for a consumer that shows no life. */
const DELAY_MS = 12_000;
const LATE: Comparison = { table: 'late', key: [ID], fields: [text('name')] };

let flows: Flows;
let bridge: BridgeUnderTest;
let app: pg.Client;
let documents: Db;

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `create table late (id int primary key, name text);
     create table bag (n int); alter table bag replica identity full;
     create table counts (id int primary key, n int)`,
  );
  ({ bridge, app, documents } = flows);
  await app.query(`insert into late values (1, 'one'), (2, 'two'); insert into bag values (1), (2)`);
  const delay = `${DELAY_MS / 1_000}s`;
  await documents.createCollection('counts');
  await bridge.deploy([
    ...['late', 'bag'].map((table) => flows.entry(table, { delay })),
    { ...flows.itemsEntry('counts'), delay },
  ]);
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const find = (id: number) => documents.collection<{ _id: number }>('late').findOne({ _id: id });

it('keeps a delayed target behind: a deleted row can still be read there, and verify says that it waits', async () => {
  await eventually('the first rows', 30_000, () => find(2));
  const inTime = async (what: string, change: () => Promise<unknown>, isThere: () => Promise<boolean>) => {
    const at = Date.now();
    await change();
    return async () => {
      await eventually(what, 30_000, isThere);
      return Date.now() - at;
    };
  };
  const gone = await inTime(
    'a deletion',
    () => app.query('delete from late where id = 1'),
    async () => !(await find(1)),
  );
  const come = await inTime(
    'a new row',
    () => app.query(`insert into late values (3, 'three')`),
    async () => !!(await find(3)),
  );
  const copied = await inTime(
    'the row of a document',
    () => documents.collection<Item>('counts').insertOne(item(1)),
    async () => (await flows.owner.query('select from counts')).rowCount === 1,
  );
  expect(await find(1)).toEqual({ _id: 1, name: 'one' });
  const report = await flows.verify('late');
  expect(report).toMatchObject({
    missing: 0,
    extra: 0,
    different: 0,
    note: expect.stringContaining('delay'),
  });
  for (const elapsed of await Promise.all([gone(), come(), copied()])) {
    expect(elapsed).toBeGreaterThanOrEqual(DELAY_MS - 1); // by clocks of whole milliseconds
    expect(elapsed).toBeLessThan(4 * DELAY_MS);
  }
  await flows.untilEqual(LATE);
});

it('keeps what a delayed target has where it is paused before a deletion is due', async () => {
  await app.query('delete from late where id = 2');
  const dueAt = Date.now() + DELAY_MS;
  await bridge.ask('POST', '/pipelines/late/pause');
  await eventually('the deletion to be due', 2 * DELAY_MS, () => Date.now() > dueAt + 3_000);
  expect(await find(2)).toEqual({ _id: 2, name: 'two' });
  await bridge.ask('POST', '/pipelines/late/resume');
  await eventually('the deletion', 30_000, async () => !(await find(2)));
});

it('names what somebody did to a delayed target once nothing waits, and mends it', async () => {
  await bridge.untilIdle('late');
  const late = documents.collection<{ _id: number; name: string }>('late');
  await late.updateOne({ _id: 3 }, { $set: { name: 'planted' } });
  await late.insertOne({ _id: new Int32(9) as never, name: 'planted' });
  const { sample, note, ...counts } = await flows.verify('late');
  expect(counts).toMatchObject({ missing: 0, extra: 1, different: 1 });
  expect(sample.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(['different 3', 'extra 9']);
  expect(note).toBeNull();
  await bridge.ask('POST', '/pipelines/late/repair');
  expect(await flows.compare(LATE)).toMatchObject({ ...EQUAL, rows: 1 });
});

it('tells what somebody did to a delayed target from what waits, while its table is written without an end', async () => {
  await bridge.untilIdle('late');
  await bridge.untilIdle('bag');
  await app.query(`insert into late values (10, 'ten'), (11, 'eleven')`);
  await flows.untilEqual(LATE);
  const late = documents.collection<{ _id: number; name?: string }>('late');
  const bag = documents.collection<{ _id: object; n: number }>('bag');
  await using writing = await startWriting();
  await writing.reached(1);
  await app.query('delete from late where id = 11');
  await late.updateOne({ _id: 3 }, { $set: { name: 'planted' } });
  await late.deleteOne({ _id: 10 });
  await late.insertOne({ _id: new Int32(9) as never });
  await bag.deleteOne({ n: 1 });
  await bag.insertOne({ _id: { row: 'planted', at: 'now' }, n: new Int32(99) as never });
  const found = async (pipeline: string) => {
    const { sample, pending } = await flows.verify(pipeline);
    expect(pending).toBeGreaterThan(0);
    return sample.map(({ kind, key }) => `${kind} ${key}`).sort();
  };
  expect(await found('late')).toEqual(['different 3', 'extra 9', 'missing 10']);
  expect(await found('bag')).toHaveLength(2);
  expect(await bridge.ask('POST', '/pipelines/late/repair')).toMatchObject({
    repaired: { written: 2, removed: 1, failed: 0 },
  });
  expect(await bridge.ask('POST', '/pipelines/bag/repair')).toMatchObject({
    repaired: { written: 1, removed: 1, failed: 0 },
  });
  expect(await found('late')).toEqual([]);
  expect(await found('bag')).toEqual([]);
  await late.insertOne({ _id: new Int32(9) as never });
  await bridge.ask('POST', '/pipelines/late/resnapshot');
  await flows.untilSwept('late', /a new snapshot/);
  expect(await find(9)).toBeNull();
  await writing.end();
  await flows.untilEqual(LATE);
  await flows.untilEqual(BAG);
}, 480_000);

it('replays dead letters, also of rows that are gone, and leaves those whose changes wait', async () => {
  await app.query(`insert into late values (31, 'gone by then'), (32, 'thirty-two')`);
  await flows.untilEqual(LATE);
  await app.query('delete from late where id = 31');
  await flows.untilEqual(LATE);
  const brokers = bridge.stack.kafka.bootstrapServers;
  const recordsOf = async (topic: string) => {
    const reader = await LogReader.fromBeginning(brokers, [topic]);
    return await reader.read().finally(() => reader.close());
  };
  const changes = await recordsOf(bridge.topic({ table: 'public.late' }));
  const inTime = changes
    .filter(({ value }) => value !== null)
    .sort((a, b) => a.timestamp.getTime() - b.timestamp.getTime());
  const letters = new DeadLetters({ brokers, clientId: 'delayed-flows', log: silentLog });
  const reason = { code: 'A_TEST', text: 'as if it had been refused' };
  const bury = (record: LogRecord, value = record.value) =>
    letters.write({ ...record, key: null, headers: {}, value }, { group: 'cdc-bridge.late', reason });
  const records = inTime.slice(-50);
  await Promise.all(records.map((record) => bury(record)));
  await bury(records[0] as LogRecord, Buffer.from('no change'));
  await letters.close();
  const late = documents.collection<{ _id: number; name?: string }>('late');
  await using writing = await startWriting();
  await writing.reached(1);
  await late.updateOne({ _id: 32 }, { $set: { name: 'planted' } });
  await late.insertOne({ _id: new Int32(31) as never, name: 'planted' });
  await late.insertOne({ _id: new Int32(999) as never, name: 'of no letter' });
  const report = await bridge.ask<ReplayReport>('POST', '/pipelines/late/replay');
  const { length } = await recordsOf('cdc-bridge.late.dlq');
  expect(report).toMatchObject({ letters: length, repaired: { failed: 0 } });
  expect(Math.min(report.unreadable, report.pending)).toBeGreaterThan(0);
  expect([await find(31), await find(32), await find(999)]).toEqual([
    null,
    { _id: 32, name: 'thirty-two' },
    { _id: 999, name: 'of no letter' },
  ]);
}, 120_000);

it('keeps what was truncated by mistake until that is due, and says that it waits', async () => {
  await documents.collection<{ _id: number }>('late').deleteOne({ _id: 999 });
  await app.query(`insert into late values (41, 'by mistake')`);
  const { rows } = await flows.untilEqual(LATE);
  await app.query(`truncate late; insert into late values (42, 'after')`);
  const report = await flows.verify('late');
  expect(report).toMatchObject({ missing: 0, extra: 0, different: 0 });
  expect(report.pending).toBeGreaterThan(rows);
  expect(await find(41)).toEqual({ _id: 41, name: 'by mistake' });
  expect(await flows.untilEqual(LATE)).toMatchObject({ rows: 1 });
}, 120_000);

/** A table with a key and one without, written all the time until it is disposed of. */
async function startWriting(): Promise<PacedWork> {
  const client = await bridge.databases.postgres('app');
  const write = async (n: number) => {
    await client.query(`insert into late values (${100 + (n % 20)}, '${n}')
      on conflict (id) do update set name = excluded.name`);
    await client.query(`insert into bag values (${1_000 + n})`);
  };
  return new PacedWork({ times: 10, perSecond: 100 }, [write]);
}
