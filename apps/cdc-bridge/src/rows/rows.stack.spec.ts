import { randomUUID } from 'node:crypto';
import { SchemaRegistry } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { type Db, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { PostgresCheckpoints } from '../checkpoints/postgres.checkpoints.js';
import { OpenDatabases } from '../databases/open-databases.js';
import { openRoute } from '../mapping/open-route.js';
import type { Route } from '../mapping/route.js';
import { mongoToPostgres, postgresToMongo } from '../pipelines/pipeline.schema.js';
import { tableNameOf } from '../postgres/identifier.js';
import { compact, type Key, type Put } from '../sinks/compaction.js';
import { MongoSink } from '../sinks/mongo.sink.js';
import { PostgresSink } from '../sinks/postgres.sink.js';
import type { Sink } from '../sinks/sink.js';
import { Databases } from '../testing/databases.js';
import { exactText } from '../values/exact-text.js';
import { CASE_TYPES, FIDELITY_CASES } from '../values/testing/fidelity.cases.js';
import type { TargetRow } from './rows.js';

const stack = inject('stack');

let databases: Databases;
let opened: OpenDatabases;
let owner: Client;
let db: Db;

beforeAll(async () => {
  databases = await Databases.create(stack.databases);
  owner = await databases.postgres('owner');
  db = await databases.documents('owner');
  await owner.query(CASE_TYPES);
  await owner.query('create schema millrace');
  await owner.query(new PostgresCheckpoints('millrace').definition);
  const bridge = `${databases.name}_bridge`;
  await owner.query(`grant usage on schema millrace to ${bridge};
    grant select, insert, update, delete on all tables in schema millrace to ${bridge};
    alter default privileges grant select, insert, update, delete on tables to ${bridge}`);
  const mongo = databases.mongoUrl('bridge').replace('/?', `/${databases.name}?`);
  opened = new OpenDatabases([
    { kind: 'postgres', name: 'pg', url: databases.postgresUrl('bridge') },
    { kind: 'mongo', name: 'mg', url: mongo },
  ]);
});

afterAll(async () => {
  await opened?.close();
  await databases?.[Symbol.asyncDispose]();
});

const registry = new SchemaRegistry({ url: stack.registry.url });
const fromPostgres = (table: string, more: object = {}) =>
  openRoute(
    postgresToMongo.parse({
      name: table,
      from: { postgres: 'pg', table: `public.${table}` },
      to: { mongo: 'mg', collection: table },
      ...more,
    }),
    opened,
    registry,
  );

async function all<Row>(rows: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const found: Row[] = [];
  for await (const page of rows) found.push(...page);
  return found;
}
const sourceRows = (route: Route) => all<Put>(route.source.all(AbortSignal.timeout(30_000)));
const targetRows = (route: Route) => all<TargetRow>(route.target.all(AbortSignal.timeout(30_000)));
const images = (rows: readonly { key: { text: string }; fields: object }[]) =>
  rows.map(({ key, fields }) => `${key.text} ${exactText(fields)}`).sort();

async function write(sink: Sink, route: Route, puts: readonly Put[]): Promise<void> {
  const { lacking, ...effects } = compact(puts);
  expect(lacking).toEqual([]);
  const move = { pipeline: route.pipeline.name, topic: 't', partition: 0 };
  await sink.apply(effects, { ...move, expected: 0n, next: 1n });
}

async function toMongo(route: Route, name: string): Promise<void> {
  const { client, db: target, own } = opened.mongo('mg');
  const checkpoints = new MongoCheckpoints(own);
  await checkpoints.start({ pipeline: route.pipeline.name, topic: 't', partition: 0 }, 0n);
  await write(await MongoSink.open(client, checkpoints, target, name), route, await sourceRows(route));
}

describe('the rows of a table and their documents', () => {
  it('are equal, whatever the types, and found by their keys on both sides', async () => {
    const types = [...new Set(FIDELITY_CASES.map(({ type }) => type))];
    await owner.query(
      `create table types (a int, b text, ${types.map((type, i) => `c${i} ${type}`).join()}, primary key (b, a))`,
    );
    for (const [i, { type, literal }] of FIDELITY_CASES.entries()) {
      const text = literal.replaceAll("'", "''");
      await owner.query(
        `insert into types (a, b, c${types.indexOf(type)}) values (${i}, 'k''${i % 7}', '${text}'::text::${type})`,
      );
    }
    const route = await fromPostgres('types');
    await toMongo(route, 'types');
    const [source, target] = [await sourceRows(route), await targetRows(route)];
    expect(source).toHaveLength(FIDELITY_CASES.length);
    expect(images(target)).toEqual(images(source));
    const keys = target.map(({ key }) => key);
    expect(images(await route.source.read(keys))).toEqual(images(source));
    expect(images(await route.target.read(keys))).toEqual(images(source));
    const strange = [{ a: 1 }, { b: 'x', a: 'y' }, 'x', null].map((_id) => ({ text: 'x', fields: { _id } }));
    expect(await route.source.read(strange as never)).toEqual([]);
  });

  it('are found by their keys beside one that MongoDB would read as an operator', async () => {
    await owner.query(
      `create table operators (id jsonb primary key); insert into operators values ('{"a":1}')`,
    );
    const route = await fromPostgres('operators');
    await toMongo(route, 'operators');
    await owner.query(`insert into operators values ('{"$gt":1}')`);
    const keys = (await sourceRows(route)).map(({ key }) => key);
    expect(await route.source.read(keys)).toHaveLength(2);
    expect(await route.target.read(keys)).toHaveLength(1);
  });

  it('come in pages, each row once, whatever their size', async () => {
    await owner.query(`create table many (id numeric primary key, v text);
      insert into many select g * 1.5, repeat('x', case when g % 500 = 0 then 1000000 else 10 end) from generate_series(1, 5000) g`);
    const route = await fromPostgres('many', { drop: ['v'] });
    const pages: number[] = [];
    const keys = new Set<string>();
    for await (const page of route.source.all(AbortSignal.timeout(30_000))) {
      pages.push(page.length);
      for (const { key } of page) keys.add(key.text);
    }
    expect(keys.size).toBe(5_000);
    expect(Math.max(...pages)).toBeLessThanOrEqual(1_000);
  });

  it('are compared as a multiset without a key', async () => {
    await owner.query(
      `create table bag (n int, t text); insert into bag values (1, 'x'), (1, 'x'), (2, null), (2, '')`,
    );
    const route = await fromPostgres('bag');
    await toMongo(route, 'bag');
    const hashes = (rows: readonly { key: { text: string; fields: object } }[]) =>
      rows.map(({ key }) => route.rowOf(key as never)).sort();
    const source = await sourceRows(route);
    expect(new Set(hashes(source)).size).toBe(3);
    expect(hashes(await targetRows(route))).toEqual(hashes(source));
    await db.collection('bag').updateOne({ t: 'x' }, { $set: { t: 'y' } });
    expect(hashes(await targetRows(route))).not.toEqual(hashes(source));
    const one = source.find(({ fields }) => fields.t === 'x') as Put;
    expect(await route.source.read([one.key])).toHaveLength(2);
    expect(await route.target.read([one.key])).toHaveLength(1);
  });

  it('are not had where their connection ends between two pages, and are with the next', async () => {
    await owner.query('create table heap (n int); insert into heap select * from generate_series(1, 3000)');
    const route = await fromPostgres('heap');
    const pages = route.source.all(AbortSignal.timeout(30_000))[Symbol.asyncIterator]();
    expect((await pages.next()).done).toBe(false);
    const { pool } = opened.postgres('pg');
    const ended = (query: string) =>
      pool.query(`select ${query} from pg_stat_activity where pid <> pg_backend_pid()
        and datname = current_database() and usename = current_user and state = 'idle in transaction'`);
    expect((await ended('pg_terminate_backend(pid)')).rowCount).toBe(1);
    await eventually('it to be gone', 10_000, async () => (await ended('pid')).rowCount === 0);
    await expect(pages.next()).rejects.toThrow(/terminat|not queryable/);
    expect(await sourceRows(route)).toHaveLength(3_000);
  });

  it('leave out what the filter holds back, and name what a document cannot hold', async () => {
    await owner.query(`create table odd (id int primary key, j json, kept bool);
      insert into odd values (1, '{"a":1,"a":2}', true), (2, '{}', true), (3, '{}', false), (4, '{}', null)`);
    const route = await fromPostgres('odd', { where: { kept: true } });
    const rows = await sourceRows(route);
    expect(rows.map(({ key, omitted, fault }) => [key.text, omitted, fault?.message])).toEqual([
      ['n1e0', ['j'], 'column j: the field "a" twice'],
      ['n2e0', [], undefined],
    ]);
  });

  it('leave out a key that can be no _id, and tell of it', async () => {
    await owner.query(`create table moments (at timestamp(3) primary key, kept bool);
      insert into moments values ('infinity', true), ('-infinity', false), ('2024-01-01', true)`);
    const route = await fromPostgres('moments', { where: { kept: true } });
    const told: string[][] = [];
    const rows = await all<Put>(
      route.source.all(AbortSignal.timeout(30_000), (name, { message }) => told.push([name, message])),
    );
    expect(rows).toHaveLength(1);
    expect(told).toEqual([['["infinity"]', expect.stringContaining('column at')]]);
  });
});

describe('the documents of a collection and their rows', () => {
  it('are found again by a key that is a whole document, in whatever order its fields are', async () => {
    await owner.query('create table nested (id jsonb primary key, v int)');
    const ids = [{ zz: new Int32(1), a: { y: 'x', b: new Double(5) } }, { a: 'x' }, 'text'];
    await db.collection('nested').insertMany(ids.map((_id, i) => ({ _id: _id as never, v: new Int32(i) })));
    const pipeline = mongoToPostgres.parse({
      name: 'nested', from: { mongo: 'mg', collection: 'nested' }, to: { postgres: 'pg', table: 'public.nested' },
      columns: { id: '_id', v: 'v' },
    }); // biome-ignore format: a pipeline
    const nested = await openRoute(pipeline, opened, registry);
    const keys = (await sourceRows(nested)).map(({ key }) => key);
    const found = await nested.source.read(keys);
    expect(found.map(({ key }) => key.text).sort()).toEqual(keys.map(({ text }) => text).sort());
    expect(found).toHaveLength(ids.length);
    const operator: Key = { text: '["{\\"$gt\\":1e0}"]', fields: { id: { $gt: new Int32(1) } } };
    expect(await nested.source.read([operator, ...keys])).toHaveLength(ids.length);
  });

  it('are found again by their keys, whichever fields _id has besides, and in whatever order', async () => {
    await owner.query(
      'create table five (a text, b text, c text, d int, e uuid, v int, primary key (a, b, c, d, e))',
    );
    const columns = { a: '_id.a', b: '_id.b', c: '_id.c', d: '_id.d', e: '_id.e', v: 'v' };
    const e = randomUUID();
    const ids = [
      { e, d: new Int32(1), c: 'z', b: 'y', a: 'x' },
      { d: new Int32(2), e, c: '3', b: '2', a: '1' },
      { more: 'first', a: 'x', b: 'y', c: 'z', d: new Int32(3), e },
      { a: 'x', b: 'y', c: 'z', d: new Int32(4), e, more: null },
      { a: 'x', b: 'y', c: 'z', d: new Int32(5), e },
      { e, d: new Double(6), c: 'z', b: new ObjectId(), a: 'x' },
    ];
    await db
      .collection('five')
      .insertMany([
        ...ids.map((_id, i) => ({ _id: _id as never, v: new Int32(i) })),
        { _id: 'no parts' as never, v: new Int32(9) },
      ]);
    const pipeline = mongoToPostgres.parse({
      name: 'five', from: { mongo: 'mg', collection: 'five' }, to: { postgres: 'pg', table: 'public.five' }, columns,
    }); // biome-ignore format: a pipeline
    const five = await openRoute(pipeline, opened, registry);
    const keys = (await sourceRows(five)).map(({ key }) => key);
    expect(keys).toHaveLength(ids.length);
    const values = (found: readonly Put[]) => found.map(({ fields }) => Number(fields.v)).sort();
    expect(values(await five.source.read(keys))).toEqual([0, 1, 2, 3, 4, 5]);
    await db.collection('five').deleteMany({ v: { $in: [0, 3] } });
    expect(values(await five.source.read(keys))).toEqual([1, 2, 4, 5]);
  });

  it('are equal in the form that Postgres gives them', async () => {
    await owner.query(`create table forms (id text primary key, n numeric(10,2), wide numeric, c char(5), d date, t timestamp,
      ts timestamptz(3), j jsonb, u uuid, f real, ip inet, i interval, a int[],
      v varchar(3), b bit(3), k char(3), l varchar(3)[], rest jsonb, deleted_at timestamptz, other int default 7)`);
    const columns = Object.fromEntries(
      ['id:_id', 'n', 'wide', 'c', 'd', 't', 'ts', 'j', 'u', 'f', 'ip', 'i', 'a', 'v', 'b', 'k', 'l'].map(
        (each) => {
          const [name = '', path = name] = each.split(':');
          return [name, path];
        },
      ),
    );
    const pipeline = mongoToPostgres.parse({
      name: 'forms', from: { mongo: 'mg', collection: 'forms' }, to: { postgres: 'pg', table: 'public.forms' }, columns, rest: 'rest', deletes: 'mark',
    }); // biome-ignore format: a pipeline
    const documents = [
      { n: new Double(1.5), wide: Decimal128.fromString('1.500'), c: 'ab   ', d: '2024-02-03', t: new Date(5), ts: '2024-01-01 00:00:00+02' },
      { n: new Int32(3), j: { z: new Int32(1), a: new Double(1e300), o: new ObjectId() }, u: randomUUID().toUpperCase(), f: new Double(0.5), extra: { deep: [null] } },
      { ip: '10.0.0.1', i: '1 day 25:00', a: [new Long(5), null], wide: new Int32(7), nothing: null },
    ]; // biome-ignore format: documents
    for (const document of documents) await db.collection('forms').insertOne({ ...document });
    const tooLong = [{ v: 'abcd' }, { b: '1010' }, { k: 'abcd' }, { l: ['abcd'] }];
    await db.collection('forms').insertMany([{ d: 'never' }, ...tooLong]);
    const route = await openRoute(pipeline, opened, registry);
    const checkpoints = new PostgresCheckpoints('millrace');
    const { pool } = opened.postgres('pg');
    await checkpoints.start(owner, { pipeline: 'forms', topic: 't', partition: 0 }, 0n);
    const sink = await PostgresSink.open(pool, checkpoints, tableNameOf('public.forms'), route.columns);
    const source = await sourceRows(route);
    const others = source.filter(({ fault }) => !fault);
    expect(source.flatMap(({ fault }) => fault?.message ?? []).sort()).toEqual([
      'column b: a column of type bit(3) cannot hold "1010" exactly',
      'column d: a column of type date cannot hold "never" exactly',
      'column k: a column of type bpchar(3) cannot hold "abcd" exactly',
      'column l: a column of type varchar(3) cannot hold "abcd" exactly',
      'column v: a column of type varchar(3) cannot hold "abcd" exactly',
    ]);
    await write(sink, route, others);
    const target = await targetRows(route);
    expect(images(target)).toEqual(images(others));
    const keys = target.map(({ key }) => key);
    expect(images(await route.target.read(keys))).toEqual(images(others));
    expect(images(await route.source.read(keys))).toEqual(images(others));

    const gone = route.gone((others[0] as Put).key, new Date()) as Put;
    await sink.apply(
      { deletes: [], puts: [], patches: [gone] },
      { pipeline: 'forms', topic: 't', partition: 0, expected: 1n, next: 2n },
    );
    const marked = (await route.target.read([gone.key]))[0] as TargetRow;
    expect([route.mayBeGone(marked.fields), route.mayBeGone((others[0] as Put).fields)]).toEqual([
      true,
      false,
    ]);
  });
});
