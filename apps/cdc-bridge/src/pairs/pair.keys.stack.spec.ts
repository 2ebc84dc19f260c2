import { eventually, LogReader } from '@millrace/testing';
import {
  Binary,
  BSON,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  ObjectId,
  UUID,
} from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { groupOf } from '../names/bridge-names.js';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { Flows, NO_DIFFERENCE } from '../testing/flows.js';

const TABLE = '"Odd; x"';
const VALUE = 'sélect "it"';
const UUIDS = ['6f1c3b1e-3c1b-4b52-9a77-0d3b5d0c6a01', 'a3a5f0de-27ab-4d19-8f3e-5b0a4d0e7b02'] as const;
/** What SQL, JSON and regular expressions might trip over. */
const HOSTILE = `"; drop table x; -- {$k} ['\\u0041'] \\ \n ,ü😀`;
const BYTES = new Binary(Buffer.alloc(16, 1));
const MOMENT = new Date('2026-01-31T12:00:00.123Z');

interface Kind {
  readonly table: string;
  readonly type: string;
  /** Each as Postgres prints it, and the `_id` that an application writes. */
  readonly keys: readonly (readonly [text: string, id: unknown])[];
  /** Each an `_id` that stands for no key of the table. */
  readonly strangers: readonly unknown[];
}

const KINDS: readonly Kind[] = [
  {
    table: 'by_uuid',
    type: 'uuid',
    keys: UUIDS.map((text) => [text, new UUID(text)] as const),
    strangers: [UUIDS[0], 'no uuid', BYTES, new Binary(Buffer.alloc(15, 1), 4), new Int32(5)],
  },
  {
    table: 'by_int8',
    type: 'int8',
    keys: [
      ['7', new Int32(7)],
      ['8', Long.fromNumber(8)],
      ['9', new Double(9)],
      ['9007199254740993', Long.fromString('9007199254740993')],
      ['9007199254740994', new Double(9_007_199_254_740_994)],
      ['-9223372036854775808', Long.MIN_VALUE],
    ],
    strangers: [new UUID(UUIDS[0]), MOMENT, Decimal128.fromString('2.5'), new Double(1.5), null, '7'],
  },
  {
    table: 'by_varchar',
    type: 'varchar(60)',
    keys: [HOSTILE, '7', '{"$oid": "x"}', ''].map((text) => [text, text] as const),
    strangers: [new ObjectId(), new Int32(7), 'U+0000 \0', MOMENT],
  },
  {
    table: 'by_object_id',
    type: 'text',
    keys: [new ObjectId(), new ObjectId()].map((id) => [id.toHexString(), id] as const),
    strangers: ['0123456789abcdef01234567', new UUID(UUIDS[0]), new Int32(7)],
  },
];

let flows: Flows;
let bridge: BridgeUnderTest;
let odd: Collection<Document & { _id: object }>;
/** Unique, as the dead-letter topic is named after it. */
const pipeline = (table: string) => `${bridge.names.postgres}-${table.replaceAll('_', '-')}`;

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    [
      `create table ${TABLE} (a uuid, "b c" text, "sélect ""it""" text, primary key ("b c", a))`,
      ...KINDS.map(({ table, type }) => `create table ${table} (id ${type} primary key, name text)`),
    ].join(';'),
  );
  ({ bridge } = flows);
  odd = flows.documents.collection('odd; x');
  const pair = (table: string, collection: string, name = table) => ({
    name: pipeline(name),
    between: [
      { postgres: bridge.names.postgres, table: `public.${table}` },
      { mongo: bridge.names.mongo, collection },
    ],
    conflict: { priority: 'postgres' },
    ...(table === 'by_object_id' && { key: 'objectId' }),
  });
  await bridge.deploy([pair('Odd; x', 'odd; x', 'odd'), ...KINDS.map(({ table }) => pair(table, table))]);
  for (const name of ['odd', ...KINDS.map(({ table }) => table)]) {
    await eventually(`${name} to run`, 90_000, async () => (await status(name)).state === 'running');
  }
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const status = (name: string) => bridge.status(pipeline(name));

async function letters(name: string) {
  const topic = `${groupOf(pipeline(name))}.dlq`;
  const reader = await LogReader.fromBeginning(inject('stack').kafka.bootstrapServers, [topic]);
  return await reader.read().finally(() => reader.close());
}

const idOf = (text: string, uuid: string) => ({ 'b c': text, a: new UUID(uuid) });

