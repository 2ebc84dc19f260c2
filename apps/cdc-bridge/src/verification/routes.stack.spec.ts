import { type Comparison, compareSides } from '@millrace/testing';
import { Decimal128, type Document, Int32, type MongoClient, UUID } from 'mongodb';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { PostgresCheckpoints } from '../checkpoints/postgres.checkpoints.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import { CollectionMapping } from '../mapping/collection.mapping.js';
import { openRoute } from '../mapping/open-route.js';
import type { Route } from '../mapping/route.js';
import { mongoToPostgres, type OneWayPipeline, postgresToMongo } from '../pipelines/pipeline.schema.js';
import { sessionOptions } from '../postgres/session.js';
import { readColumns } from '../postgres/table-columns.js';
import { MongoSink } from '../sinks/mongo.sink.js';
import { PostgresSink } from '../sinks/postgres.sink.js';
import type { Sink } from '../sinks/sink.js';
import { Databases } from '../testing/databases.js';
import type { MultisetDifference } from './multiset-comparison.js';
import { repairCopies } from './multiset-repair.js';
import { repairKeys } from './repair.js';
import { sweep, unmended } from './sweep.js';
import { verify } from './verify.js';

const forever = new AbortController().signal;
const EQUAL = { onlyInTable: [], onlyInCollection: [], different: [] };
const NOTHING = { missing: 0, extra: 0, different: 0, pending: 0, unsettled: 0, sample: [] };

let databases: Databases;
let owner: pg.Client;
let pool: pg.Pool;
let client: MongoClient;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
  client = await databases.mongo('bridge');
  const connectionString = databases.postgresUrl('bridge');
  pool = new pg.Pool({ connectionString, options: sessionOptions(), max: 4, statement_timeout: 10_000 });
  await owner.query('create schema millrace');
  await owner.query(new PostgresCheckpoints('millrace').definition);
});

afterEach(async () => {
  await pool?.end();
  await databases?.[Symbol.asyncDispose]();
});

const documents = () => client.db(databases.name).collection<Document>('documents');
const compare = (comparison: Comparison) => compareSides(owner, documents(), comparison);

/** Nothing flows in these tests: whatever the target gets, it gets from a repair. */
async function open(pipeline: OneWayPipeline) {
  const bridge = new URL(databases.postgresUrl('bridge')).username;
  await owner.query(`grant usage on schema millrace to ${bridge};
    grant select, insert, update, delete on all tables in schema public, millrace to ${bridge}`);
  const db = client.db(databases.name);
  const own = client.db(`${databases.name}_bridge`);
  const [postgresUrl, mongoUrl] = [databases.postgresUrl('bridge'), databases.mongoUrl('bridge')];
  const named: NamedDatabases = {
    postgres: (name) => ({ kind: 'postgres', name, url: postgresUrl, pool, open: () => pool }),
    mongo: (name) => ({ kind: 'mongo', name, url: mongoUrl, client, db, own }),
  };
  const route: Route = await openRoute(pipeline, named, undefined as never);
  const table = { schema: 'public', table: 'rows' };
  const sink: Sink =
    'rename' in pipeline
      ? await MongoSink.open(client, new MongoCheckpoints(own), db, 'documents')
      : await PostgresSink.open(pool, new PostgresCheckpoints('millrace'), table, route.columns);
  return { route, sink, caughtUp: async () => {}, drained: async () => {} };
}

const toMongo = (more: object = {}) =>
  postgresToMongo.parse({
    name: 'rows',
    from: { postgres: 'orders', table: 'public.rows' },
    to: { mongo: 'inventory', collection: 'documents' },
    ...more,
  });

