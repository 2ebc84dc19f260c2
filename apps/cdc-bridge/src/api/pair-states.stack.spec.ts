import { eventually } from '@millrace/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Flows } from '../testing/flows.js';
import type { ConflictPage, PipelineView } from './pipelines.api.js';

interface Person {
  _id: number;
  name: string;
  seen?: unknown;
}

let flows: Flows;
let sales: string;
let people: string;

beforeAll(async () => {
  flows = await Flows.create(
    inject('stack'),
    `create table sales (id int primary key, n int);
     create table people (id int primary key, name text, seen timestamptz)`,
  );
  const { databases, names } = flows.bridge;
  const { postgres, mongo } = names;
  await (await databases.superuser()).query(
    `alter database ${databases.name} set deadlock_timeout = '500ms'`,
  );
  [sales, people] = [`${postgres}-sales`, `${postgres}-people`];
  await flows.bridge.deploy([
    flows.entry('sales', { name: sales }),
    {
      name: people,
      between: [
        { postgres, table: 'public.people' },
        { mongo, collection: 'people' },
      ],
      conflict: { priority: 'postgres' },
    },
  ]);
  for (const pipeline of [sales, people]) await untilState(pipeline, 'running');
}, 240_000);

afterAll(() => flows?.[Symbol.asyncDispose]());

const persons = () => flows.documents.collection<Person>('people');
const named = (name: string) => persons().countDocuments({ name });
const isThere = async (name: string) => (await named(name)) > 0;
const url = (path: string) => `${flows.bridge.instances[0]?.url}${path}`;

function untilState(pipeline: string, state: PipelineView['state']): Promise<unknown> {
  return eventually(`${pipeline} to be ${state}`, 90_000, async () => {
    return (await flows.bridge.status(pipeline)).state === state;
  });
}

async function turn(to: 'pause' | 'resume'): Promise<void> {
  await flows.bridge.ask('POST', `/pipelines/${people}/${to}`);
  await untilState(people, to === 'pause' ? 'paused' : 'running');
}

/** Waits until a gauge of the pair is as it should be: a scrape's answers are good for half of a second. */
async function untilGauge(name: string, isRight: (value: number) => boolean): Promise<void> {
  await eventually(`${name} to tell it`, 30_000, async () => {
    const text = await (await fetch(url('/metrics'))).text();
    const value = new RegExp(`^cdc_bridge_${name}\\{pipeline="${people}"\\} (\\S+)$`, 'm').exec(text)?.[1];
    return isRight(Number(value));
  });
}

it('tells where Postgres looks for deadlocks sooner than a pair may count on', async () => {
  expect((await flows.bridge.status(people)).reports).toEqual([
    expect.stringMatching(/^public\.people\.seen: /),
    expect.stringMatching(/^deadlock_timeout is 500 ms: .*set it to 1000 ms or more/),
  ]);
});

it('tells how much of a pair waits while it is paused, and of no change how old it is', async () => {
  await turn('pause');
  await flows.app.query(`insert into people values (1, 'one'), (2, 'two')`);
  const { lag, pair } = await eventually('the lag', 60_000, async () => {
    const status = await flows.bridge.status(people);
    return (status.lag.records ?? 0) >= 2 && status;
  });
  expect([lag.sinkSeconds, pair?.queued]).toEqual([null, 0]);
  await untilGauge('lag_records', (value) => value >= 2);
  await turn('resume');
  expect((await flows.bridge.untilIdle(people)).lag.sinkSeconds).toBe(0);
});

it('tells how long a pair has had its oldest change in hand', async () => {
  const holder = await flows.bridge.databases.postgres('app');
  await holder.query('begin; update people set name = name where id = 1');
  await persons().updateOne({ _id: 1 }, { $set: { name: 'held' } });
  await eventually('its age', 30_000, async () => {
    return ((await flows.bridge.status(people)).lag.sinkSeconds ?? 0) > 0.5;
  }).finally(() => holder.query('rollback'));
  await eventually('the row', 30_000, async () => {
    const { rows } = await flows.app.query('select name from people where id = 1');
    return rows[0]?.name === 'held';
  });
  expect((await flows.bridge.untilIdle(people)).lag.sinkSeconds).toBe(0);
});

