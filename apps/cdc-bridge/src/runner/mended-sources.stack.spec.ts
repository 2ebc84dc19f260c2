import { type Comparison, eventually } from '@millrace/testing';
import { Binary, type Collection, type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { connectorName, slotName } from '../names/bridge-names.js';
import type { BridgeUnderTest } from '../testing/bridge-under-test.js';
import { BAG, Flows, type Item, item, keyed, NO_DIFFERENCE } from '../testing/flows.js';
import { loseSlot } from '../testing/lose-slot.js';
import { recordsIn, StreamedChanges } from '../testing/streamed-changes.js';

interface Page extends Item {
  body?: Binary;
}

const MB = 1_024 * 1_024;
/** So many that a snapshot of them can be cut off. */
const BAG_ROWS = 40_000;

let flows: Flows;
let bridge: BridgeUnderTest;
let app: pg.Client;
let owner: pg.Client;
let documents: Db;
const items = (name: string): Collection<Page> => documents.collection<Page>(name);
const signal = () => AbortSignal.timeout(60_000);

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `create table shelves (id int primary key, n int);
     create table bag (n int);
     alter table bag replica identity full;
     create table letters (id int primary key, n int, body text);
     create table counts (id int primary key, n int);
     create table pages (id int primary key, n int);
     create table slips (n int);
     create table spare (id int primary key, n int);
     create table twins (id int primary key, n int)`,
  );
  ({ bridge, app, owner, documents } = flows);
  await app.query('insert into shelves select n, n from generate_series(1, 50) n');
  await items('counts').insertMany(Array.from({ length: 20 }, (_, i) => item(i + 1)));
  await items('pages').insertMany([1, 2, 3].map(item));
  await app.query('insert into twins values (1, 1), (2, 2)');
  await bridge.deploy(everything());
  for (const table of ['shelves', 'counts', 'pages', 'twins']) await flows.untilEqual(keyed(table));
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const shelves = () => flows.entry('shelves');
const ofTables = () => [shelves(), flows.entry('bag')];
const twins = () => ({
  name: 'twins',
  between: [
    { postgres: bridge.names.postgres, table: 'public.twins' },
    { mongo: bridge.names.mongo, collection: 'twins' },
  ],
  conflict: { priority: 'postgres' },
});
const everything = () => [shelves(), documented('counts'), documented('pages'), twins()];
const documented = (name: string) => flows.itemsEntry(name);

async function deployAgain(...pipelines: object[]): Promise<void> {
  await bridge.deploy(pipelines);
  for (const instance of bridge.instances.splice(0)) await instance.stop();
  await bridge.start();
}

const alarm = (pipeline: string, text: RegExp) =>
  eventually(`the alarm ${text}`, 120_000, async () =>
    (await bridge.status(pipeline)).reasons.find((reason) => text.test(reason)),
  );

it('tells of a slot that the server has given up, and begins anew once that is dropped as it says', async () => {
  const [name, slot] = [bridge.connector('postgres'), slotName(bridge.names.postgres)];
  await bridge.connect.stop(name, signal());
  await loseSlot(bridge.stack.databases.postgresAdmin, slot);
  await app.query(`delete from shelves where id <= 10; insert into shelves values (100, 1);
    update shelves set n = 0 where id = 20; update twins set n = 20 where id = 2`);
  await bridge.connect.resume(name, signal());
  const told = await alarm('shelves', /is lost: changes .* are gone/);
  const [drop] = /select pg_drop_replication_slot\('\w+'\)/.exec(told) ?? [];
  const cdc = await bridge.databases.postgres('cdc');
  await eventually('the slot to be dropped', 60_000, async () => (await cdc.query(drop as string)).rowCount);
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 41 });
  // Nothing tells a pair of what was lost: every key is looked at, sooner than it would be anyhow.
  await flows.untilEqual(keyed('twins'));
  await flows.untilSwept('shelves', /new snapshot/);
  await eventually('no alarm', 60_000, async () => (await bridge.status('shelves')).reasons.length === 0);
  await app.query('insert into shelves values (101, 1)');
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 42 });
}, 240_000);

