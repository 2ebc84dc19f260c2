import { eventually, mongoRoleFaults, postgresRoleFaults } from '@millrace/testing';
import { afterAll, expect, inject, it } from 'vitest';
import { millrace } from './support/millrace.js';
import { untilPipelinesEqual } from './support/own-pipelines.js';
import { World } from './support/world.js';

/** `millrace pipelines …` on the stack under test, whose deploy step has applied the project's own pipelines.yaml. */
const pipelines = (...args: string[]) => millrace(inject('stackFolder'), 'pipelines', ...args);
const restartBridge = () => millrace(inject('stackFolder'), 'stack', 'restart', 'cdc-bridge-1');

afterAll(async () => {
  // Whatever failed, the other tests have their pipeline.
  await pipelines('apply');
  await restartBridge();
}, 240_000);

it('has a role for the owner, the service, the bridge and Debezium in each database, none of them a superuser', async () => {
  const { orders, inventory } = inject('stack').databases;
  const own = new URL(inventory.owner).pathname.slice(1);
  expect(await postgresRoleFaults(orders)).toEqual([]);
  expect(await mongoRoleFaults(inventory, [own, `${own}_bridge`])).toEqual([]);
});

it('plans nothing where all is as wanted', async () => {
  expect(await pipelines('plan')).toMatchObject({ exitCode: 0, all: '' });
});

it('removes a pipeline, plans to bring it back, and brings it back with what it had', async () => {
  await using world = await World.open();
  await world.sku(7);
  const removed = await pipelines('remove', 'stock');
  expect([removed.exitCode, removed.all]).toEqual([0, expect.stringContaining('stock is undone')]);
  const granted = /SELECT, INSERT, UPDATE, DELETE on table "public"\."stock_levels" for/;
  const [planned, again] = [await pipelines('plan'), await pipelines('plan')];
  expect([planned.exitCode, planned.all]).toEqual([0, expect.stringMatching(granted)]);
  expect(again.all).toBe(planned.all); // it only told them
  const applied = await pipelines('apply');
  expect([applied.exitCode, applied.all]).toEqual([0, expect.stringMatching(granted)]);
  expect(await pipelines('plan')).toMatchObject({ exitCode: 0, all: '' });

  await world.sku(3);
  expect(await restartBridge()).toMatchObject({ exitCode: 0 });
  await eventually('stock to be carried again', 120_000, async () => {
    const { exitCode, all } = await pipelines('verify', 'stock');
    return exitCode === 0 || Promise.reject(new Error(all));
  });
  expect((await untilPipelinesEqual(inject('stack'))).stock).toBeGreaterThan(1);
}, 360_000);

it('says which name it does not know, and fails', async () => {
  const { exitCode, all } = await pipelines('remove', 'stokc');
  expect([exitCode, all]).toEqual([1, expect.stringContaining('there is no pipeline stokc')]);
});
