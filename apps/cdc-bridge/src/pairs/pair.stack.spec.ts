import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@millrace/testing';
import { BSON, DBRef, type Db, Decimal128, type Document, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { documentOf } from '../values/raw-document.js';
import { endIdleTransactions } from './idle-transactions.js';
import { NO_COUNTS } from './pair.counts.js';
import type { ConflictPolicy } from './pair.decision.js';
import { withoutOthers } from './pair.exclusion.js';
import { repairFrom } from './pair.repair.js';
import type { PairTables } from './pair.tables.js';
import { appName, createPair, dropPair, type Running, startWorker } from './testing/pair.fixture.js';

/** Instants move with every update, the bridge's too, and balances are rounded: Postgres alters what it is given. */
const CUSTOMERS = `
create table customers (id int primary key, name text, balance numeric(10,2), updated_at timestamptz, note varchar(20),
  local text default 'kept', twice numeric generated always as (balance * 2) stored);
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$;
create trigger touch before update on customers for each row execute function touch()`;

/** An application's longest: a second, with room for a busy machine. */
const WAIT_MS = 2_500;

let databases: Databases;
let owner: pg.Client;
let app: pg.Client;
let docs: Db;
let tables: PairTables;
let workers: Running[];

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
  await owner.query(CUSTOMERS);
  await owner.query(`grant select, insert, update, delete, truncate on customers to ${databases.name}_app`);
  app = await databases.postgres('app');
  docs = await databases.documents('app');
  tables = await createPair(databases);
  workers = [];
});

afterEach(async () => {
  await Promise.all(workers.map((running) => running.stop()));
  await databases?.[Symbol.asyncDispose]();
});

async function start(policy: ConflictPolicy): Promise<Running> {
  const running = await startWorker(databases, policy);
  workers.push(running);
  return running;
}

async function rest(timeoutMs = 30_000): Promise<void> {
  await eventually('the workers to come to rest', timeoutMs, () =>
    workers.every(({ worker }) => worker.idle),
  );
}

const customers = () => docs.collection<Document>('customers');

/** Compares both sides with nothing of the bridge's; returns what differs. */
async function differing(): Promise<unknown[]> {
  const { rows } = await owner.query<Record<string, string | number | null>>(
    `select id, name, balance::float8, floor(extract(epoch from updated_at) * 1000)::float8 as at, note from customers`,
  );
  const left = new Map(
    rows.map((row) => [row.id, JSON.stringify([row.name, row.balance, row.at, row.note])]),
  );
  const found = await customers().find().toArray();
  const right = new Map(
    found.map((doc) => {
      const balance = doc.balance === null || doc.balance === undefined ? null : Number(String(doc.balance));
      const at = (doc.updated_at as Date | null | undefined)?.getTime() ?? null;
      return [
        doc._id as unknown as number,
        JSON.stringify([doc.name ?? null, balance, at, doc.note ?? null]),
      ];
    }),
  );
  const ids = new Set([...left.keys(), ...right.keys()]);
  return [...ids]
    .filter((id) => left.get(id) !== right.get(id as number))
    .map((id) => [id, left.get(id), right.get(id as number)]);
}

const conflicts = async () => {
  const { rows } = await owner.query<{ key: string; loser: Document | null }>(
    `select key, loser from ${tables.conflicts}`,
  );
  const bridge = await databases.documents('bridge');
  const logged = await bridge.client
    .db(`${databases.name}_bridge`)
    .collection('customers.conflicts')
    .find()
    .toArray();
  return [
    ...rows,
    ...logged.map(({ key, loser }) => ({ key: key as string, loser: loser as Document | null })),
  ];
};