it('lists everything before it does the first of it', async () => {
  await bridge.write([
    shelves(),
    flows.entry('slips', { appendOnly: true }),
    documented('counts'),
    documented('pages'),
    twins(),
  ]);
  const captured = 'public.slips captured, REPLICA IDENTITY FULL';
  const told = new RegExp(
    `: ${captured}\\n[\\s\\S]*: publication .* with public\\.slips\\n[\\s\\S]*~ table\\.include\\.list=[\\s\\S]*${captured}: .*lock timeout`,
  );
  await app.query('begin; insert into slips values (1)');
  await expect(bridge.prepare('apply')).rejects.toThrow(told);
  await app.query('rollback');
  await bridge.write(everything());
  await bridge.prepare('apply');
}, 120_000);

it('tells of a pair that left the file and was not undone', async () => {
  const kept = `${bridge.names.postgres}: the pair twins is not in the file`;
  await bridge.write([shelves(), documented('counts'), documented('pages')]);
  const planned = await bridge.prepare('plan');
  expect(planned).toContain(kept);
  expect(planned).toContain('pipelines remove twins');
  await bridge.write(everything());
  expect(await bridge.prepare('plan')).toBe('');
}, 60_000);

it('tells of a connector that reads a database by a name that the environment has no more', async () => {
  const { name: _, ...config } = (await bridge.connect.config(bridge.connector('postgres'), signal())) ?? {};
  const former = `${bridge.names.postgres}-before`;
  const settings = { ...config, 'topic.prefix': connectorName(former), 'slot.name': slotName(former) };
  await bridge.connect.createStopped(connectorName(former), settings, signal());
  try {
    const told = `the connector ${connectorName(former)} reads this database too`;
    expect(await bridge.prepare('plan')).toContain(`${bridge.names.postgres}: ${told}`);
  } finally {
    await bridge.connect.remove(connectorName(former), signal());
  }
  expect(await bridge.prepare('plan')).toBe('');
}, 60_000);

it('undoes a pair: its triggers, rights and images, and what the bridge kept of it', async () => {
  const role = `${bridge.databases.name}_bridge`;
  const own = (await bridge.databases.mongo('bridge')).db(role);
  const left = async () => {
    const { rows } = await owner.query(
      `select (select count(*)::int from pg_trigger where tgrelid = 'twins'::regclass) as triggers,
              to_regclass('millrace.twins_ledger') is not null as ledger,
              exists (select from pg_publication_tables where tablename = 'twins') as published,
              has_table_privilege($1, 'twins', 'insert') as writes, has_table_privilege($1, 'shelves', 'select') as others`,
      [role],
    );
    const [collection] = await documents.listCollections({ name: 'twins' }).toArray();
    const kept = await own.listCollections({ name: /^twins\./ }, { nameOnly: true }).toArray();
    const images = JSON.stringify(collection).includes('"changeStreamPreAndPostImages":{"enabled":true}');
    return { ...rows[0], images, kept: kept.length };
  };
  const there = { triggers: 2, ledger: true, published: true, writes: true, others: true, images: true };
  expect(await left()).toEqual({ ...there, kept: 4 });
  const told = /twins: triggers on "public"\."twins"[\s\S]*twins: [^\n]*ledger/;
  await app.query('begin; update twins set n = n');
  await expect(bridge.prepare('remove', 'twins')).rejects.toThrow(told);
  await app.query('rollback');
  expect(await left()).toEqual({ ...there, kept: 4 });
  const undone = await bridge.prepare('remove', 'twins');
  expect(undone).toMatch(told);
  expect(undone).toContain('twins is undone');
  const gone = { triggers: 0, ledger: false, published: false, writes: false, others: true, images: false };
  expect(await left()).toEqual({ ...gone, kept: 0 });
  expect(await bridge.prepare('plan')).toMatch(/twins: triggers on "public"\."twins", after each row/);
  expect(await left()).toEqual({ ...gone, kept: 0 });
  await app.query('update twins set n = 0');
  await items('twins').deleteMany({});
}, 120_000);

it('captures nothing where it removes, and sweeps what the next apply captures anew', async () => {
  const others = [documented('counts'), documented('pages')];
  await deployAgain(flows.entry('letters'), ...others);
  await app.query('delete from shelves where id = 31');
  await bridge.write([shelves(), flows.entry('letters'), ...others]);
  expect(await bridge.prepare('remove', 'letters')).not.toContain('"shelves"');
  await deployAgain(shelves(), ...others);
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 41 });
  await app.query('insert into shelves values (31, 31)');
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 42 });
}, 240_000);

