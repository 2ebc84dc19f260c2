import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@millrace/testing';
import { type Db, Decimal128, type Document } from 'mongodb';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { endIdleTransactions } from './idle-transactions.js';
import type { ConflictPolicy } from './pair.decision.js';
import type { PairTables } from './pair.tables.js';
import { LostWrites } from './testing/lost-writes.js';
import { appName, createPair, dropPair, type Running, startWorker } from './testing/pair.fixture.js';

/** Instants move with every update, the bridge's too, and balances are rounded: Postgres alters what it is given. */
const CUSTOMERS = `
create table customers (id int primary key, name text, balance numeric(10,2), updated_at timestamptz, note varchar(20),
  local text default 'kept', twice numeric generated always as (balance * 2) stored);
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$;
create trigger touch before update on customers for each row execute function touch()`;

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

const hint = (id: number) => {
  for (const { worker } of workers) if (Math.random() < 0.7) worker.hint(`["${id}"]`);
};
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
const total = (name: 'docs' | 'rows' | 'conflicts') =>
  workers.reduce((sum, { worker }) => sum + worker.counts[name], 0);

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
    const { worker } = await start({ priority: 'postgres' });
    worker.checkEverything();
    await rest();
    expect(await differing()).toEqual([]);
    expect(await customers().countDocuments()).toBe(499);
    expect(await conflicts()).toEqual([]);

    await owner.query('alter table customers drop column twice, alter column balance type numeric(10,1)');
    worker.checkEverything();
    await rest();
    expect(await differing()).toEqual([]);

    await app.query('truncate customers');
    worker.checkEverything();
    await rest();
    expect(await customers().countDocuments()).toBe(0);
    expect(await conflicts()).toEqual([]);
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
    // A second, with room for a busy machine. The server itself would end the transaction after five.
    expect(waited).toBeLessThan(2_500);
    await expect(session.commitTransaction()).rejects.toThrow();
  });

  it.each<[string, ConflictPolicy]>([
    ['priority: postgres', { priority: 'postgres' }],
    ['newest', { newest: 'updated_at', priority: 'mongo' }],
  ])(
    'ends equal after two workers, random writers on both sides, kills and lost sessions: %s',
    { timeout: 180_000 },
    async (_, policy) => {
      await using watched = await LostWrites.watch(databases, owner);
      await start(policy);
      await start(policy);
      const load = { over: false };
      const reaper = await databases.mongo('bridge', { appName: appName(databases) });
      await Promise.all([
        postgresWriter(await databases.postgres('app'), load),
        postgresWriter(await databases.postgres('app'), load),
        mongoWriter(load),
        mongoWriter(load),
        trouble(load, policy, reaper),
      ]);
      await rest(60_000);
      for (const { worker } of workers) worker.checkEverything();
      await rest(60_000);
      expect(await differing()).toEqual([]);
      expect((await owner.query(`select from ${tables.parked}`)).rowCount).toBe(0);
      const logged = await conflicts();
      expect(await watched.find(logged)).toEqual([]);
      expect(logged.length).toBeGreaterThan(20);

      const [rows, written] = [total('rows'), total('docs')];
      for (let i = 0; i < 50; i++) {
        const id = 1_000 + i;
        await app.query(`insert into customers (id, name, balance) values ($1, 'quiet', 1.5)`, [id]);
        hint(id);
        workers[0]?.worker.hint(`["${id}"]`);
        await rest();
        await customers().updateOne({ _id: id as never }, { $set: { note: `edit ${i}` } });
        workers[1]?.worker.hint(`["${id}"]`);
        await rest();
      }
      expect(await differing()).toEqual([]);
      expect(await conflicts()).toHaveLength(logged.length);
      // Each edit of a document is one row, which the trigger touches: that is carried back once.
      expect([total('rows') - rows, total('docs') - written]).toEqual([50, 100]);
    },
  );
});

function hintAll(worker: Running['worker'], ...ids: number[]): void {
  for (const id of ids) worker.hint(`["${id}"]`);
}

const pick = (n: number) => Math.floor(Math.random() * n);
const KEYS = 60;
interface Load {
  over: boolean;
}
let tokens = 0;

async function postgresWriter(client: pg.Client, load: Load): Promise<void> {
  while (!load.over) {
    const [a, b] = [1 + pick(KEYS), 1 + pick(KEYS)].sort((x, y) => x - y) as [number, number];
    const token = `p${++tokens}`;
    const set = `update customers set note = $2, balance = ${pick(1000)}.25 where id = $1`;
    const kind = pick(7);
    try {
      if (kind < 2) await client.query(set, [a, token]);
      else if (kind === 2) await client.query('delete from customers where id = $1', [a]);
      else if (kind === 3) {
        await client.query(
          `insert into customers (id, name, note) values ($1, 'p', $2) on conflict (id) do update set note = excluded.note`,
          [a, token],
        );
      } else if (kind === 4) await client.query('update customers set id = $2 where id = $1', [a, b]);
      else {
        await client.query('begin');
        await client.query(set, [a, token]);
        await client.query('savepoint s');
        await client.query(set, [b, `${token}b`]);
        if (kind === 5) await client.query('rollback to s');
        await client.query('commit');
      }
    } catch {
      await client.query('rollback');
    }
    hint(a);
    hint(b);
  }
}

async function mongoWriter(load: Load): Promise<void> {
  while (!load.over) {
    const [a, b] = [1 + pick(KEYS), 1 + pick(KEYS)];
    const changes = { note: `m${++tokens}`, updated_at: new Date(), balance: pick(10_000) / 1000 };
    const kind = pick(6);
    try {
      if (kind < 2) await customers().updateOne({ _id: a as never }, { $set: changes });
      else if (kind === 2) await customers().deleteOne({ _id: a as never });
      else if (kind === 3)
        await customers().updateOne({ _id: a as never }, { $set: changes }, { upsert: true });
      else if (kind === 4) await customers().replaceOne({ _id: a as never }, changes, { upsert: true });
      else {
        await docs.client.withSession(async (session) => {
          session.startTransaction();
          await customers().updateOne({ _id: a as never }, { $set: changes }, { session });
          await customers().updateOne({ _id: b as never }, { $set: changes }, { session });
          await session.commitTransaction();
        });
      }
    } catch {
      // a write conflict: the application's own to retry, or not
    }
    hint(a);
    hint(b);
  }
}

/** Kills workers in the middle until there were conflicts enough, ends their sessions under them, and clears up what they leave behind. */
async function trouble(
  load: Load,
  policy: ConflictPolicy,
  reaper: Awaited<ReturnType<Databases['mongo']>>,
): Promise<void> {
  const [began, enough] = [performance.now(), 60];
  for (let turn = 0; !load.over; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 200 + pick(300)));
    await endIdleTransactions(reaper, appName(databases), 500);
    const seconds = (performance.now() - began) / 1000;
    load.over = seconds > 60 || (seconds > 5 && (await conflicts()).length > enough);
    if (turn % 2 === 0) {
      // The bridge's role may end its own sessions.
      await bridgeEnds();
    } else {
      const victim = workers[pick(2)] as Running;
      await victim.kill();
      workers[workers.indexOf(victim)] = await startWorker(databases, policy);
      for (const { worker } of workers) worker.checkEverything();
    }
  }
}

async function bridgeEnds(): Promise<void> {
  const bridge = await databases.postgres('bridge');
  await bridge.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'millrace-bridge' and usename = current_user order by random() limit 1`,
  );
  await bridge.end();
}
