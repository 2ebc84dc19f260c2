import { eventually } from '@millrace/testing';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { SourceUnderTest } from '../testing/source.under-test.js';

let source: SourceUnderTest;
let elsewhere: Databases;
let owner: pg.Client;
let others: pg.Client;

beforeAll(async () => {
  source = await SourceUnderTest.create('postgres', inject('stack'));
  elsewhere = await Databases.create(inject('stack').databases);
  owner = await source.databases.postgres('owner');
  others = await elsewhere.postgres('owner');
  await owner.query('create table idle (id int primary key); insert into idle values (1)');
  await source.apply('public.idle');
  await source.untilChanges('public.idle', 1);
});

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await elsewhere?.[Symbol.asyncDispose]();
});

const log = async () =>
  (await owner.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')).rows[0]?.lsn ?? '';

/** Waits until the connector's slot holds nothing back that was in the log before. */
const untilConfirmed = (what: string, lsn: string) =>
  eventually(`the slot to pass ${what}`, 40_000, async () => {
    const { rows } = await owner.query<{ passed: boolean }>(
      `select confirmed_flush_lsn >= $1 and restart_lsn >= $1 as passed
       from pg_replication_slots where database = current_database()`,
      [lsn],
    );
    return rows[0]?.passed;
  });

/** The bridge itself is not there to write its markers. */
it('holds back no log of the server while nobody writes to it, whoever writes elsewhere', async () => {
  const { rows } = await owner.query('select count(*)::int as slots from pg_replication_slots where active');
  expect(rows[0]?.slots).toBeGreaterThan(0);
  await owner.query(`create table uncaptured (text text);
    insert into uncaptured select repeat(md5(n::text), 30) from generate_series(1, 5000) n`);
  await untilConfirmed('a table that is not captured', await log());
  await others.query(`create table far (text text);
    insert into far select repeat(md5(n::text), 30) from generate_series(1, 5000) n`);
  await untilConfirmed('another database', await log());
  expect(await source.changes('public.idle')).toHaveLength(1);
});