describe('a pair', () => {
  it('carries inserts, edits and deletions over, and writes nothing for an echo', async () => {
    const { worker } = await start({ priority: 'postgres' });
    await app.query(
      `insert into customers (id, name, balance, updated_at) values (1, 'Ann', 1.5, '2024-01-01 00:00:00.123456Z')`,
    );
    hintAll(worker, 1);
    await rest();
    expect(await customers().findOne({ _id: 1 as never })).toEqual({
      _id: 1,
      name: 'Ann',
      balance: Decimal128.fromString('1.50'),
      updated_at: new Date('2024-01-01T00:00:00.123Z'),
      note: null,
    });

    await customers().updateOne(
      { _id: 1 as never },
      { $set: { name: 'Anna', balance: 2.255, extra: 'mine' } },
    );
    hintAll(worker, 1);
    await rest();
    const { rows } = await owner.query('select name, balance, local from customers');
    expect(rows).toEqual([{ name: 'Anna', balance: '2.26', local: 'kept' }]);
    expect(await customers().findOne({ _id: 1 as never })).toMatchObject({
      balance: Decimal128.fromString('2.26'),
      extra: 'mine',
    });

    const before = { ...worker.counts };
    hintAll(worker, 1);
    await rest();
    expect(worker.counts).toEqual({ ...before, nothing: before.nothing + 1 });

    await customers().deleteOne({ _id: 1 as never });
    hintAll(worker, 1);
    await rest();
    expect((await owner.query('select from customers')).rowCount).toBe(0);
    expect(await conflicts()).toEqual([]);
  });

  it('writes no field but what was edited, so that none loses what the other side cannot hold', async () => {
    await owner.query('alter table customers disable trigger touch');
    const { worker } = await start({ priority: 'postgres' });
    await app.query(`insert into customers (id, updated_at) values (1, '2024-01-01 00:00:00.123456Z')`);
    await customers().insertOne({ _id: 2 as never, name: 'Bo', balance: new Int32(2) });
    hintAll(worker, 1, 2);
    await rest();
    await customers().updateOne({ _id: 1 as never }, { $set: { name: 'Anna' } });
    await app.query(`update customers set name = 'Bob' where id = 2`);
    hintAll(worker, 1, 2);
    await rest();
    const { rows } = await owner.query(
      `select name, to_char(updated_at at time zone 'utc', 'US') as micros from customers where id = 1`,
    );
    expect(rows).toEqual([{ name: 'Anna', micros: '123456' }]);
    const bob = await customers().findOne({ _id: 2 as never }, { promoteValues: false });
    expect(bob).toMatchObject({ name: 'Bob', balance: new Int32(2) });
  });

  it('keeps documents that look like references as they are, both ways', async () => {
    await owner.query('alter table customers add about jsonb');
    const { worker } = await start({ priority: 'postgres' });
    await app.query(
      `insert into customers (id, about) values (1, '{"$ref": "a.b", "$id": 1, "n": {"$ref": "c", "$id": "x"}}')`,
    );
    await customers().insertOne({ _id: 2 as never, about: new DBRef('orders', 7 as never, 'archive') });
    hintAll(worker, 1, 2);
    await rest();
    const raw = await docs
      .collection<Document>('customers')
      .find({}, { raw: true })
      .sort({ _id: 1 })
      .toArray();
    const abouts = raw.map((bytes) => {
      const { about } = documentOf(bytes as unknown as Uint8Array) as Document;
      return JSON.parse(BSON.EJSON.stringify(about, { relaxed: true }));
    });
    expect(abouts).toEqual([
      { $ref: 'a.b', $id: 1, n: { $ref: 'c', $id: 'x' } },
      { $ref: 'orders', $id: 7, $db: 'archive' },
    ]);
    const { rows } = await owner.query('select about from customers order by id');
    expect(rows.map(({ about }) => about)).toEqual(abouts);
    const before = { ...worker.counts };
    hintAll(worker, 1, 2);
    await rest();
    expect(worker.counts).toEqual({ ...before, nothing: before.nothing + 2 });
  });

  it.each<ConflictPolicy>([{ priority: 'postgres' }, { priority: 'mongo' }])(
    'decides a conflict by %o and keeps the whole loser',
    async (policy) => {
      const { worker } = await start(policy);
      await app.query(`insert into customers (id, name) values (1, 'Ann')`);
      hintAll(worker, 1);
      await rest();
      await app.query(`update customers set name = 'from Postgres', local = 'unmapped' where id = 1`);
      await customers().updateOne({ _id: 1 as never }, { $set: { name: 'from MongoDB', extra: 'unmapped' } });
      hintAll(worker, 1);
      await rest();
      expect(await differing()).toEqual([]);
      const won = policy.priority === 'mongo' ? 'from MongoDB' : 'from Postgres';
      expect((await owner.query('select name from customers')).rows).toEqual([{ name: won }]);
      const lost =
        policy.priority === 'mongo'
          ? { name: 'from Postgres', local: 'unmapped' }
          : { name: 'from MongoDB', extra: 'unmapped' };
      expect(await conflicts()).toMatchObject([{ key: '["1"]', loser: lost }]);
    },
  );

  it('begins with both sides filled, and follows TRUNCATE and ALTER TYPE by a check of everything', async () => {
    await app.query(
      `insert into customers (id, name, balance) select k, 'n' || k, k + 0.55 from generate_series(1, 300) k`,
    );
    await customers().insertMany(
      Array.from({ length: 300 }, (_, i) => ({
        _id: (i + 200) as never,
        name: `n${i + 200}`,
        balance: i + 200.55,
      })),
    );
    const { worker, stop } = await start({ priority: 'postgres' });
    worker.checkEverything();
    await rest();
    expect(await differing()).toEqual([]);
    expect(await customers().countDocuments()).toBe(499);
    expect(await conflicts()).toEqual([]);

    await stop();
    workers = [];
    await owner.query('alter table customers drop column twice, alter column balance type numeric(10,1)');
    const { worker: next } = await start({ priority: 'postgres' });
    next.checkEverything();
    await rest();
    expect(await differing()).toEqual([]);

    await app.query('truncate customers');
    next.checkEverything();
    await rest();
    expect(await customers().countDocuments()).toBe(0);
    expect(await conflicts()).toEqual([]);
  });

  it.each(['rows', 'documents'])('begins with %s alone', async (filled) => {
    const ids = [1, 2, 3];
    if (filled === 'rows') for (const id of ids) await app.query(`insert into customers (id) values (${id})`);
    else await customers().insertMany(ids.map((id) => ({ _id: id as never })));
    const { worker } = await start({ priority: filled === 'rows' ? 'mongo' : 'postgres' });
    worker.checkEverything();
    await rest();
    expect((await owner.query('select id from customers order by id')).rows).toEqual(
      ids.map((id) => ({ id })),
    );
    expect(await customers().countDocuments()).toBe(3);
    expect([await differing(), await conflicts()]).toEqual([[], []]);
  });

  it('parks alone what a side refuses, shows it, and tries again when it changes', async () => {
    const running = await start({ priority: 'postgres' });
    await customers().insertMany([
      { _id: 1 as never, note: 'longer than the twenty characters' },
      { _id: 2 as never, name: 'U+0000 \0' },
      { _id: 3 as never, name: 'fine' },
      { _id: 'no key' as never, name: 'x' },
    ]);
    running.worker.checkEverything();
    await rest();
    const parked = async () =>
      (await owner.query(`select key, reason from ${tables.parked} order by key`)).rows;
    expect(await parked()).toEqual([
      { key: '["1"]', reason: expect.stringContaining('too long') },
      { key: '["2"]', reason: expect.stringContaining('field name: a text with U+0000') },
    ]);
    expect((await owner.query('select id from customers')).rows).toEqual([{ id: 3 }]);
    expect(running.unmapped).toEqual(['no key']);

    await customers().updateOne({ _id: 1 as never }, { $set: { note: 'short' } });
    hintAll(running.worker, 1);
    await rest();
    expect(await parked()).toMatchObject([{ key: '["2"]' }]);
    expect((await owner.query('select note from customers where id = 1')).rows).toEqual([{ note: 'short' }]);

    await app.query(`insert into customers (id, name) values (2, 'without it')`);
    hintAll(running.worker, 2);
    await rest();
    expect(await parked()).toEqual([]);
    expect(await customers().findOne({ _id: 2 as never })).toMatchObject({ name: 'without it' });
    expect(await conflicts()).toMatchObject([{ key: '["2"]', loser: { name: 'U+0000 \0' } }]);
  });

  it('parks a row that is larger than a document may be, and goes on with the others', async () => {
    const { worker } = await start({ priority: 'postgres' });
    await app.query(`insert into customers (id, name) values (1, repeat('x', 17 * 1024 * 1024)), (2, 'Bob')`);
    hintAll(worker, 1, 2);
    await eventually('the other one', 30_000, () => customers().findOne({ _id: 2 as never }));
    await eventually('the large one to be parked', 30_000, async () => {
      const { rows } = await owner.query<{ reason: string }>(`select reason from ${tables.parked}`);
      return rows[0]?.reason.includes('over 16 MB');
    });
    await app.query(`update customers set name = 'Ann' where id = 1`);
    hintAll(worker, 1);
    await rest();
    expect((await owner.query(`select key from ${tables.parked}`)).rows).toEqual([]);
    expect(await differing()).toEqual([]);
  });

  it('ends a look at every key however often another is asked for meanwhile', async () => {
    const { worker } = await start({ priority: 'postgres' });
    await app.query(`insert into customers (id, name) select n, 'Ann' from generate_series(1, 4000) n`);
    const asking = setInterval(() => worker.checkEverything(), 20);
    try {
      await eventually('every document', 60_000, async () => (await customers().countDocuments()) === 4_000);
    } finally {
      clearInterval(asking);
    }
    await rest(60_000);
    expect(await differing()).toEqual([]);
  }, 120_000);

  it('keeps its ledger whatever the search_path of who writes, and for a writer in replica mode', async () => {
    await start({ priority: 'postgres' });
    await owner.query(`create schema hostile;
      create function hostile.pg_current_xact_id() returns xid8 language sql as $$ select '1'::xid8 $$;
      create function hostile.nextval(regclass) returns bigint language sql as $$ select -1::bigint $$;
      grant usage on schema hostile to ${databases.name}_app`);
    await app.query(`set search_path = hostile, pg_catalog, public; insert into customers (id) values (1)`);
    const replica = await databases.superuser();
    await replica.query(`set session_replication_role = replica; insert into customers (id) values (2)`);
    const { rows } = await owner.query(
      `select key, rev > 0 as rev, xact <> '1'::xid8 as xact from ${tables.ledger} order by key`,
    );
    expect(rows).toEqual([
      { key: '["1"]', rev: true, xact: true },
      { key: '["2"]', rev: true, xact: true },
    ]);
  });

  it('goes on with other keys while an application holds a document or a row, and then with that one', async () => {
    const { worker } = await start({ priority: 'postgres' });
    const ids = Array.from({ length: 20 }, (_, i) => i + 1);
    await app.query(`insert into customers (id, name) select n, 'Ann' from generate_series(1, 20) n`);
    hintAll(worker, ...ids);
    await rest();

    const holder = await databases.mongo('app');
    await using session = holder.startSession();
    session.startTransaction();
    const held = holder.db(databases.name).collection<Document>('customers');
    await held.updateOne({ _id: 1 as never }, { $set: { extra: 'held' } }, { session });
    await app.query(`update customers set name = 'row'`);
    hintAll(worker, ...ids);
    await eventually('the other documents', 30_000, async () => {
      return (await customers().countDocuments({ name: 'row' })) === ids.length - 1;
    });
    expect(
      // Few enough to be over before the server ends the holder's transaction, after five seconds.
      await longestOf(5, (n) => app.query(`update customers set note = $1 where id = 1`, [`edit ${n}`])),
    ).toBeLessThan(WAIT_MS);
    await session.commitTransaction();
    hintAll(worker, 1);
    await rest();
    expect(await differing()).toEqual([]);
    expect(await customers().findOne({ _id: 1 as never })).toMatchObject({ note: 'edit 5', extra: 'held' });

    const other = await databases.postgres('app');
    await other.query(
      'begin; select from customers where id = 1 for update; insert into customers (id) values (21)',
    );
    await customers().insertMany([21, 22].map((id) => ({ _id: id as never })));
    await customers().updateMany({}, { $set: { name: 'document' } });
    hintAll(worker, ...ids, 21, 22);
    await eventually('the other rows', 30_000, async () => {
      const { rowCount } = await owner.query(`select from customers where name = 'document'`);
      return rowCount === ids.length;
    });
    const edit = (n: number) => customers().updateOne({ _id: 1 as never }, { $set: { note: `later ${n}` } });
    expect(await longestOf(20, edit)).toBeLessThan(WAIT_MS);
    await other.query('rollback');
    hintAll(worker, 1);
    await rest();
    const { rows } = await owner.query('select name, note from customers where id in (1, 21) order by id');
    expect(rows).toEqual([
      { name: 'document', note: 'later 20' },
      { name: 'document', note: null },
    ]);
    expect([await differing(), await conflicts()]).toEqual([[], []]);
    expect((await owner.query(`select key, reason from ${tables.parked}`)).rows).toEqual([]);
  });

  it('stops when Postgres was restored from an older copy', async () => {
    const running = await start({ priority: 'postgres' });
    await app.query(`insert into customers (id, name) values (1, 'Ann')`);
    hintAll(running.worker, 1);
    await rest();
    await owner.query(`update ${tables.ledger} set rev = 0`);
    hintAll(running.worker, 1);
    expect(await running.ended).toMatchObject({ code: 'PAIR_RESTORED' });
    expect(await customers().countDocuments()).toBe(1);
  });

  it.each(['postgres', 'mongo'] as const)(
    'takes a column that is added for an edit of the rows, and of no document, priority %s',
    async (priority) => {
      const { worker, stop } = await start({ priority });
      await app.query(`insert into customers (id, name) values (1, 'Ann'), (2, 'Bob')`);
      hintAll(worker, 1, 2);
      await rest();
      await stop();
      workers = [];
      await owner.query(`alter table customers add column tier text not null default 'basic'`);
      const later = await start({ priority });
      later.worker.checkEverything();
      await rest();
      const found = await customers().find().sort({ _id: 1 }).toArray();
      expect(found).toMatchObject([
        { name: 'Ann', tier: 'basic' },
        { name: 'Bob', tier: 'basic' },
      ]);
      const { rows } = await owner.query('select tier from customers');
      expect(rows).toEqual([{ tier: 'basic' }, { tier: 'basic' }]);
      expect([await conflicts(), later.worker.counts.rows]).toEqual([[], 0]);
    },
  );

  it.each(['postgres', 'mongo'] as const)(
    'ends a worker that has the old columns, and keeps what documents were edited meanwhile, priority %s',
    async (priority) => {
      const old = await start({ priority });
      await app.query(`insert into customers (id, name) values (1, 'Ann'), (2, 'Bob')`);
      hintAll(old.worker, 1, 2);
      await rest();
      await owner.query(`alter table customers add column tier text not null default 'basic'`);
      await customers().updateOne({ _id: 1 as never }, { $set: { name: 'Anna' } });
      await customers().updateOne({ _id: 2 as never }, { $set: { name: 'Bobby', tier: 'gold' } });
      const before = { ...old.worker.counts };
      hintAll(old.worker, 1, 2);
      expect(await old.ended).toMatchObject({ code: 'PAIR_COLUMNS_CHANGED' });
      expect(old.worker.counts).toEqual(before);
      workers = [];
      const { worker } = await start({ priority });
      hintAll(worker, 1, 2);
      await rest();
      const { rows } = await owner.query('select name, tier from customers order by id');
      expect(rows).toEqual([
        { name: 'Anna', tier: 'basic' },
        { name: 'Bobby', tier: 'gold' },
      ]);
      expect(await customers().find().sort({ _id: 1 }).toArray()).toMatchObject(rows);
      expect(await conflicts()).toEqual([]);
    },
  );

  it('ends a worker one of whose columns is gone', async () => {
    const { worker, ended } = await start({ priority: 'postgres' });
    await owner.query('alter table customers drop column note');
    hintAll(worker, 1);
    expect(await ended).toMatchObject({ code: 'PAIR_COLUMNS_CHANGED' });
  });

  it('is repaired from one side by one worker alone', async () => {
    const { worker } = await start({ priority: 'postgres' });
    const { sync } = worker;
    const key = '["1"]';
    await app.query(`insert into customers (id, name) values (1, 'row')`);
    hintAll(worker, 1);
    await rest();
    await withoutOthers(sync.parts.pool, tables.pair, async () => {
      await customers().updateOne({ _id: 1 as never }, { $set: { name: 'document' } });
      await app.query(`update customers set note = 'row' where id = 1`);
      const round = await sync.round([key]);
      expect([[...round.wait], round.counts]).toEqual([[key], NO_COUNTS]);
      const other = repairFrom('mongo', sync.parts, AbortSignal.timeout(30_000));
      await expect(other).rejects.toMatchObject({ code: 'PAIR_TAKEN' });
    });
    await repairFrom('mongo', sync.parts, AbortSignal.timeout(30_000));
    const { rows } = await owner.query('select name, note from customers');
    expect(rows).toEqual([{ name: 'document', note: null }]);
    expect((await sync.round([key])).wait.size).toBe(0);
  });

  it('leaves a table as it was when the pair goes', async () => {
    await dropPair(databases);
    await app.query(`insert into customers (id) values (1)`);
    const { rows } = await owner.query(`select tgname from pg_trigger where tgrelid = 'customers'::regclass`);
    expect(rows).toEqual([{ tgname: 'touch' }]);
  });

  it('ends the transaction of a killed worker, before an application waits a second', async () => {
    const killed = await databases.mongo('bridge', { appName: appName(databases) });
    await customers().insertOne({ _id: 1 as never, name: 'Ann' });
    const session = killed.startSession();
    session.startTransaction();
    await killed
      .db(databases.name)
      .collection<Document>('customers')
      .updateOne({ _id: 1 as never }, { $set: { name: 'late' } }, { session });
    const other = await databases.mongo('bridge', { appName: appName(databases) });
    const waiting = { over: false };
    const reaping = (async () => {
      while (!waiting.over) {
        await endIdleTransactions(other, appName(databases), 100);
        await delay(100);
      }
    })();
    const began = performance.now();
    // Without the journal, whose disk may be slow: it is the wait for the document that counts.
    const options = { writeConcern: { w: 1, journal: false } };
    await customers().updateOne({ _id: 1 as never }, { $set: { name: 'in time' } }, options);
    const waited = performance.now() - began;
    waiting.over = true;
    await reaping;
    // The server itself would end the transaction after five.
    expect(waited).toBeLessThan(WAIT_MS);
    await expect(session.commitTransaction()).rejects.toThrow();
  });
});

function hintAll(worker: Running['worker'], ...ids: number[]): void {
  for (const id of ids) worker.hint(`["${id}"]`);
}

/** Milliseconds of the longest of so many writes, which take a second and more together. */
async function longestOf(times: number, write: (n: number) => Promise<unknown>): Promise<number> {
  let longest = 0;
  for (let n = 1; n <= times; n++) {
    const began = performance.now();
    await write(n);
    longest = Math.max(longest, performance.now() - began);
    await delay(50);
  }
  return longest;
}
