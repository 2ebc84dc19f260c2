import { BreakableProxy, eventually, LogReader } from '@millrace/testing';
import { type Db, Int32 } from 'mongodb';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { BridgeUnderTest } from '../testing/bridge-under-test.js';

let bridge: BridgeUnderTest;
/** The application's, and the owner's, who may also read what the bridge wrote. */
let rows: pg.Client;
let owner: pg.Client;
let documents: Db;

beforeAll(async () => {
  bridge = await BridgeUnderTest.create(inject('stack'), { LOG_LEVEL: 'debug' });
  owner = await bridge.databases.postgres('owner');
  await owner.query(`
    create table sales (id int primary key, customer text not null, total numeric(10,2));
    create table levels (sku text primary key, on_hand int check (on_hand < 1000));
    create table partners (id int primary key, name text);
    grant select, insert, update, delete, truncate on sales, partners to ${bridge.databases.name}_app;
    insert into sales select n, 'before', n from generate_series(1, 20) as n`);
  rows = await bridge.databases.postgres('app');
  documents = await bridge.databases.documents('app');
  await documents.createCollection('stock');
  await bridge.deploy(entries(), 2);
}, 240_000);

/** @param sales what is added to the entry of the sales */
function entries(sales: object = {}): object[] {
  const { postgres, mongo } = bridge.names;
  return [
    {
      name: 'sales',
      from: { postgres, table: 'public.sales' },
      to: { mongo, collection: 'sales' },
      ...sales,
    },
    {
      name: 'levels',
      from: { mongo, collection: 'stock' },
      to: { postgres, table: 'public.levels' },
      columns: { sku: '_id', on_hand: 'onHand' },
    },
    {
      name: 'partners',
      between: [
        { postgres, table: 'public.partners' },
        { mongo, collection: 'partners' },
      ],
      conflict: { priority: 'postgres' },
    },
  ];
}

afterAll(() => bridge?.[Symbol.asyncDispose]());

const mirrored = async () =>
  (await documents.collection('sales').find().sort({ _id: 1 }).toArray()).map(
    ({ _id, customer }) => `${_id} ${customer}`,
  );
const inOrders = async () =>
  (await rows.query<{ id: number; customer: string }>('select id, customer from sales order by id')).rows.map(
    ({ id, customer }) => `${id} ${customer}`,
  );
const untilMirrored = () =>
  eventually('the collection to equal the table', 90_000, async () => {
    expect(await mirrored()).toEqual(await inOrders());
    return true;
  });

/** A group waits for a killed member until its session ends; what moves on meanwhile may be dead-lettered twice. */
const untilShared = () =>
  eventually('each instance to have partitions of each topic', 60_000, () =>
    bridge.instances.every((instance) => {
      const begun = new Set(instance.lines('a partition begins').map(({ pipeline }) => pipeline));
      return ['sales', 'levels'].every((pipeline) => begun.has(pipeline));
    }),
  );

describe('a table into a collection', () => {
  it('carries the rows that were there, and then each change', async () => {
    await untilMirrored();
    await rows.query(`insert into sales values (100, 'ada', 12.50); update sales set customer = 'grace' where id = 1;
      delete from sales where id = 2; update sales set id = 103 where id = 3`);
    await untilMirrored();
    expect(await mirrored()).toEqual(expect.arrayContaining(['1 grace', '100 ada', '103 before']));
  });

  it('applies each change once, over two instances, of which one after the other is killed', async () => {
    await untilShared();
    const before = await bridge.untilIdle('sales');
    for (let round = 0; round < 30; round++) {
      await rows.query(
        `insert into sales select 1000 + $1 * 100 + n, 'round ' || $1::int, n from generate_series(1, 100) as n`,
        [round],
      );
      if (round === 8) await bridge.restart(0);
      if (round === 18) await bridge.restart(1);
    }
    await untilMirrored();
    const after = await bridge.untilIdle('sales');
    expect(after.rows.applied - before.rows.applied).toBe(3_000);
    expect(after.rows.read - before.rows.read).toBe(3_000);
    await untilShared();
  });

  it('rests on every instance while it is paused by one, and goes on when another says so', async () => {
    await bridge.untilIdle('sales');
    await bridge.ask('POST', '/pipelines/sales/pause', undefined, 0);
    await eventually('both to know', 10_000, async () =>
      (await Promise.all([0, 1].map((i) => bridge.status('sales', i)))).every(
        ({ state }) => state === 'paused',
      ),
    );
    await rows.query(`insert into sales select n, 'while paused', n from generate_series(6000, 6099) as n`);
    await eventually('the changes to wait', 30_000, async () => {
      const { lag } = await bridge.status('sales', 1);
      return (lag.records ?? 0) >= 100;
    });
    expect((await mirrored()).filter((line) => line.includes('while paused'))).toEqual([]);
    await bridge.ask('POST', '/pipelines/sales/resume', undefined, 1);
    await untilMirrored();
  });
});

