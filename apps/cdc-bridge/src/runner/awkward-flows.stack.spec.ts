import { type Compared, type Comparison, eventually, LogReader } from '@millrace/testing';
import type { Db } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { EQUAL, Flows, ID, N, NO_DIFFERENCE, text } from '../testing/flows.js';

const MB = 1_024 * 1_024;

let flows: Flows;
let bridge: BridgeUnderTest;
let app: pg.Client;
let documents: Db;

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `
    create table pages (id int primary key, n int, body text);
    alter table pages alter body set storage external;
    create table many (id int primary key, label text);
    create table shapes (id int primary key, n int, old text);
    create table history (n int, label text);
    create table bag (n int, label text);
    alter table bag replica identity full, alter label set storage external`,
  );
  ({ bridge, app, documents } = flows);
  await app.query(`
    insert into many select n, 'row ' || n from generate_series(1, 600) n;
    insert into shapes select n, n, 'old' from generate_series(1, 20) n;
    insert into bag values (1, 'same'), (1, 'same'), (2, null);
    insert into history values (1, 'same'), (1, 'same')`);
  await bridge.deploy([
    flows.entry('pages'),
    flows.entry('many'),
    flows.entry('shapes'),
    flows.entry('history', { appendOnly: true }),
    flows.entry('bag'),
  ]);
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

describe('large rows', () => {
  const pages: Comparison = {
    table: 'pages',
    key: [ID],
    fields: [N, text('body')],
  };

  it('keep a megabyte that did not change, in place and under another key', async () => {
    await app.query(`insert into pages select p, 0, string_agg(md5(p || ' ' || n), '')
      from generate_series(1, 3) p, generate_series(1, 32768) n group by p`);
    expect(await flows.untilEqual(pages)).toMatchObject({ rows: 3 });
    await app.query('update pages set n = 1 where id = 1; update pages set id = 12, n = 2 where id = 2');
    await app.query('update pages set id = 13 where id = 3; update pages set n = 3 where id = 13');
    expect(await flows.untilEqual(pages)).toMatchObject({ rows: 3 });
    const [inTheSource] = (
      await app.query('select md5(string_agg(body, null order by id)) as hash from pages')
    ).rows;
    const [before] = (
      await app.query(`select md5(string_agg(body, null order by p)) as hash from (
        select p, string_agg(md5(p || ' ' || n), '') as body
        from generate_series(1, 3) p, generate_series(1, 32768) n group by p) as pages`)
    ).rows;
    expect(inTheSource).toEqual(before);
  });

  it('over 16 MB are dead-lettered with an alarm, while the others flow, and come once they are smaller', async () => {
    await app.query(`insert into pages values (20, 0, repeat('x', ${17 * MB})), (21, 0, 'small')`);
    await eventually('the small one', 60_000, () => documents.collection('pages').findOne({ body: 'small' }));
    const oversize = /"?n?2e1.*over 16 MB/;
    const status = await eventually('the alarm', 60_000, async () => {
      const found = await bridge.status('pages');
      return oversize.test(found.lastError?.message ?? '') && found;
    });
    expect(status.lastError?.message).toContain(bridge.topic({ table: 'public.pages' }));
    expect(bridge.instances[0]?.output).toMatch(oversize);
    const metrics = await fetch(`${bridge.instances[0]?.url}/metrics`);
    expect(await metrics.text()).toMatch(/^cdc_bridge_dead_letters_total\{pipeline="pages"\} 1$/m);
    expect(await flows.verify('pages')).toMatchObject({ missing: 1, extra: 0, different: 0 });

    const topic = bridge.topic({ table: 'public.pages' });
    const reader = await LogReader.fromBeginning(bridge.stack.kafka.bootstrapServers, [
      'cdc-bridge.pages.dlq',
      topic,
    ]);
    try {
      const records = await reader.read();
      const letters = records.filter(({ headers }) => headers['dlq.topic'] === topic);
      expect(letters).toHaveLength(1);
      const [{ headers, value } = {}] = letters;
      const original = records.find(
        (record) =>
          record.topic === topic &&
          String(record.partition) === headers?.['dlq.partition'] &&
          String(record.offset) === headers['dlq.offset'],
      );
      expect(original?.value?.length).toBeGreaterThan(17 * MB);
      expect(original?.value?.equals(value ?? Buffer.alloc(0))).toBe(true);
    } finally {
      await reader.close();
    }
    await app.query(`update pages set body = 'smaller' where id = 20`);
    expect(await flows.untilEqual(pages)).toMatchObject({ rows: 5 });
  });
});

