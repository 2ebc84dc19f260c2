import { randomUUID } from 'node:crypto';
import { AvroCodec, KafkaMessageBus, SchemaRegistry, silentLog } from '@millrace/messaging';
import { OrderPlaced } from '@millrace/schemas';
import { eventually, repeats } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { impatientOrderService } from './support/impatient-order-service.js';
import { ownStack } from './support/own-stack.js';
import { World } from './support/world.js';

const stack = ownStack();
const inventory = ['inventory-service-1', 'inventory-service-2'];

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Holds every instance of inventory-service still, as a long pause of a virtual machine would. */
async function whileInventoryStandsStill<T>(act: () => Promise<T>): Promise<T> {
  for (const name of inventory) await stack.kill(name, 'SIGSTOP');
  try {
    return await act();
  } finally {
    for (const name of inventory) await stack.kill(name, 'SIGCONT');
  }
}

describe('a reply that comes too late', () => {
  it('changes nothing about an order that was cancelled before; what was reserved is released, once', async () => {
    const sku = await world.sku(7);
    const { id } = await whileInventoryStandsStill(async () => {
      const order = await world.place([sku, 7]);
      await world.system.cancel(order.id);
      return order;
    });
    await world.untilLogged(id, ['OrderPlaced', 'OrderCancelled', 'StockReserved', 'StockReleased']);
    await world.untilStock(sku, { onHand: 7, reserved: 0 });
    expect((await world.system.order(id)).status).toBe('cancelled');
  });

  it('changes nothing about an order that has expired; what was reserved is released, once', async () => {
    const sku = await world.sku(7);
    const { id } = await whileInventoryStandsStill(async () => {
      const order = await world.place([sku, 7]);
      await using _ = await impatientOrderService({ orderExpiryMs: 500 });
      return await world.until(order.id, 'expired');
    });
    await world.untilLogged(id, ['OrderPlaced', 'OrderExpired', 'StockReserved', 'StockReleased']);
    await world.untilStock(sku, { onHand: 7, reserved: 0 });
    expect((await world.system.order(id)).status).toBe('expired');
  });
});

it('has one effect of an event that is delivered twice', async () => {
  const sku = await world.sku(10);
  const { id } = await world.place([sku, 4]);
  await world.until(id, 'confirmed');
  await world.untilLogged(id, ['OrderPlaced', 'StockReserved', 'OrderConfirmed']);
  const [placed] = (await world.system.events((key) => key === id)).filter(
    ({ type }) => type === 'OrderPlaced',
  );
  if (!placed) throw new Error('OrderPlaced is not in the log');

  const after = randomUUID();
  const { kafka, registry } = inject('stack');
  const schemas = new SchemaRegistry({ url: registry.url });
  const bus = new KafkaMessageBus({
    clientId: `duplicate-${randomUUID()}`,
    brokers: kafka.bootstrapServers,
    codec: new AvroCodec(schemas, await schemas.resolveIds([OrderPlaced])),
    log: silentLog,
  });
  try {
    await bus.publish(OrderPlaced, placed.event as OrderPlaced, { eventId: placed.eventId });
    // It comes after the duplicate on their partition: once it is handled, so is the duplicate.
    await bus.publish(OrderPlaced, placed.event as OrderPlaced, { eventId: after });
  } finally {
    await bus.close();
  }
  const handled = await eventually('what came after the duplicate to be handled', 30_000, async () => {
    const ids = await world.system.handledFor(id);
    return ids.includes(after) && ids;
  });
  expect(handled).toEqual([placed.eventId, after]);
  expect(repeats(await world.system.events((key) => key === id))).toBe(1);
  await world.untilStock(sku, { onHand: 10, reserved: 4 });
  expect((await world.system.order(id)).status).toBe('confirmed');
});