describe('a collection into a table', () => {
  const levels = async () =>
    (await owner.query<{ sku: string; on_hand: number }>('select * from levels order by sku')).rows.map(
      ({ sku, on_hand }) => `${sku} ${on_hand}`,
    );

  it('dead-letters what the table refuses, with its bytes and why, while the rest flows', async () => {
    const stock = documents.collection<{ _id: string; onHand: Int32 }>('stock');
    await stock.insertMany(
      Array.from({ length: 50 }, (_, i) => ({
        _id: `sku-${String(i).padStart(2, '0')}`,
        onHand: new Int32(i === 25 ? 5_000 : i),
      })),
    );
    await eventually('the others', 60_000, async () => (await levels()).length === 49);
    await stock.updateOne({ _id: 'sku-25' }, { $set: { onHand: new Int32(25) } });
    await stock.deleteOne({ _id: 'sku-00' });
    await eventually('what followed', 30_000, async () => {
      const found = await levels();
      return found.includes('sku-25 25') && !found.includes('sku-00 0') && found.length === 49;
    });

    const { bootstrapServers } = bridge.stack.kafka;
    const topic = bridge.topic({ collection: 'stock' });
    const [buried, log] = [
      await LogReader.fromBeginning(bootstrapServers, ['cdc-bridge.levels.dlq']),
      await LogReader.fromBeginning(bootstrapServers, [topic]),
    ];
    try {
      const letters = (await buried.read()).filter(({ headers }) => headers['dlq.topic'] === topic);
      expect(letters).toHaveLength(1);
      const [letter] = letters;
      const original = (await log.read()).find(
        ({ partition, offset }) =>
          String(partition) === letter?.headers['dlq.partition'] &&
          String(offset) === letter.headers['dlq.offset'],
      );
      expect(letter?.value).toEqual(original?.value);
      expect(letter?.headers).toMatchObject({
        'dlq.reason.code': 'SINK_REFUSED',
        'dlq.reason.text': expect.stringContaining('levels_on_hand_check'),
      });
    } finally {
      await buried.close();
      await log.close();
    }
    // Each instance looks once a second at what was told to all.
    await eventually('its counts and why', 30_000, async () => {
      expect(await bridge.untilIdle('levels')).toMatchObject({
        rows: { read: 52, applied: 51 },
        lastError: { code: 'SINK_REFUSED' },
      });
      return true;
    });
  });
});

it('stays paused when every instance is killed and started again, also while what was agreed on cannot be read', async () => {
  const pipelines = ['sales', 'levels', 'partners'];
  for (const pipeline of pipelines) {
    await bridge.untilIdle(pipeline);
    await bridge.ask('POST', `/pipelines/${pipeline}/pause`);
  }
  const states = async () => {
    const all = pipelines.flatMap((pipeline) => [0, 1].map((i) => bridge.status(pipeline, i)));
    return (await Promise.all(all)).map(({ state }) => state);
  };
  const written = async () => [
    (await mirrored()).filter((line) => line.includes('over kills')).length,
    (await owner.query(`select from levels where sku like 'over kills%'`)).rowCount,
    await documents.collection('partners').countDocuments(),
  ];
  await Promise.all(bridge.instances.map((instance) => instance.kill()));
  await rows.query(`insert into sales select n, 'over kills', n from generate_series(6100, 6199) as n;
    insert into partners select n, 'over kills' from generate_series(1, 10) as n`);
  const stock = documents.collection<{ _id: string; onHand: Int32 }>('stock');
  await stock.insertMany(
    Array.from({ length: 20 }, (_, i) => ({ _id: `over kills ${i}`, onHand: new Int32(i) })),
  );
  // Where Postgres keeps it: of the table and of the pair.
  await owner.query('begin; lock table millrace.pipelines in access exclusive mode');
  try {
    await Promise.all([bridge.restart(0), bridge.restart(1)]);
    await untilShared();
    await eventually('the changes to wait', 60_000, async () => {
      const lags = await Promise.all(['sales', 'levels'].map((name) => bridge.status(name)));
      const [ofSales = 0, ofLevels = 0] = lags.map(({ lag }) => lag.records ?? 0);
      return ofSales >= 100 && ofLevels >= 20;
    });
    await eventually('readiness to say so', 30_000, async () => {
      const response = await fetch(`${bridge.instances[0]?.url}/health/ready`);
      return response.status === 503 && /controls cannot be read/.test(await response.text());
    });
    expect(await written()).toEqual([0, 0, 0]);
  } finally {
    await owner.query('rollback');
  }
  await eventually('every instance to know', 30_000, async () =>
    (await states()).every((state) => state === 'paused'),
  );
  expect(await written()).toEqual([0, 0, 0]);
  for (const pipeline of pipelines) await bridge.ask('POST', `/pipelines/${pipeline}/resume`);
  await eventually('what waited', 90_000, async () => (await written()).join() === '100,20,10');
}, 240_000);

