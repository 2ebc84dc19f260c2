import { randomUUID } from 'node:crypto';
import { SchemaRegistry } from '@millrace/messaging';
import {
  Binary,
  BSONRegExp,
  Code,
  type Db,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openRoute } from '../mapping/open-route.js';
import type { Route } from '../mapping/route.js';
import { targetTable } from '../mapping/target-table.js';
import { type MongoToPostgres, mongoToPostgres } from '../pipelines/pipeline.schema.js';
import type { Key, Put } from '../sinks/compaction.js';
import { Captured, mongoName, postgresName } from '../testing/captured.js';
import { Databases } from '../testing/databases.js';
import type { BsonValue } from '../values/bson-value.js';
import { exactText } from '../values/exact-text.js';
import { bsonToJson, jsonToBson } from '../values/json-document.js';
import { DOCUMENT_CASES } from '../values/testing/document.cases.js';

const stack = inject('stack');

// biome-ignore format: a table
const IDS = [
  new ObjectId('65f000000000000000000001'), 'text "q" é', new Int32(5), Long.fromString('9007199254740993'),
  new Double(5.5), Decimal128.fromString('1.50'), new UUID('018f3c00-0000-7000-8000-00000000000a'),
  new Date('2024-01-01T00:00:00.123Z'), true, new Binary(Buffer.from([1, 2])),
  { a: new Int32(1), b: 'x' },
];
const EVERYTHING = {
  i: new Int32(1), l: Long.fromString('9007199254740993'), d: new Double(5), nan: new Double(Number.NaN),
  minus: new Double(-0), n: Decimal128.fromString('1.10'), date: new Date('2024-01-01'), bin: new Binary(Buffer.from('x')),
  uuid: new UUID(), ts: new Timestamp({ t: 1, i: 2 }), min: new MinKey(), max: new MaxKey(), re: new BSONRegExp('a', 'i'),
  code: new Code('f'), scoped: new Code('f', { a: new Int32(1) }), nothing: null, arr: [new Int32(1), 'a', null, { b: [] }],
  own: { $oid: 'none' }, deep: { deeper: { deepest: 'x' }, other: new Int32(3) }, oid: new ObjectId(),
  user: { $ref: 'users', $id: new Int32(7), more: new Double(1) }, file: { $ref: 'fs.files', $id: new ObjectId() },
  ...Object.fromEntries(DOCUMENT_CASES.map(({ bson }, i) => [`case${i}`, bson])),
}; // biome-ignore format: a table

let databases: Databases;
let captured: Captured;
let db: Db;
let owner: Client;

beforeAll(async () => {
  databases = await Databases.create(stack.databases);
  db = await databases.documents('owner');
  owner = await databases.postgres('owner');
  await owner.query(`grant usage on schema public to ${databases.name}_bridge`);
  for (const _id of IDS) await db.collection('2ids').insertOne({ _id: _id as never, v: new Int32(1) });
  captured = await Captured.start(stack, databases, 'mongo', ['2ids', 'docs', 'composite']);
}, 180_000);

afterAll(async () => {
  await captured?.[Symbol.asyncDispose]();
  await databases?.[Symbol.asyncDispose]();
});

function pipelineOf(collection: string, columns: object, more: object = {}): MongoToPostgres {
  return mongoToPostgres.parse({
    name: collection,
    from: { mongo: mongoName(databases), collection },
    to: {
      postgres: postgresName(databases),
      table: `public.t_${randomUUID().slice(0, 8).replaceAll('-', '')}`,
    },
    columns,
    create: true,
    ...more,
  });
}

async function open(pipeline: MongoToPostgres): Promise<Route> {
  await owner.query(`${targetTable(pipeline)?.sql};
    grant select, insert, update, delete on ${pipeline.to.table} to ${databases.name}_bridge`);
  return openRoute(pipeline, captured.databases, new SchemaRegistry({ url: stack.registry.url }));
}