describe('a table without a key', () => {
  const comparison: Comparison = {
    table: 'public.rows',
    key: [],
    fields: [
      { column: 'teller', field: 'teller', kind: 'integer' },
      { column: 'delta', field: 'delta', kind: 'decimal' },
      { column: 'filler', field: 'filler', kind: 'text' },
    ],
  };

  it('is compared and mended by the number of copies of each row', async () => {
    await owner.query(`create table rows (teller int, delta numeric(10,2), filler text);
      insert into rows select i % 50, i % 7, case when i % 3 = 0 then null else 'x' end from generate_series(1, 900) i;
      insert into rows select 7, 7, 'same' from generate_series(1, 3)`);
    const parts = await open(toMongo());
    expect(await sweep(parts, forever)).toMatchObject({
      verified: { sourceRows: 903, targetRows: 0, missing: 903 },
      repaired: { written: 903, failed: 0 },
    });
    expect(await compare(comparison)).toEqual({ ...EQUAL, rows: 903, documents: 903 });
    expect(await verify(parts, forever)).toMatchObject({ ...NOTHING, compared: 903, note: null });

    const [same, other] = (await documents().find({ filler: 'same' }).toArray()) as unknown as [
      Document,
      Document,
    ];
    const { _id, ...fields } = same;
    await documents().insertOne({ ...fields, _id: { ..._id, at: 'doubled' } });
    await documents().updateOne({ _id: other._id }, { $set: { teller: new Int32(8) } });
    await documents().deleteOne({ teller: 13, filler: 'x' });
    const report = await verify(parts, forever);
    // The one that was altered stands for a copy too few and a row too many; the doubled one makes up for it.
    expect(report).toMatchObject({ missing: 1, extra: 1, different: 0 });
    expect(report.sample.map(({ kind, key }) => [kind, JSON.parse(key).teller])).toEqual(
      expect.arrayContaining([
        ['missing', 'Int32 13'],
        ['extra', 'Int32 8'],
      ]),
    );
    expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 1, removed: 1, failed: 0 });
    expect(await compare(comparison)).toMatchObject(EQUAL);

    await documents().insertOne({ ...fields, _id: { ..._id, at: 'doubled again' } });
    expect(await verify(parts, forever)).toMatchObject({ missing: 0, extra: 1 });
    await sweep(parts, forever);
    expect(await compare(comparison)).toMatchObject(EQUAL);
  });

  it('gets a missing copy once, whoever else repairs at the same time', async () => {
    await owner.query(`create table rows (teller int, delta numeric(10,2), filler text);
      insert into rows select i % 50, i % 7, 'x' from generate_series(1, 600) i`);
    const parts = await open(toMongo());
    const repairs = await Promise.allSettled([sweep(parts, forever), sweep(parts, forever)]);
    expect(await compare(comparison)).toEqual({ ...EQUAL, rows: 600, documents: 600 });
    for (const repair of repairs) {
      if (repair.status === 'fulfilled') continue;
      expect(repair.reason).toMatchObject({
        code: 'REPAIR_OVERTAKEN',
        message: expect.stringContaining('another repair of rows'),
      });
    }
    // What one alone writes counts on, however many transactions it takes.
    await documents().deleteMany({});
    expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 600, failed: 0 });
  });
});

describe('what a pipeline does with deletions', () => {
  const rows = `create table rows (id int primary key, n int); insert into rows select i, i from generate_series(1, 20) i`;

  it('mark: a repair marks what is gone, and takes the mark from what came back', async () => {
    await owner.query(rows);
    const parts = await open(toMongo({ deletes: 'mark' }));
    await sweep(parts, forever);
    await owner.query('delete from rows where id = 5');
    expect(await verify(parts, forever)).toMatchObject({ extra: 1, missing: 0 });
    expect((await sweep(parts, forever)).repaired).toMatchObject({ removed: 1, failed: 0 });
    expect(await documents().findOne({ _id: 5 as never })).toMatchObject({
      n: 5,
      deleted_at: expect.any(Date),
    });
    expect(await verify(parts, forever)).toMatchObject({ ...NOTHING, sourceRows: 19, targetRows: 19 });
    await owner.query('insert into rows values (5, 55)');
    expect(await verify(parts, forever)).toMatchObject({ missing: 1, extra: 0 });
    await sweep(parts, forever);
    expect(await documents().findOne({ _id: 5 as never })).toMatchObject({ n: 55, deleted_at: null });
  });

  it('ignore: what only the target has is no difference, and stays', async () => {
    await owner.query(rows);
    const parts = await open(toMongo({ deletes: 'ignore' }));
    await sweep(parts, forever);
    await owner.query('delete from rows where id <= 3; update rows set n = 0 where id = 4');
    expect(await verify(parts, forever)).toMatchObject({
      extra: 0,
      different: 1,
      sourceRows: 17,
      targetRows: 20,
    });
    expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 1, removed: 0 });
    const key = { text: 'n1e0', fields: { _id: new Int32(1) } };
    expect(await repairKeys(parts, [key], forever)).toMatchObject({ kept: 1, removed: 0 });
    expect(await documents().countDocuments()).toBe(20);
  });

  it('ignore: so it is with copies of a row without a key', async () => {
    await owner.query(`create table rows (n int, t text);
      insert into rows values (1, 'same'), (1, 'same'), (1, 'same'), (2, 'gone'), (3, 'stays')`);
    const parts = await open(toMongo({ deletes: 'ignore' }));
    await sweep(parts, forever);
    await owner.query(`delete from rows where t = 'gone' or ctid = (select min(ctid) from rows where n = 1)`);
    expect(await verify(parts, forever)).toMatchObject({ ...NOTHING, sourceRows: 3, targetRows: 5 });
    expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 0, removed: 0, kept: 0 });
    // What a pipeline that applies deletions would take away.
    const extra: MultisetDifference[] = [];
    await verify(await open(toMongo()), forever, {
      keys: async () => {},
      unmapped: () => {},
      rows: async (found) => void extra.push(...found),
    });
    expect(await repairCopies({ ...parts, fence: undefined }, extra, forever)).toMatchObject({
      kept: 2,
      removed: 0,
    });
    expect(await documents().countDocuments()).toBe(5);
  });
});