it('undoes a pipeline whatever became of the tables of others', async () => {
  const published = async () => {
    const { rows } = await owner.query<{ name: string }>(
      `select tablename as name from pg_publication_tables where schemaname = 'public' order by 1`,
    );
    return rows.map(({ name }) => name);
  };
  const others = [shelves(), documented('counts'), documented('pages')];
  await deployAgain(flows.entry('letters'), flows.entry('spare'), ...others);
  expect(await published()).toEqual(['letters', 'shelves', 'spare']);
  await owner.query('alter table shelves enable row level security');
  await expect(bridge.prepare('apply')).rejects.toThrow('public.shelves has row security');
  await owner.query('drop table spare; create table spare (n int)'); // of which the old one's capture is no more
  await bridge.prepare('remove', 'letters');
  expect(await published()).toEqual(['shelves']);
  await owner.query('alter table shelves disable row level security');
  await deployAgain(...others);
  await app.query('update shelves set n = -41 where id = 41');
  await flows.untilEqual(keyed('shelves'));
}, 240_000);

it('stops the connector of a database that left the file, keeps its slot, and misses nothing when it is back', async () => {
  const name = bridge.connector('postgres');
  const database = bridge.names.postgres;
  await bridge.write([documented('counts'), documented('pages')]);
  expect(await bridge.prepare('plan')).toContain(`the connector ${name} is stopped; its slot stays`);
  expect((await bridge.connect.status(name, signal())).connector.state).toBe('RUNNING');
  await deployAgain(documented('counts'), documented('pages'));
  expect((await bridge.connect.status(name, signal())).connector.state).toBe('STOPPED');
  expect(await bridge.connect.config(name, signal())).toBeDefined();
  const slots = () =>
    owner.query('select active from pg_replication_slots where database = current_database()');
  await eventually('a slot that nobody reads', 30_000, async () => {
    expect((await slots()).rows).toEqual([{ active: false }]);
    return true;
  });
  const sees = () =>
    owner.query(`select has_table_privilege($1, 'shelves', 'select') as sees`, [
      `${bridge.databases.name}_cdc`,
    ]);
  expect((await sees()).rows).toEqual([{ sees: false }]);
  const kept = new RegExp(
    `^${database}: the replication slot ${slotName(database)}, .* \\d+ MB .*pipelines drop-slot ${database}$`,
    'm',
  );
  for (const command of ['plan', 'apply']) {
    const told = await bridge.prepare(command);
    expect(told).toMatch(kept);
    expect(told).not.toContain('is stopped');
  }

  await app.query(`delete from shelves where id = 30; update shelves set n = -1 where id = 40;
    insert into shelves values (102, 1)`);
  await deployAgain(shelves(), documented('counts'), documented('pages'));
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 42 });
  await flows.untilSwept('shelves', /captured anew/);

  await bridge.prepare('remove', 'shelves', '--drop-slot');
  expect((await slots()).rows).toEqual([]);
  expect((await sees()).rows).toEqual([{ sees: false }]);
  expect(await bridge.connect.config(name, signal())).toBeUndefined();
}, 240_000);

it('does not take a snapshot for done that was cut off', async () => {
  await deployAgain(shelves(), documented('counts'), documented('pages'));
  await flows.untilEqual(keyed('shelves'));
  await app.query(`insert into bag select n % 1000 from generate_series(1, ${BAG_ROWS}) n`);
  const [topic, name] = [bridge.topic({ table: 'public.bag' }), bridge.connector('postgres')];
  await app.query('insert into letters select n, n from generate_series(1, 3) n');
  await bridge.write([...ofTables(), flows.entry('letters'), documented('counts'), documented('pages')]);
  const applied = bridge.prepare('apply');
  await eventually('its first rows', 60_000, async () => (await recordsIn(bridge.stack, topic)) > 0);
  await bridge.connect.stop(name, signal());
  await applied;
  const { ops } = (await StreamedChanges.fromBeginning(bridge.stack, [topic]).count())[topic] ?? {};
  expect(ops?.r ?? 0).toBeLessThan(BAG_ROWS);
  await bridge.connect.resume(name, signal());
  await bridge.restart();
  expect(await flows.untilEqual(BAG)).toMatchObject({ rows: BAG_ROWS });
  // The lost slot's new snapshot asks for one too: of two reasons the later is told.
  await flows.untilSwept('bag', /captured anew|a new snapshot/);
}, 540_000);

