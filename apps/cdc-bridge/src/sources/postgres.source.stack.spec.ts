import { eventually } from '@millrace/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SourceUnderTest } from '../testing/source.under-test.js';

const HOSTILE = 'x"; DROP TABLE orders, a$b.c';
const QUOTED = '"x""; DROP TABLE orders, a$b.c"';

let source: SourceUnderTest;
let owner: pg.Client;
let app: pg.Client;

beforeAll(async () => {
  source = await SourceUnderTest.create('postgres', inject('stack'));
  owner = await source.databases.postgres('owner');
  await owner.query(`
    create table orders (id int primary key, label text, twice int generated always as (id * 2) stored);
    alter table orders replica identity full;
    create table "Orders" (id int primary key);
    create table later (id int primary key, label text);
    create table keyless (label text);
    create table parts (id int primary key, label text) partition by range (id);
    create table parts_low partition of parts for values from (0) to (10);
    create table ${QUOTED} (id int primary key, label text);
    grant select, insert, update, delete on all tables in schema public to ${source.databases.name}_app`);
  app = await source.databases.postgres('app');
  await app.query(`insert into orders (id, label) select n, 'row ' || n from generate_series(1, 3) n`);
  await app.query(`insert into later select n, 'row ' || n from generate_series(1, 1500) n`);
  await app.query(`insert into ${QUOTED} values (1, 'there before')`);
  await app.query(`insert into parts values (1, 'there before')`);
});

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
});

