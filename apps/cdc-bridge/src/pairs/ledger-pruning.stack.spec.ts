import { eventually } from '@millrace/testing';
import { type Document, ObjectId } from 'mongodb';
import type pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { pruneLedger } from './ledger-pruning.js';
import type { MappingOptions } from './pair.mapping.js';
import type { PairTables } from './pair.tables.js';
import { createPair, type Running, startWorker } from './testing/pair.fixture.js';

let databases: Databases;
let owner: pg.Client;
let running: Running | undefined;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
  await databases?.[Symbol.asyncDispose]();
});

async function prepared(
  setUp: string,
  options: Partial<MappingOptions> = {},
): Promise<{ worker: Running['worker']; tables: PairTables }> {
  await owner.query(setUp);
  const tables = await createPair(databases, options);
  running = await startWorker(databases, { priority: 'postgres' }, options);
  return { worker: running.worker, tables };
}

const documents = async () => (await databases.documents('app')).collection<Document>('customers');

async function synced(worker: Running['worker']): Promise<void> {
  worker.checkEverything();
  await eventually('the worker to come to rest', 30_000, () => worker.idle);
}

/** Prunes, and lets the keys be looked at as the periodic check does. */
async function prune({ worker, tables }: { worker: Running['worker']; tables: PairTables }) {
  const pruned = await pruneLedger(worker.sync.parts, 0);
  await worker.settled(pruned, AbortSignal.timeout(30_000));
  const own = (await databases.documents('bridge')).client.db(`${databases.name}_bridge`);
  return {
    ledger: (await owner.query(`select from ${tables.ledger}`)).rowCount,
    bases: await own.collection('customers.bases').countDocuments(),
  };
}

it('forgets rows that were there before the pair, and those that came with it, after a TRUNCATE', async () => {
  const pair = await prepared(`create table customers (id int primary key, name text, local text);
    insert into customers values (1, 'before'), (2, 'before')`);
  await owner.query(`insert into customers values (3, 'since')`);
  await synced(pair.worker);
  expect(await (await documents()).countDocuments()).toBe(3);
  await owner.query('truncate customers');
  await synced(pair.worker);
  expect(await (await documents()).countDocuments()).toBe(0);
  expect(await prune(pair)).toEqual({ ledger: 0, bases: 0 });
});

it('notes in the ledger, as of its own transaction, what a TRUNCATE takes away', async () => {
  const { tables } = await prepared('create table customers (id int primary key, name text, local text)');
  await owner.query(`insert into customers values (1), (2), (3); delete from customers where id = 3`);
  const ledger = async () =>
    (
      await owner.query<{ key: string; rev: string; previous: string; deleted: boolean; own: boolean }>(
        `select key, rev, previous, deleted, xact = pg_current_xact_id() as own from ${tables.ledger} order by key`,
      )
    ).rows;
  const before = await ledger();
  await owner.query('begin; truncate customers');
  const [one, two, three] = await ledger();
  await owner.query('commit');
  expect(three).toEqual(before[2]);
  for (const [i, row] of [one, two].entries()) {
    expect(row).toMatchObject({ deleted: true, own: true, previous: before[i]?.rev });
    expect(Number(row?.rev)).toBeGreaterThan(Number(three?.rev));
  }
  expect(one?.rev).not.toBe(two?.rev);
});

it('forgets a parked key that no document can be of, once its row is gone', async () => {
  const pair = await prepared('create table customers (id text primary key, name text, local text)', {
    key: 'objectId',
  });
  const id = new ObjectId().toHexString();
  await owner.query(`insert into customers values ('abc'), ('${id}')`);
  await synced(pair.worker);
  const parked = async () => (await owner.query(`select key, reason from ${pair.tables.parked}`)).rows;
  expect(await parked()).toEqual([{ key: '["abc"]', reason: 'the key abc is no ObjectId' }]);
  await owner.query('delete from customers');
  for (const key of ['abc', id]) pair.worker.hint(JSON.stringify([key]));
  await eventually('the worker to come to rest', 30_000, () => pair.worker.idle);
  expect(await parked()).toEqual([]);
  expect(await prune(pair)).toEqual({ ledger: 0, bases: 0 });
});
