import { eventually } from '@millrace/testing';
import { type Collection, type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { BAG, EQUAL, Flows, type Item, item, keyed, N, NO_DIFFERENCE } from '../testing/flows.js';
import { PacedWork } from '../testing/load/paced-work.js';
import type { VerifyReport } from '../verification/verify-report.js';

let flows: Flows;
let bridge: BridgeUnderTest;
let app: pg.Client;
let owner: pg.Client;
let documents: Db;
const items = (name: string): Collection<Item> => documents.collection<Item>(name);

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `
    create table shelves (id int primary key, n int);
    create table bag (n int);
    alter table bag replica identity full;
    create table fragile (id int primary key, n int, numbers numeric[] not null);
    create table later (id int primary key, n int);
    create table counts (id int primary key, n int)`,
  );
  ({ bridge, app, owner, documents } = flows);
  await app.query(`insert into shelves select n, n from generate_series(1, 50) n; insert into bag values (1), (1), (2);
    insert into later select n, n from generate_series(1, 1500) n; insert into fragile values (1, 1, '{1.5}')`);
  await items('counts').insertMany([1, 2, 3].map(item));
}, 120_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

function pipelines(...tables: (string | object)[]): object[] {
  const entries = tables.map((table) => (typeof table === 'string' ? flows.entry(table) : table));
  return [...entries, flows.itemsEntry('counts')];
}
const deployAgain = async (...tables: (string | object)[]) => {
  await bridge.deploy(pipelines(...tables));
  for (const instance of bridge.instances.splice(0)) await instance.stop();
  await bridge.start();
};
const found = ({ sample }: VerifyReport) => sample.map(({ kind, key }) => `${kind} ${key}`).sort();
const repair = (pipeline: string) => bridge.ask('POST', `/pipelines/${pipeline}/repair`);

it('lists what it would do to the databases, does nothing of it, and then does it', async () => {
  await bridge.write(pipelines('shelves', 'bag', 'fragile'));
  const planned = await bridge.prepare('plan');
  for (const line of [
    /schema "millrace" with the tables by which/,
    /public\.shelves captured/,
    /SELECT on table "public"\."shelves" for "\w+_cdc" and "\w+_bridge"/,
    /publication "\w+" of public\.bag, public\.fragile, public\.shelves/,
    /counts keeps an image of each document before and after a change/,
    /connector \S+-changes: \+ table\.include\.list/,
  ]) {
    expect(planned).toMatch(line);
  }
  const changed = async () => {
    const { rows } = await owner.query(`select to_regnamespace('millrace') is not null as schema,
      (select count(*)::int from pg_publication) as publications`);
    const [{ options } = {}] = (await documents.listCollections({ name: 'counts' }).toArray()) as {
      options?: object;
    }[];
    const signal = AbortSignal.timeout(10_000);
    const connector = await bridge.connect.config(bridge.connector('postgres'), signal);
    return { ...rows[0], images: Object.hasOwn(options ?? {}, 'changeStreamPreAndPostImages'), connector };
  };
  expect(await changed()).toEqual({ schema: false, publications: 0, images: false, connector: undefined });
  await bridge.deploy(pipelines('shelves', 'bag', 'fragile'));
  expect(await changed()).toMatchObject({ schema: true, publications: 1, images: true });
  for (const comparison of [
    keyed('shelves'),
    BAG,
    { ...keyed('fragile'), partly: 'both' as const },
    keyed('counts'),
  ])
    await flows.untilEqual(comparison);
}, 240_000);