describe('a table that a collection flows into', () => {
  const fromMongo = mongoToPostgres.parse({
    name: 'rows',
    from: { mongo: 'inventory', collection: 'documents' },
    to: { postgres: 'orders', table: 'public.rows' },
    columns: { id: '_id', n: 'n' },
  });

  it('is compared as Postgres writes the values, and what it cannot hold is named', async () => {
    await owner.query(`create table rows (sku text primary key, on_hand int, price numeric(10,2), seen timestamp(3),
      extra jsonb)`);
    const parts = await open(
      mongoToPostgres.parse({
        name: 'rows',
        from: { mongo: 'inventory', collection: 'documents' },
        to: { postgres: 'orders', table: 'public.rows' },
        columns: { sku: '_id', on_hand: 'stock.onHand', price: 'price', seen: 'seen' },
        rest: 'extra',
        where: { listed: true },
      }),
    );
    const document = (i: number): Document => ({
      _id: `sku-${i}`,
      stock: { onHand: new Int32(i) },
      price: Decimal128.fromString(`${i}.5`),
      seen: new Date(i * 1_000),
      tags: ['b', 'a', { z: 1, a: null }],
      listed: true,
    });
    await documents().insertMany(Array.from({ length: 300 }, (_, i) => document(i)) as never[]);
    expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 300, failed: 0 });
    const comparison: Comparison = {
      table: 'public.rows',
      key: [{ column: 'sku', field: '_id', kind: 'text' }],
      fields: [
        { column: 'on_hand', field: 'stock.onHand', kind: 'integer' },
        { column: 'price', field: 'price', kind: 'decimal' },
        { column: 'seen', field: 'seen', kind: 'instant' },
      ],
      partly: 'both', // the rest of the document goes into a column
    };
    expect(await compare(comparison)).toEqual({ ...EQUAL, rows: 300, documents: 300 });
    expect(await verify(parts, forever)).toMatchObject({ ...NOTHING, note: null });

    await owner.query(`delete from rows where sku = 'sku-7'; update rows set price = 0 where sku = 'sku-8';
      insert into rows (sku) values ('of nobody')`);
    await documents().insertOne({
      ...document(0),
      _id: 'too wide',
      price: Decimal128.fromString('123456789.5'),
    } as never);
    await documents().insertOne({ ...document(0), _id: 'no number', price: 'five' } as never);
    expect(await compare(comparison)).toMatchObject({
      onlyInTable: ['["of nobody"]'],
      onlyInCollection: ['["no number"]', '["sku-7"]', '["too wide"]'],
      different: ['["sku-8"]'],
    });
    const { verified, repaired } = await sweep(parts, forever);
    expect(verified).toMatchObject({ missing: 3, extra: 1, different: 1 });
    expect(verified.sample.find(({ kind }) => kind === 'different')?.fields).toEqual(['price']);
    expect(repaired).toMatchObject({ written: 2, removed: 1, failed: 2 });
    expect(repaired.failures).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: '["too wide"]', reason: expect.stringContaining('overflow') }),
        expect.objectContaining({ key: '["no number"]', reason: expect.stringContaining('price') }),
      ]),
    );
    expect(await compare(comparison)).toMatchObject({ onlyInTable: [], different: [] });

    // An `_id` that can be no key is no less missing, and no sweep is begun again because of it.
    await documents().insertMany([
      { ...document(0), _id: new Int32(5) },
      { ...document(0), _id: new Int32(6), listed: false },
    ] as never[]);
    const again = await sweep(parts, forever);
    expect(again.verified).toMatchObject({ sourceRows: 303, missing: 3, extra: 0, different: 0 });
    expect(again.verified.note).toBe('1 missing rows can have no key at the target');
    const key = '{"_id":{"$numberInt":"5"}}';
    expect(again.verified.sample).toContainEqual({ kind: 'missing', key, fields: [] });
    expect(again.repaired).toMatchObject({ written: 0, failed: 3 });
    expect(again.repaired.failures).toContainEqual(
      expect.objectContaining({ key, code: 'VALUE_NOT_REPRESENTABLE' }),
    );
    expect(unmended(again)).toBe(0);
  });

  it.each([
    ['mark', { removed: 1, kept: 0 }, { n: 5, isMarked: true }],
    ['ignore', { removed: 0, kept: 1 }, { n: 5, isMarked: false }],
  ])(
    'keeps the row of a document that is gone with %s, and brings it again',
    async (deletes, repaired, row) => {
      await owner.query('create table rows (id int primary key, n int, deleted_at timestamptz)');
      const parts = await open({ ...fromMongo, deletes } as typeof fromMongo);
      const document = { _id: 5 as never, n: new Int32(5) };
      await documents().insertMany([document, { _id: 6 as never, n: new Int32(6) }]);
      await sweep(parts, forever);
      await documents().deleteOne({ _id: document._id });
      const key = { text: '["5"]', fields: { id: new Int32(5) } };
      expect(await repairKeys(parts, [key], forever)).toMatchObject({ ...repaired, written: 0, failed: 0 });
      const found = async () =>
        (await owner.query('select n, deleted_at is not null as "isMarked" from rows where id = 5')).rows;
      expect(await found()).toEqual([row]);
      expect(await verify(parts, forever)).toMatchObject({ ...NOTHING, sourceRows: 1 });
      await documents().insertOne({ ...document, n: new Int32(55) });
      await sweep(parts, forever);
      expect(await found()).toEqual([{ n: 55, isMarked: false }]);
    },
  );

  const uuid = '018f3c00-0000-7000-8000-00000000000a';
  it.each([
    ['uuid', uuid.replaceAll('-', ''), uuid.replace('a', 'b').toUpperCase(), new UUID()],
    [
      'timestamptz',
      '2026-01-31 12:00:00+01',
      '2026-02-01T00:00:00.000Z',
      new Date('-000043-03-15T12:00:00Z'),
    ],
    ['timestamptz(3)', '2026-01-31 12:00:00+01', '2026-02-01', new Date('+012026-01-01T00:00:00Z')],
    ['date', '2026-1-5', '2026-01-06', 'infinity'],
    ['inet', '10.0.0.1', '2001:DB8::1', '10.0.0.0/8'],
    ['numeric(40,2)', '5', '1e3', new Int32(7)],
  ])(
    'is mended, too, where its key is a %s that _id spells otherwise than Postgres does',
    async (type, ...ids) => {
      await owner.query(`create table rows (id ${type} primary key, n int)`);
      const parts = await open(fromMongo);
      await documents().insertMany(ids.map((_id, n) => ({ _id: _id as never, n: new Int32(n) })));
      expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 3, failed: 0 });
      await owner.query('delete from rows where n = 0; update rows set n = 10 where n <> 0');
      expect(await verify(parts, forever)).toMatchObject({ missing: 1, extra: 0, different: 2 });
      expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 3, removed: 0, failed: 0 });
      expect(await verify(parts, forever)).toMatchObject({ ...NOTHING, sourceRows: 3 });
      // As a change of the document names its key.
      const columns = await readColumns(pool, { schema: 'public', table: 'rows' });
      const key = new CollectionMapping(columns, fromMongo).keyOf(ids[0] as never);
      expect(await repairKeys(parts, [key], forever)).toMatchObject({ written: 1, removed: 0 });
      await documents().updateOne({ _id: ids[1] as never }, { $set: { n: 'no number' } });
      expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 0, removed: 0, failed: 1 });
      await documents().deleteOne({ _id: ids[0] as never });
      expect((await sweep(parts, forever)).repaired).toMatchObject({ written: 0, removed: 1, failed: 1 });
    },
  );
});
