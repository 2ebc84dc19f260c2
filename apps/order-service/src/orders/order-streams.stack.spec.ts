import { randomUUID } from 'node:crypto';
import { BreakableProxy, eventually } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { OrdersDatabase } from '../spec-support/orders-database.js';
import { OrdersInstance } from '../spec-support/orders-instance.js';
import type { HistoryEntry } from './order-history.js';
import { OrderStatusListener } from './order-status.listener.js';
import { OrderStreams } from './order-streams.js';

const request = { customerId: 'c', currency: 'EUR', lines: [{ sku: 'tea', quantity: 1, unitPrice: '1' }] };
const reserved = (orderId: string) => ({
  eventId: randomUUID(),
  topic: 'inventory.events',
  type: 'millrace.inventory.StockReserved',
  orderId,
});

let database: OrdersDatabase;
/** Changes the orders; the streams are another instance's. */
let changing: OrdersInstance;
let reading: OrdersInstance;
let proxy: BreakableProxy;
let listener: OrderStatusListener;

beforeAll(async () => {
  database = await OrdersDatabase.createMigrated(inject('stack'));
  changing = new OrdersInstance(database.url('app'));
  reading = new OrdersInstance(database.url('app'));
  proxy = await BreakableProxy.before(database.url('app'));
  listener = new OrderStatusListener({ DATABASE_URL: proxy.url(database.url('app')) });
  listener.onApplicationBootstrap();
});
afterAll(async () => {
  await listener.onModuleDestroy();
  await proxy[Symbol.asyncDispose]();
  await changing[Symbol.asyncDispose]();
  await reading[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const streamsOf = (max: number) =>
  new OrderStreams(listener, reading.repository, reading.orders, { ORDER_STREAMS_MAX: max });
const place = async () => (await changing.orders.place(request, randomUUID())).id;

/** A client that keeps what it got, until the test ends. */
async function follow(id: string, last?: bigint, streams = streamsOf(10)) {
  const connection = new AbortController();
  onTestFinished(() => connection.abort());
  const entries = await streams.follow(id, last, connection.signal);
  const got: HistoryEntry[] = [];
  const ended = (async () => {
    for await (const entry of entries ?? []) if (entry) got.push(entry);
  })();
  return { entries, got, ended, close: () => connection.abort() };
}
const statuses = (got: readonly HistoryEntry[]) => got.map(({ status }) => status);
const seen = (got: readonly HistoryEntry[], ...expected: string[]) =>
  // Far below the 15 s after which a stream asks by itself.
  eventually(
    `the stream to show ${expected}, seen: ${statuses(got)}`,
    8_000,
    () => expected.join() === statuses(got).join(),
  );

describe('the stream of an order', () => {
  test('begins with the current status, shows each change by another instance, and ends with a final one', async () => {
    const id = await place();
    const { got, ended } = await follow(id);
    await seen(got, 'placed');
    await changing.orders.receive(reserved(id), { trigger: 'stockReserved' });
    await seen(got, 'placed', 'confirmed');
    await changing.orders.cancel(id);
    await ended;

    expect(statuses(got)).toEqual(['placed', 'confirmed', 'cancelled']);
    expect(got[1]).toMatchObject({ type: 'millrace.orders.OrderConfirmed', handled: false });
  });

  test('leaves out no status, however quickly one follows the other', async () => {
    for (let i = 0; i < 10; i += 1) {
      const id = await place();
      const { got, ended } = await follow(id);
      await seen(got, 'placed');
      await changing.orders.receive(reserved(id), { trigger: 'stockReserved' });
      await changing.orders.cancel(id);
      await ended;
      expect(statuses(got)).toEqual(['placed', 'confirmed', 'cancelled']);
    }
  });

  test('of an order that is final shows that status and ends', async () => {
    const id = await place();
    await changing.orders.cancel(id);
    const { got, ended } = await follow(id);
    await ended;
    expect(statuses(got)).toEqual(['cancelled']);
  });

  test('goes on after the last event that the client had, and says when none can follow', async () => {
    const id = await place();
    const first = await follow(id);
    await seen(first.got, 'placed');
    first.close();
    await first.ended;
    await changing.orders.receive(reserved(id), { trigger: 'stockReserved' });
    await changing.orders.cancel(id);

    const again = await follow(id, first.got[0]?.sequence);
    await again.ended;
    expect(statuses(again.got)).toEqual(['confirmed', 'cancelled']);
    expect((await follow(id, again.got.at(-1)?.sequence)).entries).toBeUndefined();
  });

  test('of no order is 404', async () => {
    await expect(follow(randomUUID())).rejects.toMatchObject({ status: 404 });
  });
});

test('what changed while the connection to the database was cut is shown when it is back', async () => {
  const id = await place();
  const { got } = await follow(id);
  await seen(got, 'placed');
  await proxy.down();
  await changing.orders.receive(reserved(id), { trigger: 'stockReserved' });
  await proxy.up();
  await seen(got, 'placed', 'confirmed');
});

test('one stream too many is refused, until another ends', async () => {
  const streams = streamsOf(2);
  const id = await place();
  const first = await follow(id, undefined, streams);
  await follow(id, undefined, streams);
  await expect(follow(id, undefined, streams)).rejects.toMatchObject({
    status: 503,
    code: 'TOO_MANY_STREAMS',
  });
  first.close();
  await first.ended;
  await expect(follow(id, undefined, streams)).resolves.toBeDefined();
});