/** Waits until both sides hold precisely these: the key's text, its uuid, the value. */
async function both(expected: readonly (readonly [string, string, string])[]): Promise<void> {
  await eventually('both sides to hold them', 30_000, async () => {
    const { rows } = await flows.app.query<Record<string, string>>(
      `select "b c", a::text, "sélect ""it""" from ${TABLE}`,
    );
    const documents = await odd.find({ misplaced: { $exists: false } }, { promoteValues: true }).toArray();
    const left = rows.map((row) => [row['b c'], row.a, row[VALUE]]);
    const right = documents.map(({ _id, [VALUE]: value }) => {
      const { 'b c': text, a } = _id as { 'b c': string; a: Binary };
      return [text, a.toUUID().toString(), value];
    });
    expect(sorted(left)).toEqual(sorted(expected));
    expect(sorted(right)).toEqual(sorted(expected));
    return true;
  });
}

const sorted = (list: readonly unknown[]) => list.map((each) => JSON.stringify(each)).sort();

describe('a pair whose table, columns and keys have odd names and values', () => {
  it('carries inserts, edits and deletions over both ways', async () => {
    const [first, second] = UUIDS;
    const { app } = flows;
    await app.query(`insert into ${TABLE} values ($1, $2, 'row'), ($1, '', 'empty')`, [first, HOSTILE]);
    await odd.insertOne({ _id: idOf(HOSTILE, second), [VALUE]: 'document' });
    await both([
      [HOSTILE, first, 'row'],
      ['', first, 'empty'],
      [HOSTILE, second, 'document'],
    ]);
    await app.query(`update ${TABLE} set "sélect ""it""" = $1 where a = $2`, [HOSTILE, second]);
    await odd.updateOne({ _id: idOf('', first) }, { $set: { [VALUE]: 'edited' } });
    await both([
      [HOSTILE, first, 'row'],
      ['', first, 'edited'],
      [HOSTILE, second, HOSTILE],
    ]);
    await app.query(`update ${TABLE} set "b c" = 'moved' where "b c" = '' `);
    await odd.deleteOne({ _id: idOf(HOSTILE, first) });
    await app.query(`delete from ${TABLE} where a = $1`, [second]);
    await both([['moved', first, 'edited']]);
    expect((await status('odd')).pair?.conflicts).toBe(0);
    expect(await flows.verify(pipeline('odd'))).toMatchObject({ compared: 1, ...NO_DIFFERENCE });
  });

  it('dead-letters a document by name whose _id has the key’s fields in another order', async () => {
    const [first] = UUIDS;
    const { 'b c': text, a } = idOf('moved', first);
    await odd.insertOne({ _id: { a, 'b c': text }, [VALUE]: 'in disorder', misplaced: true });
    const sample = await eventually('it to be told', 30_000, async () => {
      const unmapped = (await status('odd')).pair?.unmapped;
      return unmapped?.count === 1 && unmapped.sample;
    });
    expect(sample).toMatchObject([{ id: expect.stringMatching(/^\{"_id":\{"a":.*"b c":"moved"\}\}$/) }]);
    expect((await letters('odd')).map(({ headers }) => headers)).toMatchObject([
      { 'dlq.reason.code': 'KEY_UNMAPPED', 'dlq.reason.text': expect.stringContaining('"b c":"moved"') },
    ]);
    await odd.updateOne({ _id: idOf('moved', first) }, { $set: { [VALUE]: 'goes on' } });
    await both([['moved', first, 'goes on']]);
  });
});

