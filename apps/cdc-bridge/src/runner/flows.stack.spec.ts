import { readFile } from 'node:fs/promises';
import { type Comparison, eventually } from '@millrace/testing';
import { type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { EQUAL, Flows, ID, type Item, item, keyed, N, NO_DIFFERENCE, text } from '../testing/flows.js';

let flows: Flows;
let bridge: BridgeUnderTest;
let app: pg.Client;
let documents: Db;
let told: string;

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `
    create table items (id int primary key, name text);
    create table "2nd name; DROP" (id int primary key, name text);
    create table "no$collection" (id int primary key);
    create table outbox (id int primary key, payload bytea);
    create table purchases (id int primary key, customer text, secret text, state text, total numeric(10,2));
    create table kept (id int primary key, name text);
    create table marked (id int primary key, name text);
    create table fresh (id int primary key, name text);
    create table streamed (id int primary key, n int);
    create table streamed_too (id int primary key, n int);
    create table stayed (id int primary key, n int);
    create table notes (n int, state text);
    alter table notes replica identity full`,
  );
  ({ bridge, app, documents } = flows);
  const { postgres, mongo } = bridge.names;
  await app.query(`
    insert into items values (1, 'there before'); insert into "2nd name; DROP" values (1, 'odd');
    insert into outbox values (1, 'an event'); insert into fresh values (1, 'there before');
    insert into purchases values (1, 'ada', 'x', 'open', 1.50), (2, 'bob', 'x', 'draft', 2), (3, 'eve', 'x', 'paid', 3);
    insert into kept values (1, 'one'), (2, 'two'); insert into marked values (1, 'one'), (2, 'two')`);
  await documents.createCollection('goods');
  await documents
    .collection<{ _id: string; state: string; stock?: object; tags?: unknown[] }>('goods')
    .insertOne({ _id: 'there before', state: 'live' });
  for (const name of ['streamed', 'stayed'])
    await documents.collection<Item>(name).insertMany([1, 2].map(item));
  await bridge.write([
    { name: 'all', from: { postgres, table: 'public.*' }, to: { mongo, collection: 'all_*' } },
    flows.entry('purchases', {
      rename: { customer: 'buyer' },
      drop: ['secret'],
      where: { state: ['open', 'paid'] },
    }),
    flows.entry('kept', { deletes: 'ignore' }),
    flows.entry('marked', { deletes: 'mark' }),
    // Of the same sources, so that their rows stand in the topics: who wants none must leave them out.
    flows.entry('fresh', { snapshot: 'never' }),
    flows.entry('fresh', { name: 'fresh-too', to: { mongo, collection: 'fresh_too' } }),
    { ...flows.itemsEntry('streamed'), snapshot: 'never' },
    { ...flows.itemsEntry('streamed'), name: 'streamed-too', to: { postgres, table: 'public.streamed_too' } },
    { ...flows.itemsEntry('stayed'), deletes: 'ignore' },
    flows.entry('notes', { where: { state: 'open' } }),
    {
      name: 'goods',
      from: { mongo, collection: 'goods' },
      to: { postgres, table: 'public.goods' },
      columns: { sku: { path: '_id', type: 'text' }, on_hand: { path: 'stock.onHand', type: 'int' } },
      rest: 'more',
      create: true,
      deletes: 'mark',
      where: { state: 'live' },
    },
  ]);
  told = await bridge.prepare('apply');
  await bridge.start();
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const find = (collection: string, id: number) =>
  documents.collection<{ _id: number; deleted_at?: Date }>(collection).findOne({ _id: id });
const named = (table: string): Comparison => ({ table, key: [ID], fields: [text('name')] });

describe('a schema with an asterisk', () => {
  it('stands for its tables, but never the bridge’s, a target, an outbox or one with an entry, and tells which', async () => {
    const { postgres, mongo } = bridge.names;
    const added = 'the wildcard of all stands for public.2nd name; DROP, public.items';
    expect(told).toContain(added);
    expect(bridge.instances[0]?.lines(added)).toHaveLength(1);
    expect(told).toContain('the wildcard of all leaves out public.no$collection, by whose names MongoDB');
    await app.query(`insert into items values (2, 'later'); update "2nd name; DROP" set name = 'still'`);
    await flows.untilEqual(named('items'), 'all_items');
    await flows.untilEqual(named('"2nd name; DROP"'), 'all_2nd name; DROP');
    const collections = (await documents.listCollections({}, { nameOnly: true }).toArray())
      .map(({ name }) => name)
      .filter((name) => name.startsWith('all_'));
    expect(collections.sort()).toEqual(['all_2nd name; DROP', 'all_items']);
    const shipped = await readFile(bridge.file, 'utf8');
    await bridge.write([
      { name: 'own', from: { postgres, table: 'millrace.*' }, to: { mongo, collection: 'own_*' } },
    ]);
    expect(await bridge.prepare('plan')).toContain('the wildcard of own stands for no table');
    await bridge.write(shipped);
    expect(await flows.verify('all.2nd name; DROP')).toMatchObject({ compared: 1, ...NO_DIFFERENCE });
  });
});