it('tells how far a pair’s connector is behind', async () => {
  const { bridge } = flows;
  const signal = AbortSignal.timeout(120_000);
  await bridge.connect.stop(bridge.connector('postgres'), signal);
  try {
    await eventually('the pair to tell it', 60_000, async () => {
      return ((await bridge.status(people)).lag.sourceSeconds ?? 0) > 3;
    });
    await untilGauge('source_lag_seconds', (value) => value > 3);
  } finally {
    await bridge.connect.resume(bridge.connector('postgres'), signal);
  }
  await untilGauge('source_lag_seconds', (value) => value < 3);
});

it('counts a parked key', async () => {
  await persons().insertOne({ _id: 9, name: 'nine', seen: 'whenever' });
  await untilGauge('parked_keys', (value) => value === 1);
  await persons().deleteOne({ _id: 9 });
  await untilGauge('parked_keys', (value) => value === 0);
});

it('answers with fifty conflicts unless asked for more, and with none of one way', async () => {
  await flows.app.query(`insert into people select n, 'both' from generate_series(101, 151) n`);
  await eventually('the documents', 60_000, async () => (await named('both')) === 51);
  await flows.bridge.untilIdle(people);
  await turn('pause');
  await flows.app.query(`update people set name = 'row' where id > 100`);
  await persons().updateMany({ _id: { $gt: 100 } }, { $set: { name: 'doc' } });
  await turn('resume');
  await eventually('the winners', 60_000, async () => (await named('row')) === 51);
  const page = (pipeline: string) =>
    flows.bridge.ask<ConflictPage>('GET', `/pipelines/${pipeline}/conflicts`);
  const { items, nextBefore } = await page(people);
  expect([items.length, nextBefore]).toEqual([50, items.at(-1)?.id]);
  expect(await page(sales)).toEqual({ items: [], nextBefore: null });
});

it('looks at every key of a pair that is to be read again', async () => {
  await flows.app.query(`insert into people values (300, 'told')`);
  await eventually('the document', 60_000, () => isThere('told'));
  const { rows } = await flows.owner.query<{ name: string }>('select pubname as name from pg_publication');
  for (const { name } of rows) await flows.owner.query(`alter publication ${name} drop table people`);
  try {
    let n = 0;
    // What a look that is still under way finds is made again.
    await eventually('an edit that nobody sees', 60_000, async () => {
      await flows.app.query(`update people set name = 'untold ${++n}' where id = 300`);
      return (await flows.verify(people)).different === 1;
    });
    await flows.bridge.ask('POST', `/pipelines/${people}/resnapshot`);
    await eventually('the edit', 60_000, () => isThere(`untold ${n}`));
  } finally {
    for (const { name } of rows) await flows.owner.query(`alter publication ${name} add table people`);
  }
});

it('stops a pair whose Postgres was restored, is not ready, and asks for the side to repair it from', async () => {
  await flows.app.query(`insert into people values (200, 'newest')`);
  await eventually('the document', 60_000, () => isThere('newest'));
  await flows.bridge.untilIdle(people);
  await flows.owner.query(`alter table people disable trigger zz_millrace;
    update people set name = 'older' where id = 200;
    alter table people enable always trigger zz_millrace;
    update millrace."${people}_ledger" set rev = 0;
    select setval('millrace."${people}_rev"', 1)`);
  const repair = (body: object) =>
    fetch(url(`/pipelines/${people}/repair`), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await repair({});
  await untilState(people, 'stopped');
  const { reasons } = await flows.bridge.status(people);
  expect(reasons).toContainEqual(
    expect.stringMatching(/was Postgres restored\? repair the pair from one side/),
  );
  const ready = await fetch(url('/health/ready'));
  expect([ready.status, await ready.text()]).toEqual([
    503,
    expect.stringContaining('was Postgres restored?'),
  ]);
  await untilGauge('waiting', (value) => value === 1);
  expect((await repair({})).status).toBe(409);
  expect((await repair({ from: 'mongo' })).status).toBe(200);
  await untilState(people, 'running');
  await untilGauge('waiting', (value) => value === 0);
  const { rows } = await flows.owner.query('select name from people where id = 200');
  expect(rows).toEqual([{ name: 'newest' }]);
});
