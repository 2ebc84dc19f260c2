import { eventually } from '@millrace/testing';
import { type Collection, type Document, Long } from 'mongodb';
import type pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import type { PairSettings } from './pair.run.js';
import type { PairService } from './pair.service.js';
import { PairUnderTest } from './testing/pair.under-test.js';

const signal = () => AbortSignal.timeout(60_000);

let pair: PairUnderTest;
let owner: pg.Client;
let customers: Collection<Document & { _id: number | string | Long }>;

beforeEach(async () => {
  pair = await PairUnderTest.open(inject('stack'), {
    table: 'public.customers',
    collection: 'customers',
    conflict: { priority: 'postgres' },
  });
  owner = await pair.databases.postgres('owner');
  await owner.query('create table customers (id int primary key, name text)');
  customers = (await pair.databases.documents('app')).collection('customers');
  await pair.prepare();
});

afterEach(async () => {
  await pair?.[Symbol.asyncDispose]();
});

async function started(settings: Partial<PairSettings> = {}): Promise<PairService> {
  const service = pair.start(settings);
  await eventually('the pair to run', 60_000, () => service.reasons().length === 0);
  return service;
}

it('looks at every key by a repair, and shows until then what no hint told of', async () => {
  const service = await started();
  await owner.query(`insert into customers select n, 'told' from generate_series(1, 100) n`);
  await eventually('the documents', 60_000, async () => (await customers.countDocuments()) === 100);
  await eventually('the hints to be handled', 60_000, async () => (await service.status()).lag === 0);
  const { rows } = await owner.query('select pubname as name from pg_publication');
  for (const { name } of rows) await owner.query(`alter publication ${name} drop table customers`);
  let n = 1;
  await eventually('differences that stay', 60_000, async () => {
    n++;
    await owner.query(`update customers set name = 'untold ${n}' where id = 1;
      delete from customers where id = ${n}; insert into customers values (${n + 100}, 'untold')`);
    const { missing, extra, different } = await service.verify(signal());
    if (missing === 1 && extra === 1 && different === 1) return true;
    await service.repair(signal()); // the first look at every key, which is still under way, found some
    return false;
  });
  const ids = [1, n, n + 100];
  const documents = async () => (await customers.find({ _id: { $in: ids } }).toArray()).map(({ _id }) => _id);
  expect((await documents()).sort()).toEqual([1, n]);
  await service.repair(signal());
  expect((await documents()).sort()).toEqual([1, n + 100]);
  expect(await customers.findOne({ _id: 1 })).toMatchObject({ name: `untold ${n}` });
  expect(await service.verify(signal())).toMatchObject({ missing: 0, extra: 0, different: 0 });
});

it('forgets documents without a key that are gone, or have one by now, by its slow check', async () => {
  const far = Long.fromNumber(3_000_000_000);
  await customers.insertMany([
    { _id: 'gone', name: 'gone' },
    { _id: 'stays', name: 'stays' },
    { _id: far, name: 'far' },
  ]);
  const told = async (service: PairService) => {
    const { count, sample } = (await service.status()).unmapped;
    return [count, ...sample.map(({ id }) => JSON.parse(id)._id).filter((id) => typeof id === 'string')];
  };
  const first = await started();
  await eventually('all to be told', 60_000, async () => (await told(first))[0] === 3);
  const bridge = (await pair.databases.documents('bridge')).client;
  const unmapped = bridge.db(`${pair.databases.name}_bridge`).collection(`${pair.pipeline.name}.unmapped`);
  const entry = await unmapped.findOne({ id: { $regex: 'gone' } });
  await customers.deleteOne({ _id: 'gone' });
  await eventually('its deletion to be told', 60_000, async () => (await told(first))[0] === 2);
  await first.close();
  await unmapped.insertOne(entry as Document); // as if it had not been
  await owner.query('alter table customers alter id type bigint');
  const second = await started({ checkEveryMs: 500 });
  await eventually('the other to be left', 60_000, async () => {
    expect(await told(second)).toEqual([1, 'stays']);
    return true;
  });
  await eventually(
    'the row',
    60_000,
    async () => (await owner.query('select from customers')).rowCount === 1,
  );
});
