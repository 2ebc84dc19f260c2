import { randomUUID } from 'node:crypto';
import { OrderCancelled, OrderPlaced, StockRejected, StockReleased, StockReserved } from '@millrace/schemas';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../migrations/index.js';
import { migrateDatabase } from '../migrations/migrate-database.js';
import { createMongoClient } from '../mongo/mongo-client.js';
import { createInventoryDatabase, type InventoryDatabase } from '../spec-support/inventory-database.js';
import { type Emitted, InventoryInstance } from '../spec-support/inventory-instance.js';
import { available } from '../stock/stock.decision.js';

/** Partitions of `order.events`: the most orders that are handled at once, over all instances. */
const LANES = 6;

let database: InventoryDatabase;
let one: InventoryInstance;
let two: InventoryInstance;

beforeAll(async () => {
  database = await createInventoryDatabase(inject('stack'));
  await using owner = createMongoClient(database.ownerUrl, 'spec');
  await migrateDatabase(owner.db(), migrations);
  one = new InventoryInstance(database.appUrl);
  two = new InventoryInstance(database.appUrl);
});

afterAll(async () => {
  await one?.[Symbol.asyncDispose]();
  await two?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

/** A new SKU with so many pieces. */
async function sku(onHand: number): Promise<string> {
  const name = `sku-${randomUUID()}`;
  await one.put(name, onHand);
  return name;
}

const levelOf = async (name: string) => {
  const level = await one.stock.find(name);
  if (!level) throw new Error(`no SKU ${name}`);
  return level;
};

const eventsOf = async (...orders: string[]): Promise<Emitted[]> =>
  (await one.emitted()).filter(({ key }) => orders.includes(key));

/** Works through the tasks as two instances do that share six partitions. */
async function race<T>(
  tasks: readonly T[],
  work: (instance: InventoryInstance, task: T) => Promise<unknown>,
) {
  const queue = [...tasks];
  const lane = async (instance: InventoryInstance) => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await work(instance, task);
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index % 2 ? one : two)));
}