async function changes(route: Route, count: number) {
  const records = await captured.of(route.topic, count);
  const readings = await Promise.all(records.map((record) => route.reader.read(record)));
  return readings.map((reading) => (reading.kind === 'change' ? reading.change : reading));
}

const puts = (all: Awaited<ReturnType<typeof changes>>) => all.filter(({ kind }) => kind === 'put') as Put[];
const ours = <T extends { key?: Key }>(all: T[], text: string) =>
  all.filter(({ key }) => key?.text.includes(text));

describe('the changes of a MongoDB collection', () => {
  it('give every type as it is in the document, by path and as the rest', async () => {
    await db.collection('docs').insertOne({ _id: 'all' as never, ...EVERYTHING });
    const route = await open(
      pipelineOf(
        'docs',
        {
          id: { path: '_id', type: 'text' },
          i: { path: 'i', type: 'int4' },
          l: { path: 'l', type: 'int8' },
          d: { path: 'd', type: 'float8' },
          n: { path: 'n', type: 'numeric(10,2)' },
          date: { path: 'date', type: 'timestamptz' },
          uuid: { path: 'uuid', type: 'uuid' },
          oid: { path: 'oid', type: 'char(24)' },
          deepest: { path: 'deep.deeper.deepest', type: 'text' },
          none: { path: 'deep.none', type: 'text' },
          owner: { path: 'user.$id', type: 'int4' },
        },
        { rest: 'rest' },
      ),
    );
    const [put] = ours(puts(await changes(route, 1)), 'all');
    const { i, l, d, n, date, uuid, oid, deep, user, ...rest } = EVERYTHING;
    expect(exactText(put?.fields)).toBe(
      exactText({
        id: 'all', i, l, d, n, date, uuid, oid, deepest: 'x', none: null, owner: user.$id,
        rest: { ...rest, deep: { other: deep.other }, user: { $ref: user.$ref, more: user.more } },
      }), // biome-ignore format: a row
    );
    // To JSON, a document of one's own that looks like a type is none.
    const [refused] = await route.source.read([(put as Put).key]);
    expect(refused?.fault?.message).toMatch(/column rest:.*\$oid/);
    await db.collection('docs').updateOne({ _id: 'all' as never }, { $unset: { own: 1 } });
    const [source] = await route.source.read([(put as Put).key]);
    expect(source?.key.text).toBe(put?.key.text);
    expect(source?.fields).toMatchObject({ date: '2024-01-01T00:00:00Z', oid: oid.toHexString() });
    // What the target gets of the change is what it gets of the document.
    const [, changed] = ours(puts(await changes(route, 2)), 'all');
    const written = (rest: BsonValue | undefined) => jsonToBson(bsonToJson(rest ?? null), true);
    expect(exactText(written(changed?.fields.rest))).toBe(exactText(source?.fields.rest));
    expect(exactText(changed?.fields.owner)).toBe(exactText(source?.fields.owner));
  });

  it('find a document again by the key of its row, whatever its _id was', async () => {
    const route = await open(
      pipelineOf('2ids', { id: { path: '_id', type: 'jsonb' }, v: { path: 'v', type: 'int4' } }),
    );
    const all = puts(await changes(route, IDS.length));
    expect(all.map(({ fields }) => exactText(fields.id)).sort()).toEqual(IDS.map(exactText).sort());
    for (const [type, ...ids] of [
      ['text', IDS[0], IDS[1]],
      ['int8', IDS[2], IDS[3]],
      ['numeric', IDS[4], IDS[5]],
      ['uuid', IDS[6]],
      ['timestamptz', IDS[7]],
      ['timestamp(3)', IDS[7]],
      ['bool', IDS[8]],
      ['bytea', IDS[9]],
    ]) {
      const typed = await open(
        pipelineOf('2ids', { id: { path: '_id', type }, v: { path: 'v', type: 'int4' } }),
      );
      const records = await captured.of(typed.topic, IDS.length);
      const read = await Promise.allSettled(records.map(async (record) => typed.reader.read(record)));
      const keys = read.flatMap((each) =>
        each.status === 'fulfilled' && each.value.kind === 'change' && each.value.change.kind === 'put'
          ? [each.value.change.key]
          : [],
      );
      const mine = keys.filter(({ fields }) => ids.some((id) => exactText(id) === exactText(fields.id)));
      expect(mine).toHaveLength(ids.length);
      const found = await typed.source.read(mine);
      expect(found.map(({ key }) => key.text).sort()).toEqual(mine.map(({ text }) => text).sort());
      // As the target would name it.
      const again = await typed.source.read(found.map(({ key }) => key));
      expect(again.map(({ key }) => key.text).sort()).toEqual(found.map(({ key }) => key.text).sort());
    }
  });

  it('tell deletions by their keys, and updates whose image is lost as something to read', async () => {
    const _id = { shop: 'north', n: new Int32(4) } as never;
    await db.collection('composite').insertOne({ _id, v: new Int32(1) });
    await db.collection('composite').updateOne({ _id }, { $set: { v: new Int32(2) } });
    await db.collection('composite').deleteOne({ _id });
    const columns = {
      n: { path: '_id.n', type: 'int4' },
      shop: { path: '_id.shop', type: 'text' },
      v: { path: 'v', type: 'int4' },
    };
    const route = await open(pipelineOf('composite', columns, { deletes: 'mark' }));
    const [inserted, updated, deleted] = (await changes(route, 4)) as Put[];
    expect(inserted?.fields).toEqual({ n: new Int32(4), shop: 'north', v: new Int32(1), deleted_at: null });
    expect(updated?.fields.v).toEqual(new Int32(2));
    expect([deleted?.key.text, deleted?.fields.deleted_at, deleted?.omitted]).toEqual([
      inserted?.key.text,
      expect.any(Date),
      ['v'],
    ]);
    expect(await route.source.read([(deleted as Put).key])).toEqual([]);
    await db.collection('composite').insertOne({ _id, v: new Int32(7) });
    expect((await route.source.read([(deleted as Put).key])).map(({ fields }) => fields.v)).toEqual([
      new Int32(7),
    ]);

    await db.command({ collMod: 'composite', changeStreamPreAndPostImages: { enabled: false } });
    await db.collection('composite').updateOne({ _id }, { $set: { v: new Int32(8) } });
    await db.collection('composite').deleteOne({ _id });
    const later = (await changes(route, 8)).slice(5) as Put[];
    expect(later.map(({ kind, key, omitted, isNew }) => [kind, key?.text, omitted, isNew])).toEqual([
      ['put', inserted?.key.text, ['v', 'deleted_at'], true],
      ['put', inserted?.key.text, ['v'], false],
      ['nothing', undefined, undefined, undefined],
    ]);
  });

  it('take a document that leaves the filter away', async () => {
    const id = new ObjectId();
    await db.collection('docs').insertOne({ _id: id, state: { open: true } });
    await db.collection('docs').updateOne({ _id: id }, { $set: { 'state.open': false } });
    const columns = { id: { path: '_id', type: 'text' }, open: { path: 'state.open', type: 'bool' } };
    const route = await open(pipelineOf('docs', columns, { where: { 'state.open': true } }));
    const records = await captured.of(route.topic, 4);
    const read = await Promise.all(records.map((record) => route.reader.read(record)));
    const mine = ours(
      read.flatMap((reading) => (reading.kind === 'change' ? [reading.change as Put] : [])),
      id.toHexString(),
    );
    expect(mine.map(({ kind }) => kind)).toEqual(['put', 'delete']);
  });

  it('are told from the rows that were read', async () => {
    const route = await open(pipelineOf('2ids', { id: { path: '_id', type: 'jsonb' } }));
    await db.collection('2ids').insertOne({ v: new Int32(2) });
    const records = await captured.of(route.topic, IDS.length + 1);
    const read = await Promise.all(records.map((record) => route.reader.read(record)));
    expect(read.filter((reading) => reading.kind === 'change' && !reading.isRead)).toHaveLength(1);
  });
});