describe('the fields and the rows of a pipeline', () => {
  const comparison: Comparison = {
    table: 'purchases',
    where: `state in ('open', 'paid')`,
    key: [ID],
    fields: [
      { column: 'customer', field: 'buyer', kind: 'text' },
      { column: 'total', field: 'total', kind: 'decimal' },
      { column: 'state', field: 'state', kind: 'text' },
    ],
    partly: 'table', // its secret does not flow
  };

  it('are renamed, left out and held back; a row that leaves the filter goes, one that enters it comes', async () => {
    expect(await flows.untilEqual(comparison)).toMatchObject({ rows: 2 });
    const { partly: _, ...whole } = comparison;
    await expect(flows.compare(whole)).rejects.toThrow(
      'purchases has what the comparison does not list: secret',
    );
    await app.query(`update purchases set state = 'paid', total = 2.25 where id = 2;
      update purchases set state = 'draft' where id = 1; insert into purchases values (4, 'mal', 'x', 'draft', 4)`);
    await eventually('the row to go', 30_000, async () => !(await find('purchases', 1)));
    expect(await flows.untilEqual(comparison)).toMatchObject({ rows: 2 });
    const [found] = await documents.collection('purchases').find({ buyer: 'bob' }).toArray();
    expect(Object.keys(found ?? {}).sort()).toEqual(['_id', 'buyer', 'state', 'total']);
    expect(await flows.verify('purchases')).toMatchObject({ compared: 2, ...NO_DIFFERENCE });
  });
});

describe('what the source deletes', () => {
  it('stays with deletes: ignore, and is no difference', async () => {
    await app.query(`delete from kept where id = 1; truncate kept; insert into kept values (3, 'three')`);
    await eventually('the last row', 30_000, () => find('kept', 3));
    await eventually('the sweep', 60_000, async () => (await bridge.status('kept')).sweep === null);
    expect(await flows.verify('kept')).toMatchObject({ sourceRows: 1, ...NO_DIFFERENCE });
    expect(await flows.compare(named('kept'))).toMatchObject({
      ...EQUAL,
      onlyInCollection: ['["1"]', '["2"]'],
    });
  });

  it('stays in a table likewise', async () => {
    await flows.untilEqual(keyed('stayed'));
    await documents.collection<Item>('stayed').deleteOne({ _id: 1 });
    await documents.collection<Item>('stayed').insertOne(item(3));
    await eventually('the last row', 30_000, async () => {
      expect(await flows.compare(keyed('stayed'))).toMatchObject({ ...EQUAL, onlyInTable: ['["1"]'] });
      return true;
    });
    expect(await flows.verify('stayed')).toMatchObject({ sourceRows: 2, ...NO_DIFFERENCE });
  });

  it('is marked with deletes: mark, until the row comes back', async () => {
    await eventually('the rows', 30_000, () => find('marked', 2));
    await app.query('delete from marked where id = 1');
    const gone = await eventually('the mark', 30_000, async () => {
      const found = await find('marked', 1);
      return found?.deleted_at && found;
    });
    expect(gone).toEqual({ _id: 1, name: 'one', deleted_at: expect.any(Date) });
    const living: Comparison = { ...named('marked'), query: { deleted_at: null }, partly: 'collection' };
    expect(await flows.compare(living)).toMatchObject({ ...EQUAL, rows: 1 });
    expect(await flows.verify('marked')).toMatchObject({ sourceRows: 1, ...NO_DIFFERENCE });
    await app.query(`insert into marked values (1, 'again')`);
    expect(await flows.untilEqual(living)).toMatchObject({ rows: 2 });
  });
});

it('holds rows without a key back by their filter, and takes all of them away with TRUNCATE', async () => {
  const open: Comparison = { table: 'notes', where: `state = 'open'`, key: [], fields: [N, text('state')] };
  await app.query(`insert into notes values (1, 'open'), (1, 'open'), (2, 'draft')`);
  await flows.untilEqual(open);
  await app.query(`update notes set state = 'draft' where ctid = (select min(ctid) from notes where n = 1);
    update notes set state = 'open' where n = 2`);
  expect(await flows.untilEqual(open)).toMatchObject({ rows: 2 });
  expect(await flows.verify('notes')).toMatchObject({ compared: 2, ...NO_DIFFERENCE });
  await app.query(`truncate notes; insert into notes values (5, 'open'), (5, 'draft')`);
  expect(await flows.untilEqual(open)).toMatchObject({ rows: 1 });
  expect(await flows.verify('notes')).toMatchObject({ compared: 1, ...NO_DIFFERENCE });
}, 180_000);