describe('a table with a key', () => {
  const many: Comparison = { table: 'many', key: [ID], fields: [text('label')] };
  const noted: Comparison = { ...many, fields: [...many.fields, text('note')] };

  it('gets a new column while it streams', async () => {
    const [instance] = bridge.instances;
    await flows.untilEqual(many);
    await flows.owner.query('alter table many add note text');
    await app.query(
      `insert into many values (1000, 'new', 'with a note'); update many set note = 'x' where id = 1`,
    );
    expect(await flows.untilEqual(noted)).toMatchObject({ rows: 601 });
    expect(bridge.instances[0]).toBe(instance);
    expect(await flows.verify('many')).toMatchObject({ compared: 601, ...NO_DIFFERENCE });
  });

  it('gets another type for a column, and loses one, while it streams', async () => {
    const topic = bridge.topic({ table: 'public.shapes' });
    for (const subject of [`${topic}-key`, `${topic}-value`]) {
      const response = await fetch(`${bridge.stack.registry.url}/config/${subject}`);
      expect(await response.json()).toEqual({ compatibilityLevel: 'NONE' });
    }
    const shapes = (kind: Compared): Comparison => ({
      table: 'shapes',
      key: [ID],
      fields: [kind],
      partly: 'both',
    });
    await app.query('update shapes set n = -1 where id = 1');
    await flows.untilEqual(shapes(N));
    await flows.owner.query('alter table shapes alter n type text using n::text, drop old');
    await app.query(`insert into shapes values (21, 'twenty-one'); update shapes set n = 'two' where id = 2;
      delete from shapes where id = 3`);
    const found = documents.collection<{ _id: number; n: unknown }>('shapes');
    await eventually('what came after it', 60_000, async () => {
      const [inserted, updated, deleted] = await Promise.all([21, 2, 3].map((_id) => found.findOne({ _id })));
      return inserted?.n === 'twenty-one' && updated?.n === 'two' && deleted === null;
    });
    const { tasks } = await bridge.connect.status(bridge.connector('postgres'), AbortSignal.timeout(10_000));
    expect(tasks.map(({ state }) => state)).toEqual(['RUNNING']);
    expect((await bridge.status('shapes')).lastError).toBeNull();

    // No change tells of the rows that it rewrote.
    expect(await flows.verify('shapes')).toMatchObject({ compared: 20, missing: 0, extra: 0, different: 18 });
    await bridge.ask('POST', '/pipelines/shapes/repair');
    expect(await flows.compare(shapes(text('n')))).toMatchObject({ ...EQUAL, rows: 20 });
  });

  it('is emptied by TRUNCATE over all of its partitions, and keeps what came after it', async () => {
    await app.query(`update many set label = 'late' where id % 2 = 0; truncate many;
      insert into many select n, 'after' from generate_series(500, 700) n`);
    expect(await flows.untilEqual(noted)).toMatchObject({ rows: 201 });
    await eventually('the sweep', 60_000, async () => (await bridge.status('many')).sweep === null);
    expect(await flows.compare(noted)).toMatchObject({ ...EQUAL, rows: 201 });
    expect(await flows.verify('many')).toMatchObject({ compared: 201, ...NO_DIFFERENCE });
  });
});

describe('a table without a key', () => {
  const rows = (table: string): Comparison => ({ table, key: [], fields: [N, text('label')] });

  it('flows with REPLICA IDENTITY FULL, each of equal rows by itself', async () => {
    expect(await flows.untilEqual(rows('bag'))).toMatchObject({ rows: 3 });
    await app.query(`insert into bag select 7, 'x' from generate_series(1, 5); insert into bag values (7, 'x');
      delete from bag where ctid in (select ctid from bag where n = 7 limit 2);
      update bag set n = 9 where ctid = (select min(ctid) from bag where n = 1);
      delete from bag where n = 2`);
    expect(await flows.untilEqual(rows('bag'))).toMatchObject({ rows: 6 });
    expect(await flows.verify('bag')).toMatchObject({ compared: 6, ...NO_DIFFERENCE });
  });

  it('keeps a megabyte that an update of its row leaves alone', async () => {
    await app.query(
      `insert into bag select 20, string_agg(md5(n::text), '') from generate_series(1, 32768) n`,
    );
    await app.query('update bag set n = 21 where n = 20');
    await flows.untilEqual(rows('bag'));
    expect(await flows.verify('bag')).toMatchObject(NO_DIFFERENCE);
    expect((await bridge.status('bag')).lastError).toBeNull();
  });

  it('flows where it is declared append-only', async () => {
    await app.query(
      `insert into history select 7, 'x' from generate_series(1, 5); insert into history values (7, null)`,
    );
    expect(await flows.untilEqual(rows('history'))).toMatchObject({ rows: 8 });
    await bridge.restart();
    await app.query(`insert into history values (7, 'x')`);
    expect(await flows.untilEqual(rows('history'))).toMatchObject({ rows: 9 });
  });

  it('is refused by name otherwise, before anything is done to it', async () => {
    await flows.owner.query('create table keyless (n int)');
    await bridge.write([flows.entry('keyless')]);
    await expect(bridge.prepare('apply')).rejects.toThrow(/public\.keyless has no primary key/);
    const { rows } = await flows.owner.query(
      `select relreplident, (select count(*)::int from pg_publication_rel where prrelid = c.oid) as published
       from pg_class c where relname = 'keyless'`,
    );
    expect(rows).toEqual([{ relreplident: 'd', published: 0 }]);
  });
});