describe.each(KINDS)('a pair $table', ({ table, keys, strangers }) => {
  const documents = () => flows.documents.collection<{ _id: unknown; name: string }>(table);

  /** Waits until both sides hold precisely these names, by the key's text. */
  async function bothHold(expected: Readonly<Record<string, string>>): Promise<void> {
    await eventually(`both sides of ${table} to hold ${JSON.stringify(expected)}`, 30_000, async () => {
      const { rows } = await flows.app.query<{ id: string; name: string }>(
        `select id::text, name from ${table}`,
      );
      expect(Object.fromEntries(rows.map(({ id, name }) => [id, name]))).toEqual(expected);
      const found = await Promise.all(keys.map(([, _id]) => documents().findOne({ _id: _id as never })));
      const names = keys.flatMap(([text], i) => (found[i] ? [[text, found[i].name]] : []));
      expect(Object.fromEntries(names)).toEqual(expected);
      expect(await documents().countDocuments()).toBe(names.length);
      return true;
    });
  }
  const all = (name: string) => Object.fromEntries(keys.map(([text]) => [text, name]));

  it('carries inserts, edits and deletions of either side over, by their hints', async () => {
    await documents().insertMany(keys.map(([, _id]) => ({ _id: _id as never, name: 'document' })));
    await bothHold(all('document'));
    await flows.app.query(`update ${table} set name = 'edited row'`);
    await bothHold(all('edited row'));
    for (const [, _id] of keys) {
      await documents().updateOne({ _id: _id as never }, { $set: { name: 'edited document' } });
    }
    await bothHold(all('edited document'));
    await flows.app.query(`delete from ${table}`);
    await bothHold({});
    for (const [text] of keys) await flows.app.query(`insert into ${table} values ($1, 'row')`, [text]);
    await bothHold(all('row'));
    for (const [, _id] of keys) await documents().deleteOne({ _id: _id as never });
    await bothHold({});
    const { pair } = await status(table);
    expect(pair).toMatchObject({ conflicts: 0, parked: { count: 0 }, unmapped: { count: 0 } });
  });

  it('lists and dead-letters, by the record that told of it, each document whose _id is no key', async () => {
    // By an upsert: the driver gives a document with null as its _id one of its own.
    for (const _id of strangers) {
      await documents().updateOne({ _id: _id as never }, { $set: { name: 'stranger' } }, { upsert: true });
    }
    const names = strangers.map((_id) => BSON.EJSON.stringify({ _id }, { relaxed: false })).sort();
    await eventually(`${names.length} to be told`, 30_000, async () => {
      const unmapped = (await status(table)).pair?.unmapped;
      expect(unmapped?.sample.map((each) => (each as { id: string }).id).sort()).toEqual(names);
      expect(unmapped?.count).toBe(names.length);
      return true;
    });
    const told = (await letters(table)).map(({ headers }) => headers);
    expect(told.map((headers) => headers['dlq.reason.code'])).toEqual(names.map(() => 'KEY_UNMAPPED'));
    for (const name of names) {
      expect(told.filter((headers) => headers['dlq.reason.text']?.startsWith(`${name}: `))).toHaveLength(1);
    }
    // What a check of everything finds is of no partition.
    expect(told.some((headers) => Number(headers['dlq.partition']) >= 0)).toBe(true);
    await documents().deleteMany({});
    await eventually('none to be left', 30_000, async () => (await status(table)).pair?.unmapped.count === 0);
    expect((await status(table)).pair?.parked.count).toBe(0);
    expect((await flows.app.query(`select from ${table}`)).rowCount).toBe(0);
  });
});

it('parks alone a key that its column has no place for, until its document is gone', async () => {
  const documents = flows.documents.collection<{ _id: string; name: string }>('by_varchar');
  const [long, short] = ['x'.repeat(61), 'x'.repeat(60)];
  const parked = async () =>
    (await status('by_varchar')).pair?.parked.sample.map((each) => (each as { key: string }).key);
  await documents.insertOne({ _id: long, name: 'too long' });
  await eventually('it to be parked', 30_000, async () => {
    expect(await parked()).toEqual([JSON.stringify([long])]);
    return true;
  });
  await documents.insertOne({ _id: short, name: 'as long as may be' });
  const rows = async () => (await flows.app.query('select id, name from by_varchar')).rows;
  await eventually('the other to flow', 30_000, async () => (await rows()).length > 0);
  expect(await rows()).toEqual([{ id: short, name: 'as long as may be' }]);
  await documents.deleteMany({});
  await eventually('nothing to be left', 30_000, async () => {
    expect([await parked(), await rows()]).toEqual([[], []]);
    return true;
  });
});

it('parks alone a row whose key is no ObjectId, until it is gone', async () => {
  const told = async () => {
    const { pair, reasons } = await status('by_object_id');
    return [pair?.parked.count, reasons];
  };
  const id = new ObjectId();
  await flows.app.query(`insert into by_object_id values ('no ObjectId'), ('${id.toHexString()}')`);
  await eventually('it to be parked', 30_000, async () => {
    expect(await told()).toEqual([1, [expect.stringContaining('the key no ObjectId is no ObjectId')]]);
    return true;
  });
  const documents = flows.documents.collection('by_object_id');
  await eventually('the other to flow', 30_000, () => documents.findOne({ _id: id }));
  expect(await documents.countDocuments()).toBe(1);
  await flows.app.query('delete from by_object_id');
  await eventually('nothing to be told', 30_000, async () => {
    expect([await told(), await documents.countDocuments()]).toEqual([[0, []], 0]);
    return true;
  });
  expect(await bridge.ask('GET', '/health/ready')).toEqual({ status: 'ready', reasons: [] });
});
