import { eventually } from '@millrace/testing';
import type { Document } from 'mongodb';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { createPair, type Running, startWorker } from './testing/pair.fixture.js';

/** A value that no two rows may have, and a trigger that swallows some. */
const CUSTOMERS = `
create table customers (id int primary key, name text, note text, local text);
create unique index customers_name on customers (name);
create function swallow() returns trigger language plpgsql as $$
  begin return case when new.note = 'swallow' then null else new end; end $$;
create trigger swallow before insert on customers for each row execute function swallow()`;

let databases: Databases;
let running: Running | undefined;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
  await databases?.[Symbol.asyncDispose]();
});

it.each([
  { key: 'an immediate', alter: '' },
  {
    key: 'a deferrable',
    alter: 'alter table customers drop constraint customers_pkey, add primary key (id) deferrable',
  },
])(
  'parks alone a row that another stands in the way of, or a trigger swallows, and says which, with $key key',
  async ({ alter }) => {
    const owner = await databases.postgres('owner');
    await owner.query(`${CUSTOMERS}; ${alter}`);
    const tables = await createPair(databases);
    const customers = (await databases.documents('app')).collection<Document & { _id: number }>('customers');
    await customers.insertMany([
      { _id: 1, name: 'A' },
      { _id: 2, name: 'A' },
      { _id: 3, name: 'C', note: 'swallow' },
      { _id: 4, name: 'D' },
    ]);
    running = await startWorker(databases, { priority: 'postgres' });
    const { worker } = running;
    worker.checkEverything();
    const rows = async () => (await owner.query<{ id: number }>('select id from customers order by id')).rows;
    const parked = async () =>
      (
        await owner.query<{ key: string; reason: string }>(
          `select key, reason from ${tables.parked} order by key`,
        )
      ).rows;
    await eventually('both to be parked', 60_000, async () => (await parked()).length === 2);
    const [taken, ...others] = (await rows()).map(({ id }) => id);
    expect(others).toEqual([4]);
    const refused = taken === 1 ? 2 : 1;
    expect(await parked()).toEqual([
      { key: `["${refused}"]`, reason: expect.stringContaining('"customers_name"') },
      { key: '["3"]', reason: expect.stringContaining('a trigger') },
    ]);

    await customers.updateOne({ _id: refused }, { $set: { name: 'B' } });
    await customers.updateOne({ _id: 3 }, { $set: { note: 'keep' } });
    for (const id of [refused, 3]) worker.hint(`["${id}"]`);
    await eventually('the worker to come to rest', 30_000, () => worker.idle);
    expect([await parked(), (await rows()).map(({ id }) => id)]).toEqual([[], [1, 2, 3, 4]]);
  },
);
