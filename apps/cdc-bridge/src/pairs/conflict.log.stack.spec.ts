import type { Collection } from 'mongodb';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { ConflictLog } from './conflict.log.js';
import { pruneConflicts } from './conflict-retention.js';
import type { PairTables } from './pair.tables.js';
import { createPair } from './testing/pair.fixture.js';

const DAY_MS = 86_400_000;

let databases: Databases;
let owner: pg.Client;
let pool: pg.Pool;
let tables: PairTables;
let logged: Collection;
let log: ConflictLog;

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
  await owner.query(
    `create extension hstore;
     create table customers (id int primary key, amount numeric(12,4), big int8, data jsonb, tags hstore, spent money,
       open tstzrange, address inet, days date[])`,
  );
  tables = await createPair(databases, { drop: [] });
  pool = new pg.Pool({ connectionString: databases.postgresUrl('bridge'), max: 2 });
  const mongo = await databases.mongo('bridge');
  logged = mongo.db(`${databases.name}_bridge`).collection('customers.conflicts');
  const documents = mongo.db(databases.name).collection('customers');
  log = new ConflictLog(pool, tables, { schema: 'public', table: 'customers' }, documents, logged);
});

beforeEach(async () => {
  await owner.query(`truncate ${tables.conflicts}`);
  await logged.deleteMany({});
});

afterAll(async () => {
  await pool?.end();
  await databases?.[Symbol.asyncDispose]();
});

describe('the conflict log', () => {
  it('shows and puts back the very numbers of a row that lost', async () => {
    const row = `{"id": 1, "amount": 900.0000, "big": 1152921504606846977, "data": {"deep": [1.10, 5]}}`;
    await pool.query(`insert into ${tables.conflicts} (key, loser) values ('["1"]', $1)`, [row]);
    const [conflict] = await log.page(10);
    expect(conflict?.loser).toEqual({
      id: 1,
      amount: '900.0000',
      big: '1152921504606846977',
      data: { deep: ['1.10', 5] },
    });
    await log.restore(conflict?.id ?? '');
    const { rows } = await owner.query('select id, amount::text, big::text, data::text from customers');
    expect(rows).toEqual([
      { id: 1, amount: '900.0000', big: '1152921504606846977', data: '{"deep": [1.10, 5]}' },
    ]);
  });

  it('puts back what JSON writes otherwise, and leaves a column alone that came since', async () => {
    const row = `(7, 1, 2, null, '"a \\"b"=>"1", "c"=>NULL', 12.50, '[2024-01-01 00:00Z,)', '10.0.0.1', '{2024-02-29,NULL}')`;
    await owner.query(`insert into customers values ${row}`);
    const whole = async () => (await owner.query('select c::text as row from customers c where id = 7')).rows;
    const before = await whole();
    await owner.query(
      `insert into ${tables.conflicts} (key, loser) select '["7"]', to_jsonb(c) from customers c where id = 7`,
    );
    await owner.query(
      `update customers set tags = 'd=>4', spent = 0, open = null, address = null, days = null where id = 7`,
    );
    const [conflict] = await log.page(10);
    await log.restore(conflict?.id ?? '');
    expect(await whole()).toEqual(before);
    await owner.query(`alter table customers add tier text not null default 'basic'`);
    await owner.query(`update customers set tier = 'gold', amount = 5 where id = 7`);
    await log.restore(conflict?.id ?? '');
    const { rows } = await owner.query('select amount::text, tier from customers where id = 7');
    expect(rows).toEqual([{ amount: '1.0000', tier: 'gold' }]);
    await owner.query('delete from customers where id = 7');
    await log.restore(conflict?.id ?? '');
    expect((await owner.query('select tier from customers where id = 7')).rows).toEqual([{ tier: 'basic' }]);
  });

  it('forgets what is older than its retention, and the oldest beyond its number, on each side', async () => {
    const ages = [100, 95, 40, 30, 20, 10, 10];
    for (const [i, days] of ages.entries()) {
      const at = new Date(Date.now() - days * DAY_MS);
      const entry = [`["row ${i}"]`, at];
      await pool.query(
        `insert into ${tables.conflicts} (key, at) values ($1, date_trunc('milliseconds', $2::timestamptz))`,
        entry,
      );
      await logged.insertOne({ key: `["doc ${i}"]`, loser: null, at });
    }
    const keys = async () => (await log.page(100)).map(({ key }) => key).sort();
    await pruneConflicts(pool, tables, logged, { ageMs: 90 * DAY_MS, entries: 1_000 });
    expect(await keys()).toEqual(
      ['doc', 'row'].flatMap((side) => [2, 3, 4, 5, 6].map((i) => `["${side} ${i}"]`)),
    );
    await pruneConflicts(pool, tables, logged, { ageMs: 90 * DAY_MS, entries: 3 });
    expect(await keys()).toEqual(['doc', 'row'].flatMap((side) => [4, 5, 6].map((i) => `["${side} ${i}"]`)));
  });
});
