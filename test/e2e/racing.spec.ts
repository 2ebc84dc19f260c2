import { tally } from '@millrace/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { scrape, total } from './support/metrics.js';
import { World } from './support/world.js';

const racing = 200;
const pieces = 10;

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world[Symbol.asyncDispose]());

it('serves ten of two hundred orders that race for ten pieces, over all partitions and both instances', async () => {
  const { 'order-service': orderService = [], 'inventory-service': inventory = [] } =
    inject('stack').services;
  const instances = [...orderService, ...inventory];
  expect(instances).toHaveLength(4);
  const handledBy = () => Promise.all(instances.map(async (each) => handled(await scrape(each))));
  const before = await handledBy();

  const sku = await world.sku(pieces);
  const orders = await Promise.all(Array.from({ length: racing }, () => world.place([sku, 1])));
  const ended = await Promise.all(
    orders.map(async ({ id }) => {
      const order = await world.untilEnded(id);
      return { id, status: order.status, lines: [] };
    }),
  );

  expect(tally(ended)).toEqual({ confirmed: pieces, rejected: racing - pieces });
  await world.untilStock(sku, { onHand: pieces, reserved: pieces });

  const ids = new Set(orders.map(({ id }) => id));
  const placed = (await world.system.events((key) => ids.has(key))).filter(
    ({ type }) => type === 'OrderPlaced',
  );
  expect(new Set(placed.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  const after = await handledBy();
  for (const [i, count] of after.entries()) expect(count).toBeGreaterThan(before[i] as number);
});

const handled = (samples: Parameters<typeof total>[0]) =>
  total(samples, 'millrace_consumer_records_total', { outcome: 'handled' });