it('waits for a sink that is away, or takes connections and is silent, says so, and goes on by itself with nothing lost or dead-lettered', async () => {
  for (const instance of bridge.instances.splice(0)) await instance.stop();
  await using proxy = await BreakableProxy.before(bridge.mongoUrl('bridge'));
  const through = new URL(proxy.url(bridge.mongoUrl('bridge')));
  // Else the driver would go to the members that the replica set names.
  through.searchParams.set('directConnection', 'true');
  const variable = `MONGO_${bridge.names.mongo.toUpperCase()}_URL`;
  const instance = await bridge.start({ [variable]: through.toString() });
  const before = await bridge.untilIdle('sales');
  const untilWaiting = () =>
    eventually('readiness to say so', 60_000, async () => {
      const response = await fetch(`${instance.url}/health/ready`);
      return response.status === 503 && /sales: partition \d waits/.test(await response.text());
    });
  await proxy.down();
  await rows.query(`insert into sales select n, 'while away', n from generate_series(7000, 7099) as n`);
  await untilWaiting();
  // Of what is away the last that was known is told, and of the rest everything.
  const { items } = await bridge.ask<{ items: { name: string; state: string; reasons: string[] }[] }>(
    'GET',
    '/pipelines',
  );
  expect(items.find(({ name }) => name === 'sales')).toMatchObject({
    state: 'waiting',
    reasons: expect.arrayContaining([expect.stringContaining('its checkpoints cannot be read')]),
  });
  // The other pipeline's control is kept elsewhere: it is told, and nobody waits for what is away.
  for (const [verb, state] of Object.entries({ pause: 'paused', resume: 'running' }))
    expect(await bridge.ask('POST', `/pipelines/levels/${verb}`)).toMatchObject({ name: 'levels', state });
  await proxy.up();
  await untilMirrored();
  await bridge.untilIdle('sales');

  proxy.silence(true);
  await rows.query(`insert into sales select n, 'while silent', n from generate_series(7100, 7199) as n`);
  await untilWaiting();
  proxy.silence(false);
  await untilMirrored();
  const after = await bridge.untilIdle('sales');
  expect(after.rows.applied - before.rows.applied).toBe(200);
  expect(after.rows.read - before.rows.read).toBe(200);
}, 300_000);

it('holds an instance with an older entry, and brings every row in the form of the newer one', async () => {
  await untilMirrored();
  await bridge.write(entries({ rename: { customer: 'buyer' } }));
  const startAgain = async () => {
    await bridge.instances.shift()?.stop();
    await bridge.start();
  };
  await startAgain();
  await eventually('the other instance to wait', 60_000, async () => {
    const { state, reasons } = await bridge.status('sales');
    return state === 'waiting' && /its entry has changed, and this instance waits/.test(reasons.join());
  });
  await startAgain();
  await eventually('every row in its new form', 90_000, async () => {
    const found = await documents.collection('sales').find().sort({ _id: 1 }).toArray();
    expect(found.map(({ _id, buyer, customer }) => `${_id} ${buyer} ${customer}`)).toEqual(
      (await inOrders()).map((row) => `${row} undefined`),
    );
    return true;
  });
});