it('names the collection and the table of changes that are too large to tell of, and loses nothing of them', async () => {
  const body = (fill: number) => new Binary(Buffer.alloc(9 * MB, fill));
  await items('pages').updateOne({ _id: 2 }, { $set: { body: body(1) } });
  await items('pages').updateOne({ _id: 2 }, { $set: { body: body(2), n: new Int32(22) } });
  await items('pages').deleteOne({ _id: 3 });
  await items('counts').insertOne(item(100));
  await app.query(`update letters set n = 22, body = repeat('x', ${35 * MB}) where id = 2;
    delete from letters where id = 3; insert into shelves values (103, 1)`);
  expect(await alarm('counts', /has failed at .*BSONObjectTooLarge/)).toContain('at pages (_id 2):');
  expect(await alarm('shelves', /has failed at .*TooLarge/)).toContain('at public.letters (id 2):');
  const withBodies = (name: string): Comparison => ({ ...keyed(name), partly: 'both' });
  for (const name of ['pages', 'letters'])
    expect((await flows.compare(withBodies(name))).different).toEqual(['["2"]']);

  await deployAgain(...ofTables(), documented('counts'));
  expect(await flows.untilEqual(keyed('counts'))).toMatchObject({ rows: 21 });
  expect(await flows.untilEqual(keyed('shelves'))).toMatchObject({ rows: 43 });
  for (const pipeline of ['counts', 'shelves'])
    expect((await bridge.untilIdle(pipeline)).reasons).toEqual([]);
  await items('pages').updateOne({ _id: 2 }, { $unset: { body: 1 } });
  await app.query('update letters set body = null where id = 2');
  await deployAgain(...ofTables(), flows.entry('letters'), documented('counts'), documented('pages'));
  for (const name of ['pages', 'letters']) {
    expect(await flows.untilEqual(withBodies(name))).toMatchObject({ rows: 2 });
    await flows.untilSwept(name, /captured anew/);
    expect(await flows.verify(name)).toMatchObject({ compared: 2, ...NO_DIFFERENCE });
  }
}, 540_000);

it('stops the connector of documents that left the file, and misses nothing when it is back', async () => {
  const name = bridge.connector('mongo');
  await deployAgain(...ofTables());
  expect((await bridge.connect.status(name, signal())).connector.state).toBe('STOPPED');
  await items('counts').deleteOne({ _id: 1 });
  await items('counts').updateOne({ _id: 2 }, { $set: { n: new Int32(-2) } });
  await items('counts').insertOne(item(200));
  await deployAgain(...ofTables(), documented('counts'));
  await flows.untilEqual(keyed('counts'));
  await flows.untilSwept('counts', /captured anew/);
  await items('counts').deleteOne({ _id: 200 });
  await flows.untilEqual(keyed('counts'));
}, 240_000);

it('gives up the slot of a database that left the file when it is told to, and not sooner', async () => {
  const database = bridge.names.postgres;
  const slots = async () =>
    (await owner.query('select from pg_replication_slots where slot_name = $1', [slotName(database)]))
      .rowCount;
  await expect(bridge.prepare('drop-slot', database)).rejects.toThrow(
    `pipelines of the file read ${database}`,
  );
  expect(await slots()).toBe(1);
  await bridge.write([documented('counts')]);
  await bridge.prepare('apply');
  expect(await slots()).toBe(1);
  expect(await bridge.prepare('drop-slot', database)).toContain('publication');
  expect(await slots()).toBe(0);
  expect(await bridge.connect.config(bridge.connector('postgres'), signal())).toBeUndefined();
  expect(await bridge.prepare('plan')).not.toContain(slotName(database));
  // As after somebody had deleted the connector.
  const cdc = await bridge.databases.postgres('cdc');
  await cdc.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName(database)]);
  const drop = `select pg_drop_replication_slot('${slotName(database)}')`;
  await expect(bridge.prepare('drop-slot', database)).rejects.toThrow(drop);
  await cdc.query(drop);
  expect(await bridge.prepare('plan')).not.toContain(slotName(database));
}, 240_000);