describe('reserving', () => {
  it('gives the last ten pieces to ten of two hundred orders, whichever instance handles them', async () => {
    const wanted = await sku(10);
    const orders = Array.from({ length: 200 }, () => randomUUID());
    await race(orders, (instance, order) => instance.place(order, [{ sku: wanted, quantity: 1 }]));

    expect(await levelOf(wanted)).toMatchObject({ onHand: 10, reserved: 10, version: 11n });
    const events = await eventsOf(...orders);
    const reserved = events.filter(({ type }) => type === StockReserved.name);
    const rejected = events.filter(({ type }) => type === StockRejected.name);
    expect([reserved.length, rejected.length]).toEqual([10, 190]);
    const versions = reserved.map(({ event }) => (event as StockReserved).lines[0]?.stockVersion);
    expect(versions.sort()).toEqual([10n, 11n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
    for (const { event } of rejected) {
      expect((event as StockRejected).shortages).toEqual([
        { sku: wanted, requested: 1, available: 0, stockVersion: 11n },
      ]);
    }
  });

  it('reserves all lines of an order or none, also for orders that want the same SKUs in another order', async () => {
    const [a, b] = [await sku(30), await sku(20)];
    const orders = Array.from({ length: 60 }, () => randomUUID());
    await race(orders, (instance, order) => {
      const lines = [a, b].map((name) => ({ sku: name, quantity: 1 }));
      return instance.place(order, orders.indexOf(order) % 2 ? lines : lines.reverse());
    });

    const reservations = await Promise.all(orders.map((order) => one.reservation(order)));
    const reserved = reservations.filter(({ status }) => status === 'reserved');
    expect(reserved).toHaveLength(20);
    expect(reserved.every(({ lines }) => lines.length === 2)).toBe(true);
    expect([(await levelOf(a)).reserved, (await levelOf(b)).reserved]).toEqual([20, 20]);
  });

  it('adds up lines of one SKU', async () => {
    const wanted = await sku(5);
    const twice = (quantity: number) => [
      { sku: wanted, quantity },
      { sku: wanted, quantity },
    ];
    const [tooMuch, enough] = [randomUUID(), randomUUID()];
    await one.place(tooMuch, twice(3));
    await one.place(enough, twice(2));

    const [rejected, reserved] = await eventsOf(tooMuch, enough);
    expect(rejected?.event).toMatchObject({
      orderId: tooMuch,
      shortages: [{ sku: wanted, requested: 6, available: 5, stockVersion: 1n }],
    });
    expect(reserved?.event).toMatchObject({
      orderId: enough,
      lines: [{ sku: wanted, quantity: 4, stockVersion: 2n }],
    });
  });

  it('rejects an order of an unknown SKU with nothing available', async () => {
    const [order, unknown] = [randomUUID(), `sku-${randomUUID()}`];
    await one.place(order, [{ sku: unknown, quantity: 1 }]);
    expect((await eventsOf(order))[0]?.event).toMatchObject({
      shortages: [{ sku: unknown, requested: 1, available: 0, stockVersion: 0n }],
    });
    expect(await one.stock.find(unknown)).toBeUndefined();
  });

  it('handles an event once, also when both instances get it at the same moment and again later', async () => {
    const wanted = await sku(10);
    const [order, event] = [randomUUID(), randomUUID()];
    const place = (instance: InventoryInstance) =>
      instance.place(order, [{ sku: wanted, quantity: 3 }], event);
    await Promise.all([place(one), place(two), place(one)]);
    await place(two);
    expect(await levelOf(wanted)).toMatchObject({ reserved: 3, version: 2n });
    expect(await eventsOf(order)).toHaveLength(1);
    expect(await one.db.collection<{ _id: string }>('inbox').countDocuments({ _id: event })).toBe(1);
  });

  it('handles an event once after the inbox has forgotten it', async () => {
    const wanted = await sku(10);
    const [order, event] = [randomUUID(), randomUUID()];
    await one.place(order, [{ sku: wanted, quantity: 3 }], event);
    await one.db.collection<{ _id: string }>('inbox').deleteOne({ _id: event });
    await one.place(order, [{ sku: wanted, quantity: 3 }], event);
    expect((await levelOf(wanted)).reserved).toBe(3);
    expect((await one.reservation(order)).events).toHaveLength(2);
  });

  it('leaves nothing behind when its event cannot be written', async () => {
    const wanted = await sku(10);
    const [order, event] = [randomUUID(), randomUUID()];
    await using broken = new InventoryInstance(database.appUrl, () => {
      throw new Error('cannot encode');
    });
    await expect(broken.place(order, [{ sku: wanted, quantity: 1 }], event)).rejects.toThrow('cannot encode');
    expect(await levelOf(wanted)).toMatchObject({ reserved: 0, version: 1n });
    await expect(one.reservation(order)).rejects.toThrow('no reservation');

    await one.place(order, [{ sku: wanted, quantity: 1 }], event);
    expect((await levelOf(wanted)).reserved).toBe(1);
  });
});

describe('releasing', () => {
  it('releases exactly once, whatever closes the order, how often and where', async () => {
    const wanted = await sku(10);
    const orders = Array.from({ length: 10 }, () => randomUUID());
    await race(orders, (instance, order) => instance.place(order, [{ sku: wanted, quantity: 1 }]));
    await race([...orders, ...orders, ...orders], (instance, order) => instance.cancel(order));

    expect(await levelOf(wanted)).toMatchObject({ onHand: 10, reserved: 0, version: 21n });
    const released = (await eventsOf(...orders)).filter(({ type }) => type === StockReleased.name);
    expect(new Set(released.map(({ key }) => key)).size).toBe(10);
    expect(released).toHaveLength(10);
  });

  it('frees the pieces for other orders', async () => {
    const wanted = await sku(1);
    const [first, second] = [randomUUID(), randomUUID()];
    await one.place(first, [{ sku: wanted, quantity: 1 }]);
    await one.cancel(first);
    await one.place(second, [{ sku: wanted, quantity: 1 }]);
    expect((await one.reservation(second)).status).toBe('reserved');
    expect((await eventsOf(first)).map(({ type }) => type)).toEqual([StockReserved.name, StockReleased.name]);
  });

  it('reserves nothing for an order that was closed before it was seen', async () => {
    const wanted = await sku(10);
    const order = randomUUID();
    await one.cancel(order);
    await two.place(order, [{ sku: wanted, quantity: 1 }]);
    expect(await levelOf(wanted)).toMatchObject({ reserved: 0, version: 1n });
    expect(await eventsOf(order)).toEqual([]);
    expect(await one.reservation(order)).toMatchObject({
      status: 'withdrawn',
      lines: [],
      events: [{ type: OrderCancelled.name }, { type: OrderPlaced.name }],
    });
  });

  it('releases nothing of an order that was rejected', async () => {
    const wanted = await sku(1);
    const order = randomUUID();
    await one.place(order, [{ sku: wanted, quantity: 2 }]);
    await one.cancel(order);
    expect(await levelOf(wanted)).toMatchObject({ reserved: 0, version: 1n });
    expect((await eventsOf(order)).map(({ type }) => type)).toEqual([StockRejected.name]);
  });

  it('ends with all released or none reserved when an order is placed and cancelled at the same moment', async () => {
    const wanted = await sku(100);
    const orders = Array.from({ length: 30 }, () => randomUUID());
    await race(
      orders.flatMap((order) => [`place ${order}`, `cancel ${order}`]),
      (instance, task) => {
        const [step, order] = task.split(' ') as [string, string];
        return step === 'place'
          ? instance.place(order, [{ sku: wanted, quantity: 1 }])
          : instance.cancel(order);
      },
    );
    expect((await levelOf(wanted)).reserved).toBe(0);
    const statuses = await Promise.all(orders.map(async (order) => (await one.reservation(order)).status));
    expect(statuses.every((status) => status === 'released' || status === 'withdrawn')).toBe(true);
  });
});

describe('the ledger', () => {
  it('holds every event handled and emitted, in order, when inbox and outbox are empty again', async () => {
    const wanted = await sku(1);
    const [order, placed, cancelled] = [randomUUID(), randomUUID(), randomUUID()];
    await one.place(order, [{ sku: wanted, quantity: 1 }], placed);
    await one.cancel(order, cancelled);
    const [reserved, released] = (await eventsOf(order)).map(({ eventId }) => eventId);
    expect((await one.reservation(order)).events).toEqual([
      { eventId: placed, type: OrderPlaced.name, direction: 'in', at: expect.any(Date) },
      { eventId: reserved, type: StockReserved.name, direction: 'out', at: expect.any(Date) },
      { eventId: cancelled, type: OrderCancelled.name, direction: 'in', at: expect.any(Date) },
      { eventId: released, type: StockReleased.name, direction: 'out', at: expect.any(Date) },
    ]);
  });
});

describe('setting stock while orders reserve', () => {
  it('never has more reserved than on hand, and refuses only what is below what is reserved', async () => {
    const wanted = await sku(20);
    const tasks = Array.from({ length: 60 }, (_, index) => index);
    await race(tasks, async (instance, index) => {
      if (index % 2) return instance.place(randomUUID(), [{ sku: wanted, quantity: 1 }]);
      const onHand = index % 15;
      const { done, level } = await instance.put(wanted, onHand);
      expect(done ? level.onHand === onHand : level.reserved > onHand).toBe(true);
      expect(available(level)).toBeGreaterThanOrEqual(0);
    });
    expect(available(await levelOf(wanted))).toBeGreaterThanOrEqual(0);
  });

  it('begins a new SKU once, however many do', async () => {
    const name = `sku-${randomUUID()}`;
    await race([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], (instance, onHand) => instance.put(name, onHand));
    expect(await levelOf(name)).toMatchObject({ reserved: 0, version: 12n });
  });
});