describe('a Postgres source', () => {
  it('refuses by name what cannot be captured, and changes nothing', async () => {
    const { name } = source.databases;
    const superuser = await source.databases.superuser();
    await superuser.query(`create foreign data wrapper far; create server away foreign data wrapper far;
      grant usage on foreign server away to ${name}_owner`);
    await owner.query(`
      create view seen as select 1 as id;
      create materialized view kept as select 1 as id;
      create foreign table distant (id int) server away;
      create unlogged table passing (id int primary key);
      create temporary table fleeting (id int primary key);
      create table silent (id int primary key); alter table silent replica identity nothing;
      create table indexed (id int primary key, code int not null unique);
      alter table indexed replica identity using index indexed_code_key;
      create table nameless (code int not null unique);
      alter table nameless replica identity using index nameless_code_key;
      create table virtual (id int primary key, twice int generated always as (id * 2) virtual);
      alter table virtual replica identity full;
      create table secret (id int primary key); alter table secret enable row level security;
      create table loose (id int) partition by range (id);
      create table parted (id int primary key) partition by range (id);
      create table low partition of parted for values from (0) to (9);
      create table high partition of parted for values from (9) to (99); alter table high replica identity nothing;
      create table above (id int primary key); create table below () inherits (above);
      grant create on schema public to ${name}_app`);
    await app.query('create table theirs (id int primary key)');
    const { rows: own } = await owner.query('select pg_my_temp_schema()::regnamespace::text as schema');
    const refused: Record<string, string> = {
      'public.above': 'is inherited by below, whose rows it shows and whose changes it does not',
      'public.distant': 'is not a table: views and foreign tables have no changes',
      'public.indexed': 'has a REPLICA IDENTITY other than its primary key: set it to DEFAULT or FULL',
      'public.kept': 'is not a table',
      'public.keyless': 'has no primary key: set REPLICA IDENTITY FULL, or declare the pipeline appendOnly',
      'public.loose': 'is partitioned and has no primary key: give it one',
      'public.low': 'is a partition of public.parted, whose changes have its own',
      'public.nameless': 'has a REPLICA IDENTITY other than its primary key',
      'public.parted': 'has the partitions high: none may be foreign or unlogged, or have a REPLICA IDENTITY',
      'public.passing': 'is unlogged or temporary: its changes are in no log',
      'public.secret': `has row security, which hides rows from ${name}_bridge and ${name}_cdc: give BYPASSRLS`,
      'public.seen': 'is not a table',
      'public.silent': 'has a REPLICA IDENTITY other than its primary key: set it to DEFAULT or FULL',
      'public.theirs': `belongs to ${name}_app: the owner's URL must be of a role that may alter it`,
      'public.virtual':
        'has virtual generated columns and REPLICA IDENTITY FULL: its owner’s UPDATE and DELETE',
      [`${own[0].schema}.fleeting`]: 'is unlogged or temporary',
    };
    const names = [...Object.keys(refused), 'public.nothing'];
    const error = await source
      .plan(...names.map((table) => ({ name: table, appendOnly: table !== 'public.keyless' })))
      .catch((reason: unknown) => reason as { code: string; faults: string[] });
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED' });
    const faults = [
      'there is no table public.nothing',
      ...Object.entries(refused).map(([table, why]) => `${table} ${why}`),
    ];
    const found = 'faults' in error ? error.faults : [];
    expect(faults.filter((fault) => !found.some((each) => each.startsWith(fault)))).toEqual([]);
    expect(found).toHaveLength(faults.length);
    const { rows } = await owner.query(`select to_regnamespace('millrace') as own`);
    expect(rows).toEqual([{ own: null }]);
  });

  it('tells every change before it is made, makes it, and then has nothing left to do', async () => {
    const told = await source.apply('public.orders');
    const user = `${source.databases.name}_`;
    expect(told.steps.map(({ what }) => what)).toEqual([
      'table "millrace"."granted", which remembers the rights that are granted',
      `SELECT on table "public"."orders" for "${user}cdc" and "${user}bridge"`,
      'schema "millrace" with the tables by which a connector is followed and told',
      'public.orders captured',
      expect.stringMatching(
        /^publication "bridge_\w+_changes" of public\.orders, millrace\.watermarks, millrace\.signals$/,
      ),
    ]);
    expect(told.connector).toContain('+ database.password=***');
    expect(JSON.stringify(told)).not.toContain(`"${user}cdc"`);
    expect(await source.plan('public.orders')).toMatchObject({ steps: [], connector: [] });
  });

  it('brings rows that were there, and changes, into the topic', async () => {
    await source.untilChanges('public.orders', 3);
    await app.query(`update orders set label = 'changed' where id = 1`);
    await app.query('delete from orders where id = 2');
    const changes = await source.untilChanges('public.orders', 5);
    expect(changes.map(({ op }) => op).sort()).toEqual(['d', 'r', 'r', 'r', 'u']);
    expect(changes.find(({ op }) => op === 'u')).toMatchObject({
      before: { id: 1, label: 'row 1', twice: 2 },
      after: { id: 1, label: 'changed', twice: 2 },
    });
  });

  it('puts back settings of the connector that somebody else changed, and shows them first', async () => {
    const signal = AbortSignal.timeout(60_000);
    const declared = await source.connect.config(source.connector, signal);
    const changed = { ...declared, 'heartbeat.interval.ms': '7000', 'max.batch.size': '7' };
    await source.connect.putConfig(source.connector, changed, signal);
    const diff = ['~ heartbeat.interval.ms=7000 → 1000', '- max.batch.size=7'];
    expect(await source.plan('public.orders')).toMatchObject({ steps: [], connector: diff });
    expect(await source.connect.config(source.connector, signal)).toEqual(changed);
    expect(await source.apply('public.orders')).toMatchObject({ connector: diff });
    expect(await source.connect.config(source.connector, signal)).toEqual(declared);
    expect(await source.plan('public.orders')).toMatchObject({ connector: [] });
  });

  it('takes a later table with its rows while the others flow, and one of a hostile name', async () => {
    const told = await source.apply('public.orders', 'public.later', `public.${HOSTILE}`);
    expect(told.steps.map(({ what }) => what).filter((what) => what.startsWith('publication'))).toEqual([
      expect.stringContaining('with public.later'),
      expect.stringContaining(`with public.${HOSTILE}`),
    ]);
    expect(told.connector).toEqual([
      expect.stringMatching(/^~ snapshot\.include\.collection\.list=/),
      expect.stringMatching(/^~ table\.include\.list=/),
    ]);
    await app.query(`insert into orders (id, label) values (10, 'meanwhile')`);
    await app.query(`update ${QUOTED} set label = 'streamed' where id = 1`);
    const later = await source.untilChanges('public.later', 1500);
    expect(new Set(later.map(({ after }) => (after as { id: number }).id)).size).toBe(1500);
    expect(new Set(later.map(({ source: { snapshot } }) => snapshot))).toEqual(new Set(['incremental']));
    await eventually('the hostile table', 30_000, async () => {
      const changes = await source.changes(`public.${HOSTILE}`);
      return changes.some(({ op }) => op === 'r') && changes.some(({ op }) => op === 'u');
    });
    const orders = await source.untilChanges('public.orders', 6);
    expect(orders).toHaveLength(6);
    expect(await source.plan('public.orders', 'public.later', `public.${HOSTILE}`)).toMatchObject({
      steps: [],
      connector: [],
    });
  });

  it('takes a table without a key that is declared append-only, in order, and its owner can go on', async () => {
    await app.query(`insert into keyless values ('before')`);
    const { topics } = await source.apply(
      'public.orders',
      'public.later',
      `public.${HOSTILE}`,
      'public.parts',
      {
        name: 'public.keyless',
        appendOnly: true,
      },
    );
    expect(topics.find(({ name }) => name.endsWith('keyless'))).toMatchObject({ partitions: 1 });
    await source.untilChanges('public.keyless', 1);
    await app.query(`insert into keyless values ('one'), ('two')`);
    await app.query(`update keyless set label = 'three' where label = 'two'`);
    const changes = await source.untilChanges('public.keyless', 4);
    expect(changes.map(({ op }) => op)).toEqual(['r', 'c', 'c', 'u']);
  });

  it('takes a partitioned table under its own name, with partitions that are made later', async () => {
    await source.untilChanges('public.parts', 1);
    await owner.query('create table parts_high partition of parts for values from (10) to (20)');
    await app.query(`update parts set label = 'changed'; insert into parts values (11, 'new');
      update parts set id = 12 where id = 1`);
    const changes = await source.untilChanges('public.parts', 5);
    expect(changes.map(({ op, before, after }) => [op, (after ?? before) as unknown])).toEqual(
      expect.arrayContaining([
        ['r', { id: 1, label: 'there before' }],
        ['u', { id: 1, label: 'changed' }],
        ['c', { id: 11, label: 'new' }],
        ['d', expect.objectContaining({ id: 1 })],
        ['c', { id: 12, label: 'changed' }],
      ]),
    );
  });

  it('brings the rows of a table that was captured without them, once a pipeline wants them', async () => {
    await owner.query(`create table changes (id int primary key);
      grant select, insert on changes to ${source.databases.name}_app; insert into changes values (1)`);
    const others = ['public.orders', 'public.later', `public.${HOSTILE}`];
    await source.apply(...others, { name: 'public.changes', snapshot: false });
    await app.query('insert into changes values (2)');
    await source.untilChanges('public.changes', 1);
    await source.apply(...others, 'public.changes');
    const changes = await source.untilChanges('public.changes', 3);
    expect(changes.map(({ op }) => op).sort()).toEqual(['c', 'r', 'r']);
  });

  it('releases a table, and changes back what it changed', async () => {
    const told = await source.apply('public.orders');
    expect(told.steps.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^public\.later released/),
    );
    await app.query(`insert into later values (9001, 'after')`);
    await app.query(`insert into orders (id, label) values (11, 'still flows')`);
    await source.untilChanges('public.orders', 7);
    const later = await source.changes('public.later');
    expect(later.some(({ after }) => (after as { id: number } | null)?.id === 9001)).toBe(false);
    const { rows } = await owner.query(
      `select has_table_privilege($1, 'later', 'SELECT') as cdc,
        (select relreplident from pg_class where relname = 'keyless') as identity`,
      [`${source.databases.name}_cdc`],
    );
    expect(rows).toEqual([{ cdc: false, identity: 'd' }]);
  });

  it('brings in what happened while it was removed, and nothing of it is left when the slot goes too', async () => {
    await source.remove({ dropSlot: false });
    const slots = () =>
      owner.query(`select active from pg_replication_slots where database = current_database()`);
    expect((await slots()).rows).toEqual([{ active: false }]);
    await app.query(`insert into orders (id, label) values (12, 'while it was away')`);
    await source.apply('public.orders');
    await eventually('the row', 30_000, async () =>
      (await source.changes('public.orders')).some(
        ({ after }) => (after as { id: number } | null)?.id === 12,
      ),
    );

    await source.remove({ dropSlot: true });
    expect((await slots()).rows).toEqual([]);
    expect(await source.connect.config(source.connector, AbortSignal.timeout(5_000))).toBeUndefined();
    const { rows } = await owner.query(
      `select (select count(*)::int from pg_publication) as publications,
        (select count(*)::int from pg_tables where schemaname = 'millrace') as tables,
        has_table_privilege($1, 'orders', 'SELECT') as bridge,
        (select relreplident from pg_class where relname = 'orders') as identity`,
      [`${source.databases.name}_bridge`],
    );
    // Its owner had set the identity before.
    expect(rows).toEqual([{ publications: 0, tables: 0, bridge: false, identity: 'f' }]);
  });
});