it('does without the rows that are there with snapshot: never, counts them as missing, and brings them when it is repaired', async () => {
  await app.query(`insert into fresh values (2, 'two')`);
  await documents.collection<Item>('streamed').insertOne(item(3));
  expect(await flows.untilEqual(named('fresh'), 'fresh_too')).toMatchObject({ rows: 2 });
  expect(await flows.untilEqual(keyed('streamed_too'), 'streamed')).toMatchObject({ rows: 3 });
  const cases = [
    { comparison: named('fresh'), without: { onlyInTable: ['["1"]'] }, missing: ['1'] },
    {
      comparison: keyed('streamed'),
      without: { onlyInCollection: ['["1"]', '["2"]'] },
      missing: ['["1"]', '["2"]'],
    },
  ];
  for (const { comparison, without, missing } of cases) {
    const { table } = comparison;
    await eventually('the new one', 30_000, async () => {
      expect(await flows.compare(comparison)).toMatchObject({ ...EQUAL, ...without });
      return true;
    });
    const report = await flows.verify(table);
    expect(report).toMatchObject({ ...NO_DIFFERENCE, targetRows: 1, missing: missing.length });
    expect(report.sample.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(
      missing.map((key) => `missing ${key}`),
    );
    expect(await bridge.ask('POST', `/pipelines/${table}/repair`)).toMatchObject({
      repaired: { written: missing.length, removed: 0, failed: 0 },
    });
    expect(await flows.compare(comparison)).toMatchObject({ ...EQUAL, rows: missing.length + 1 });
    expect(await flows.verify(table)).toMatchObject({ compared: missing.length + 1, ...NO_DIFFERENCE });
  }
});

it('makes a table, keeps the rest of each document there, and marks what leaves the filter', async () => {
  const goods = documents.collection<{ _id: string; state: string; stock?: object; tags?: unknown[] }>(
    'goods',
  );
  const rest = { tags: ['a', { b: null }], stock: { place: 'B7' } };
  await goods.insertMany([
    { _id: 'sku-1', state: 'live', ...rest, stock: { onHand: new Int32(5), place: 'B7' } },
    { _id: 'sku-2', state: 'live' },
    { _id: 'sku-3', state: 'draft' },
  ]);
  await goods.updateOne({ _id: 'sku-2' }, { $set: { state: 'sold' } });
  const rows = async () =>
    (
      await flows.owner.query(
        'select sku, on_hand, more, deleted_at is null as lives from goods order by sku',
      )
    ).rows;
  // Each in a partition of its own, of which none waits for another.
  await eventually('the rows', 30_000, async () => {
    expect(await rows()).toEqual([
      { sku: 'sku-1', on_hand: 5, more: { state: 'live', ...rest }, lives: true },
      { sku: 'sku-2', on_hand: null, more: { state: 'live' }, lives: false },
      { sku: 'there before', on_hand: null, more: { state: 'live' }, lives: true },
    ]);
    return true;
  });
  expect(await flows.verify('goods')).toMatchObject({ compared: 2, ...NO_DIFFERENCE });
  await goods.deleteOne({ _id: 'sku-1' });
  await eventually('the mark of what was deleted', 30_000, async () => {
    return (await rows()).find(({ sku }) => sku === 'sku-1')?.lives === false;
  });
  expect(await flows.verify('goods')).toMatchObject({ compared: 1, ...NO_DIFFERENCE });
});

it('undoes a wildcard under its own name; of one table it says that the wildcard brings it back', async () => {
  const own = (await bridge.databases.mongo('bridge')).db(`${bridge.databases.name}_bridge`);
  const left = async () => {
    const { rows } = await flows.owner.query<{ name: string }>(
      `select tablename as name from pg_publication_tables where tablename in ('items', '2nd name; DROP', 'kept') order by 1`,
    );
    const checkpoints = own.collection('checkpoints');
    const pipelines = await checkpoints.distinct('_id.pipeline', { '_id.pipeline': /^(all\.|kept)/ });
    return { published: rows.map(({ name }) => name), pipelines: pipelines.sort() };
  };
  await bridge.instances[0]?.stop();
  const alone = await bridge.prepare('remove', 'all.items');
  expect(alone).toContain('public.items released');
  expect(alone).toContain(
    'all.items is undone until the next apply, for which the wildcard all stands for it',
  );
  expect(await left()).toEqual({
    published: ['2nd name; DROP', 'kept'],
    pipelines: ['all.2nd name; DROP', 'kept'],
  });
  await bridge.prepare('apply');
  expect((await left()).published).toEqual(['2nd name; DROP', 'items', 'kept']);
  const whole = await bridge.prepare('remove', 'all');
  expect(whole).toContain('public.items released');
  expect(whole).toContain('public.2nd name; DROP released');
  expect(whole).toContain('all is undone: take it out of the file');
  expect(await left()).toEqual({ published: ['kept'], pipelines: ['kept'] });
  await expect(bridge.prepare('remove', 'alls')).rejects.toThrow('there is no pipeline alls');
}, 120_000);
