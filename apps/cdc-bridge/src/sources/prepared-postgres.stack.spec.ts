import { eventually } from '@millrace/testing';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { slotName } from '../names/bridge-names.js';
import { quoteName } from '../postgres/identifier.js';
import { SourceUnderTest } from '../testing/source.under-test.js';
import { PreparedPostgres } from './prepared-postgres.js';

const TABLES = ['public.orders', 'public.first_log', 'public.second_log'];

let source: SourceUnderTest;
let owner: pg.Client;
let app: pg.Client;

beforeAll(async () => {
  source = await SourceUnderTest.create('postgres', inject('stack'));
  owner = await source.databases.postgres('owner');
  app = await source.databases.postgres('app');
});

/** Tables of which nothing is captured yet; the two logs get another REPLICA IDENTITY, which locks them wholly. */
beforeEach(async () => {
  await owner.query(`
    drop schema if exists millrace cascade; drop publication if exists ${publication()};
    drop table if exists orders, first_log, second_log;
    create table orders (id int primary key); create table first_log (label text); create table second_log (label text);
    grant select, insert, update, delete on all tables in schema public to ${source.databases.name}_app`);
});

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
});

const publication = () => quoteName(slotName(source.name));

/** @returns what it told before it did it */
async function apply(names: readonly string[] = TABLES): Promise<string[]> {
  const captured = names.map((name) => ({ name, appendOnly: name.endsWith('log') }));
  const prepared = await PreparedPostgres.open(source.source(captured));
  try {
    const steps = await prepared.plan();
    await prepared.apply(steps);
    return steps.map(({ what }) => what);
  } finally {
    await prepared.close();
  }
}

/** Waits until the owner's steps wait for someone's lock. */
const untilBlocked = () =>
  eventually('prepare to wait for a lock', 30_000, async () => {
    const { rows } = await owner.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    return rows.length > 0;
  });

async function expectPublished(): Promise<void> {
  const { rows } = await owner.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_publication_tables where schemaname = 'public'`,
  );
  expect(rows.map(({ name }) => name).sort()).toEqual([...TABLES].sort());
}

describe('what the owner prepares', () => {
  it('tells of each REPLICA IDENTITY that it changes, and changes it back', async () => {
    const identities = async () => {
      const { rows } = await owner.query<{ relname: string; relreplident: string }>(
        `select relname, relreplident from pg_class where relname in ('orders', 'first_log', 'second_log')`,
      );
      return Object.fromEntries(rows.map(({ relname, relreplident }) => [relname, relreplident]));
    };
    const told = (await apply()).filter((what) => what.includes('REPLICA IDENTITY'));
    expect(told.sort()).toEqual([
      expect.stringMatching(/^public\.first_log captured, REPLICA IDENTITY FULL$/),
      expect.stringMatching(/^public\.second_log captured, REPLICA IDENTITY FULL$/),
    ]);
    expect(await identities()).toEqual({ orders: 'd', first_log: 'f', second_log: 'f' });
    await apply([]);
    expect(await identities()).toEqual({ orders: 'd', first_log: 'd', second_log: 'd' });
  });

  it('lets transactions that write its tables in another order go on', async () => {
    await app.query(`begin; insert into second_log values ('held')`);
    const applied = apply();
    await untilBlocked();
    await app.query(`insert into first_log values ('and another'); commit`);
    await applied;
    await expectPublished();
  });

  it('lets an ANALYZE under way write what it found', async () => {
    const analyst = await source.databases.postgres('owner');
    await analyst.query('begin; analyze orders');
    const applied = apply();
    await untilBlocked();
    await analyst.query('analyze orders; commit');
    await applied;
    await expectPublished();
  });

  it('names the step that a transaction kept waiting, and goes on from there', async () => {
    await app.query(`begin; insert into second_log values ('held')`);
    await expect(apply()).rejects.toThrow(
      /^public\.second_log captured.*: canceling .* lock timeout; a transaction holds it for longer than 5 s: end it/,
    );
    await app.query('rollback');
    await apply();
    await expectPublished();
  });
});