describe('what somebody did to a target', () => {
  it('is named exactly by verify, and mended by repair', async () => {
    await items('shelves').deleteOne({ _id: 7 });
    await items('shelves').insertOne({ _id: 9_000, n: new Int32(1) });
    await items('shelves').updateOne({ _id: 8 }, { $inc: { n: 1 } });
    await owner.query(`delete from counts where id = 1; update counts set n = 0 where id = 2;
      insert into counts values (9000, 1)`);
    const bagged = documents.collection<{ _id: { row: string; at: string }; n: number }>('bag');
    const [one] = await bagged.find({ n: 1 }).toArray();
    await bagged.insertOne({ _id: { row: one?._id.row ?? '', at: 'twice' }, n: new Int32(1) as never });

    expect(found(await flows.verify('shelves'))).toEqual(['different 8', 'extra 9000', 'missing 7']);
    expect(found(await flows.verify('counts'))).toEqual([
      'different ["2"]',
      'extra ["9000"]',
      'missing ["1"]',
    ]);
    const bag = await flows.verify('bag');
    expect(bag).toMatchObject({ extra: 1, missing: 0, different: 0 });
    expect(bag.sample).toMatchObject([{ kind: 'extra', key: '{"n":"Int32 1"}', copies: 1 }]);

    expect(await repair('shelves')).toMatchObject({ repaired: { written: 2, removed: 1, failed: 0 } });
    expect(await repair('counts')).toMatchObject({ repaired: { written: 2, removed: 1, failed: 0 } });
    expect(await repair('bag')).toMatchObject({ repaired: { written: 0, removed: 1, failed: 0 } });
    for (const comparison of [keyed('shelves'), keyed('counts'), BAG]) {
      expect(await flows.compare(comparison)).toMatchObject(EQUAL);
      expect(await flows.verify(comparison.table)).toMatchObject({ ...NO_DIFFERENCE });
    }
  });

  it('is named exactly while tables and collections are written without an end, and mended', async () => {
    await app.query(
      `insert into shelves select n, n from generate_series(60, 62) n; insert into bag values (60), (60)`,
    );
    await items('counts').insertMany([60, 61, 62].map(item));
    for (const comparison of [keyed('shelves'), keyed('counts'), BAG]) await flows.untilEqual(comparison);
    const writer = await bridge.databases.postgres('app');
    const write = async (n: number) => {
      const id = 1 + (n % 50);
      await writer.query('update shelves set n = n + 1 where id = $1', [id]);
      await writer.query(`delete from shelves where id = ${1_000 + n - 20}; insert into shelves values (${1_000 + n}, 1);
        insert into bag values (${1_000 + n}), (1); delete from bag where n = ${1_000 + n - 20}`);
      await items('counts').updateOne({ _id: id }, { $inc: { n: 1 } }, { upsert: true });
    };
    await using writing = new PacedWork({ times: 10, perSecond: 100 }, [write]);
    await items('shelves').deleteOne({ _id: 60 });
    await items('shelves').updateOne({ _id: 61 }, { $inc: { n: 1 } });
    await items('shelves').insertOne({ _id: 0, n: new Int32(1) });
    await owner.query(`delete from counts where id = 60; update counts set n = 0 where id = 61;
      insert into counts values (0, 1)`);
    const bagged = documents.collection<{ _id: object; n: number }>('bag');
    await bagged.deleteOne({ n: 60 });
    await bagged.insertOne({ _id: { row: 'planted', at: 'now' }, n: new Int32(2) as never });
    for (let time = 0; time < 2; time++) {
      expect(found(await flows.verify('shelves'))).toEqual(['different 61', 'extra 0', 'missing 60']);
      expect(found(await flows.verify('counts'))).toEqual([
        'different ["61"]',
        'extra ["0"]',
        'missing ["60"]',
      ]);
      expect(found(await flows.verify('bag'))).toEqual(['extra {"n":"Int32 2"}', 'missing {"n":"Int32 60"}']);
    }
    expect(await repair('shelves')).toMatchObject({ repaired: { written: 2, removed: 1, failed: 0 } });
    expect(await repair('counts')).toMatchObject({ repaired: { written: 2, removed: 1, failed: 0 } });
    expect(await repair('bag')).toMatchObject({ repaired: { written: 1, removed: 1, failed: 0 } });
    for (const name of ['shelves', 'counts', 'bag'])
      expect(await flows.verify(name)).toMatchObject({ ...NO_DIFFERENCE, sample: [] });
    await writing.end();
    await app.query('delete from shelves where id > 50');
    for (const comparison of [keyed('shelves'), keyed('counts'), BAG]) await flows.untilEqual(comparison);
  }, 360_000);

  it('is mended by a new snapshot too', async () => {
    await items('shelves').deleteMany({ _id: { $lte: 20 } });
    await items('shelves').updateOne({ _id: 30 }, { $set: { n: new Int32(0) } });
    await items('shelves').insertOne({ _id: 9_001, n: new Int32(1) });
    const before = await bridge.status('shelves');
    await bridge.ask('POST', '/pipelines/shelves/resnapshot');
    await eventually('its rows', 60_000, async () => {
      return (await bridge.status('shelves')).rows.read >= before.rows.read + 50;
    });
    expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 50 });
    await flows.untilSwept('shelves', /asked for/);
  });
});

it('gives a pipeline that comes later its rows, while the others flow on', async () => {
  const before = await bridge.untilIdle('shelves');
  const writer = await bridge.databases.postgres('app');
  const write = async (n: number) => {
    await writer.query('update shelves set n = n + 1 where id = $1', [1 + (n % 50)]);
  };
  await using writing = new PacedWork({ times: 10, perSecond: 100 }, [write]);
  await deployAgain('shelves', 'bag', 'fragile', 'later');
  await eventually('the later rows', 60_000, () => items('later').findOne({ _id: 1_500 }));
  const writes = await writing.end();
  expect(await flows.untilEqual(keyed('later'))).toMatchObject({ rows: 1_500 });
  await flows.untilEqual(keyed('shelves'));
  expect((await bridge.untilIdle('shelves')).rows.read - before.rows.read).toBe(writes);
}, 180_000);

