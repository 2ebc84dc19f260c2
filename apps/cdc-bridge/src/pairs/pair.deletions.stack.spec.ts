import { eventually } from '@millrace/testing';
import type { Collection, Document } from 'mongodb';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { ConflictLog } from './conflict.log.js';
import type { ConflictPolicy } from './pair.decision.js';
import { createPair, type Running, startWorker } from './testing/pair.fixture.js';

let databases: Databases;
let app: pg.Client;
let customers: Collection<Document & { _id: number }>;
let pool: pg.Pool;
let log: ConflictLog;

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  const owner = await databases.postgres('owner');
  await owner.query(`
    create table customers (id int primary key, name text, updated_at timestamptz, local text default 'kept');
    grant select, insert, update, delete on customers to ${databases.name}_app`);
  app = await databases.postgres('app');
  customers = (await databases.documents('app')).collection('customers');
  const tables = await createPair(databases);
  pool = new pg.Pool({ connectionString: databases.postgresUrl('bridge'), max: 2 });
  const mongo = await databases.mongo('bridge');
  log = new ConflictLog(
    pool,
    tables,
    { schema: 'public', table: 'customers' },
    mongo.db(databases.name).collection('customers'),
    mongo.db(`${databases.name}_bridge`).collection('customers.conflicts'),
  );
});

afterAll(async () => {
  await pool?.end();
  await databases?.[Symbol.asyncDispose]();
});

/** The names that a key has on both sides; null where it is gone. */
async function names(id: number): Promise<unknown[]> {
  const { rows } = await app.query<{ name: string }>('select name from customers where id = $1', [id]);
  const document = await customers.findOne({ _id: id });
  return [rows[0]?.name ?? null, document?.name ?? null];
}

async function synced({ worker }: Running, id: number): Promise<void> {
  worker.hint(`["${id}"]`);
  await eventually('the worker to come to rest', 30_000, () => worker.idle);
}

const policies: ConflictPolicy[] = (['postgres', 'mongo'] as const).flatMap((priority) => [
  { priority },
  // Where one side is gone there is nothing to compare.
  { priority, newest: 'updated_at' },
]);
const cases = policies.flatMap((policy) =>
  (['row', 'document'] as const).map((deleted) => ({ policy, deleted })),
);

describe('an edit of one side against a deletion of the other', () => {
  it.each(cases.map((each, i) => ({ ...each, id: i + 1 })))(
    'goes by $policy where the $deleted is deleted, and the loser can be put back',
    async ({ policy, deleted, id }) => {
      const running = await startWorker(databases, policy);
      try {
        await app.query(`insert into customers (id, name, updated_at) values ($1, 'before', now())`, [id]);
        await synced(running, id);
        expect(await names(id)).toEqual(['before', 'before']);
        await customers.updateOne({ _id: id }, { $set: { extra: 'unmapped' } });

        const later = new Date(Date.now() + 60_000);
        if (deleted === 'row') {
          await app.query('delete from customers where id = $1', [id]);
          await customers.updateOne({ _id: id }, { $set: { name: 'edited', updated_at: later } });
        } else {
          await customers.deleteOne({ _id: id });
          await app.query(
            `update customers set name = 'edited', local = 'unmapped', updated_at = $2 where id = $1`,
            [id, later],
          );
        }
        await synced(running, id);

        const editedSide = deleted === 'row' ? 'mongo' : 'postgres';
        const editWins = policy.priority === editedSide;
        const won = editWins ? ['edited', 'edited'] : [null, null];
        expect(await names(id)).toEqual(won);
        const entries = (await log.page(100)).filter(({ key }) => key === `["${id}"]`);
        const loser = deleted === 'row' ? { extra: 'unmapped' } : { local: 'unmapped' };
        expect(entries).toMatchObject([
          editWins
            ? { lost: deleted === 'row' ? 'postgres' : 'mongo', loser: null }
            : { lost: editedSide, loser: { ...loser, name: 'edited' } },
        ]);

        await log.restore(entries[0]?.id ?? '');
        await synced(running, id);
        expect(await names(id)).toEqual(editWins ? [null, null] : ['edited', 'edited']);
        // An ordinary edit of one side alone.
        expect((await log.page(100)).filter(({ key }) => key === `["${id}"]`)).toEqual(entries);
      } finally {
        await running.stop();
      }
    },
  );
});

describe('an edit of both sides', () => {
  it.each(['row', 'document'] as const)(
    'goes by newest, and the older one, of the %s, can be put back with its instant and no conflict',
    async (older) => {
      const id = older === 'row' ? 101 : 102;
      const running = await startWorker(databases, { priority: 'postgres', newest: 'updated_at' });
      try {
        await app.query(`insert into customers (id, name, updated_at) values ($1, 'before', now())`, [id]);
        await synced(running, id);
        const [then, now] = [new Date(Date.now() - 60_000), new Date()];
        const [atRow, atDocument] = older === 'row' ? [then, now] : [now, then];
        await app.query(`update customers set name = 'row', updated_at = $2 where id = $1`, [id, atRow]);
        await customers.updateOne({ _id: id }, { $set: { name: 'document', updated_at: atDocument } });
        await synced(running, id);
        const newer = older === 'row' ? 'document' : 'row';
        expect(await names(id)).toEqual([newer, newer]);
        const entries = async () => (await log.page(100)).filter(({ key }) => key === `["${id}"]`);
        const found = await entries();
        expect(found).toMatchObject([
          { lost: older === 'row' ? 'postgres' : 'mongo', loser: { name: older } },
        ]);

        await log.restore(found[0]?.id ?? '');
        await synced(running, id);
        expect(await names(id)).toEqual([older, older]);
        expect((await customers.findOne({ _id: id }))?.updated_at).toEqual(then);
        expect(await entries()).toEqual(found);
      } finally {
        await running.stop();
      }
    },
  );
});
