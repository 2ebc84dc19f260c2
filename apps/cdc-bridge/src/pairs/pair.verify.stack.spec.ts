import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { verifyPair } from './pair.verify.js';
import { createPair, type Running, startWorker } from './testing/pair.fixture.js';

let databases: Databases;
let running: Running | undefined;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
});

afterEach(async () => {
  await running?.stop();
  await databases[Symbol.asyncDispose]();
});

it('counts and names a key that changes each time it is looked at, and that nothing is known of', async () => {
  const owner = await databases.postgres('owner');
  await owner.query(`create table customers (id int primary key, name text, local text);
    insert into customers values (1, 'restless'), (2, 'one'), (3, 'same')`);
  await createPair(databases);
  const customers = (await databases.documents('app')).collection<{ _id: number; name: string }>('customers');
  await customers.insertMany([
    { _id: 1, name: 'other' },
    { _id: 2, name: 'two' },
    { _id: 3, name: 'same' },
  ]);
  running = await startWorker(databases, { priority: 'postgres' });
  let looks = 0;
  const settled = async () => {
    await owner.query('update customers set name = $1 where id = 1', [`look ${++looks}`]);
  };
  const report = await verifyPair(running.worker.sync, settled, AbortSignal.timeout(60_000));
  expect(report).toMatchObject({ compared: 3, different: 1, missing: 0, extra: 0, unsettled: 1 });
  expect(report.sample).toEqual([
    { key: '["2"]', kind: 'different' },
    { key: '["1"]', kind: 'unsettled' },
  ]);
  expect(report.note).toContain('1 keys changed each time');
});

it('says so where it compared nothing', async () => {
  const owner = await databases.postgres('owner');
  await owner.query('create table customers (id int primary key, name text, local text)');
  await createPair(databases);
  const notes = async () => {
    running = await startWorker(databases, { priority: 'postgres' });
    const { sourceRows, targetRows, compared, note } = await verifyPair(
      running.worker.sync,
      async () => {},
      AbortSignal.timeout(60_000),
    );
    await running.stop();
    return { sourceRows, targetRows, compared, note };
  };
  expect(await notes()).toEqual({
    sourceRows: 0,
    targetRows: 0,
    compared: 0,
    note: 'both sides are empty; no key is on both sides',
  });
  const customers = (await databases.documents('app')).collection<{ _id: number; name: string }>('customers');
  await customers.insertOne({ _id: 1, name: 'alone' });
  expect(await notes()).toEqual({
    sourceRows: 0,
    targetRows: 1,
    compared: 0,
    note: 'no key is on both sides',
  });
});

it('counts every key that differs, and names the first twenty', async () => {
  const owner = await databases.postgres('owner');
  await owner.query(`create table customers (id int primary key, name text, local text);
    insert into customers select n, 'alone' from generate_series(1, 25) n`);
  await createPair(databases);
  running = await startWorker(databases, { priority: 'postgres' });
  const report = await verifyPair(running.worker.sync, async () => {}, AbortSignal.timeout(60_000));
  expect(report).toMatchObject({ sourceRows: 25, missing: 25, extra: 0, different: 0 });
  expect(report.sample).toEqual(
    Array.from({ length: 20 }, (_, i) => ({ key: `["${i + 1}"]`, kind: 'missing' })),
  );
});