it('begins anew after its slot was dropped, with what was written and deleted meanwhile', async () => {
  const signal = () => AbortSignal.timeout(60_000);
  await bridge.connect.stop(bridge.connector('postgres'), signal());
  await eventually('the slot to be free', 30_000, async () => {
    const { rows } = await owner.query(
      'select from pg_replication_slots where active and database = current_database()',
    );
    return rows.length === 0;
  });
  await bridge.databases.dropSlots();
  await app.query(`delete from shelves where id <= 10; insert into shelves values (500, 1);
    update shelves set n = 0 where id = 20; truncate bag; delete from later where id > 5`);
  await eventually('the alarm', 30_000, async () => {
    const text = (await bridge.status('shelves')).reasons.join();
    return /slot .* is gone/.test(text);
  });
  await bridge.connect.resume(bridge.connector('postgres'), signal());
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 41 });
  expect(await flows.untilEqual(BAG)).toMatchObject({ rows: 0 });
  expect(await flows.untilEqual(keyed('later'))).toMatchObject({ rows: 5 });
  for (const pipeline of ['shelves', 'bag', 'later']) await flows.untilSwept(pipeline, /new snapshot/);
  expect((await bridge.untilIdle('shelves')).reasons).toEqual([]);
  await app.query('insert into shelves values (501, 1)');
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 42 });
}, 180_000);

it('names the table of a lasting fault; without that table the rest flows again', async () => {
  await app.query(`insert into fragile values (2, 2, '{NaN}'); update shelves set n = -1 where id = 20`);
  const alarm = (text: RegExp) =>
    eventually(`the alarm ${text}`, 120_000, async () =>
      (await bridge.status('shelves')).reasons.find((reason) => text.test(reason)),
    );
  await alarm(/has failed.*it is started again/);
  expect(await alarm(/take .* out/)).toContain('public.fragile');
  const { mongo } = bridge.names;
  const unread = { name: 'unread', snapshot: 'never', to: { mongo, collection: 'unread' } };
  const moved = { rename: { n: 'amount' }, to: { mongo, collection: 'moved' } };
  await documents.collection<{ _id: number }>('moved').insertOne({ _id: 7_000 });
  await deployAgain('shelves', 'bag', flows.entry('later', moved), flows.entry('later', unread));
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 42 });
  expect((await bridge.untilIdle('shelves')).reasons).toEqual([]);
}, 300_000);

it('takes what was lost before a pipeline began for none of its losses', async () => {
  await app.query('insert into later values (2000, 1)');
  await eventually('the new row', 60_000, () => items('unread').findOne({ _id: 2_000 }));
  // By then the bridge has seen every marker, those of the snapshot among them.
  expect(await flows.verify('unread')).toMatchObject({ missing: 5, targetRows: 1 });
  const told = bridge.instances[0]?.lines().filter(({ pipeline }) => pipeline === 'unread') ?? [];
  expect(told.filter(({ msg }) => /snapshot|sweep|swept/.test(String(msg)))).toEqual([]);
});

it('brings the rows of a pipeline whose entry has changed to where they go now, and removes nothing', async () => {
  const amount = { ...N, field: 'amount' };
  await eventually('the rows', 60_000, async () => {
    const found = await flows.compare({ ...keyed('later'), fields: [amount] }, 'moved');
    expect(found).toEqual({ ...EQUAL, onlyInCollection: ['["7000"]'], rows: 6, documents: 7 });
    return true;
  });
  expect(await items('later').countDocuments()).toBe(5);
});

it('undoes what it did for a pipeline, and then for a database', async () => {
  const told = await bridge.prepare('remove', 'shelves');
  expect(told).toMatch(/public\.shelves released/);
  expect(told).toMatch(/SELECT on table "public"\."shelves" revoked from "\w+_bridge"/);
  await bridge.prepare('remove', 'counts', '--drop-slot');
  const { rows } = await owner.query(
    `select (select array_agg(tablename::text order by 1) from pg_publication_tables where schemaname = 'public') as published,
      has_table_privilege($1, 'shelves', 'select') as sees,
      (select count(*)::int from millrace.checkpoints where pipeline = 'counts') as checkpoints`,
    [`${bridge.databases.name}_cdc`],
  );
  expect(rows).toEqual([{ published: ['bag', 'later'], sees: false, checkpoints: 0 }]);
  // The bridge still runs, and would make a collection anew by writing to it.
  await eventually('the bridge to miss its markers', 30_000, () =>
    bridge.ask('GET', '/health/ready').then(
      () => false,
      ({ message }: Error) =>
        /no marker can be written to mo\w+: \+millrace_watermarks is empty/.test(message),
    ),
  );
  const collections = await documents.listCollections().toArray();
  expect(collections.filter(({ name }) => name.includes('millrace'))).toEqual([]);
  expect(JSON.stringify(collections)).not.toContain('changeStreamPreAndPostImages');
  const signal = AbortSignal.timeout(10_000);
  expect(await bridge.connect.config(bridge.connector('mongo'), signal)).toBeUndefined();
}, 120_000);
