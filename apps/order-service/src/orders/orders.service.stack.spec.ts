import { randomUUID } from 'node:crypto';
import { type MessageContext, PostgresOutbox } from '@millrace/messaging';
import { OrderPlaced } from '@millrace/schemas';
import { BreakableProxy, eventually } from '@millrace/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { OrdersDatabase } from '../spec-support/orders-database.js';
import { OrdersInstance } from '../spec-support/orders-instance.js';
import type { OrderRequest } from './order.js';
import { viewOrder } from './order.views.js';
import { OrderEventsHandler } from './order-events.handler.js';

const request: OrderRequest = {
  customerId: 'c-1',
  currency: 'EUR',
  lines: [
    { sku: 'tea', quantity: 3, unitPrice: '0.1' },
    { sku: 'ship', quantity: 2, unitPrice: '99999999999999.9999' },
  ],
};
const otherRequest = { ...request, customerId: 'c-2' };

let database: OrdersDatabase;
let one: OrdersInstance;
let two: OrdersInstance;

beforeAll(async () => {
  database = await OrdersDatabase.createMigrated(inject('stack'));
  one = new OrdersInstance(database.url('app'));
  two = new OrdersInstance(database.url('app'));
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const place = (key: string = randomUUID()) => one.orders.place(request, key);
const reply = (
  orderId: string,
  type = 'millrace.inventory.StockReserved',
  eventId: string = randomUUID(),
) => ({
  eventId,
  topic: 'inventory.events',
  type,
  orderId,
});
const outboxOf = (orderId: string) =>
  database.query<{ id: string; aggregatetype: string; type: string; payload: Buffer }>(
    'SELECT * FROM outbox WHERE aggregateid = $1 ORDER BY created_at',
    [orderId],
  );
const typesOf = async (orderId: string) =>
  (await outboxOf(orderId)).map(({ type }) => type.split('.').at(-1));
/** `>` an own event, `<` one handled that changed the order, `=` one handled that changed nothing. */
const historyOf = async (orderId: string) =>
  (await one.repository.history(orderId)).map(
    ({ type, handled, changed, status }) =>
      `${handled ? (changed ? '<' : '=') : '>'} ${type.split('.').at(-1)} ${status}`,
  );

describe('an order that is placed', () => {
  test('reads back as it was answered, with amounts exact to the last digit', async () => {
    const order = await place();
    expect(order).toMatchObject({ status: 'placed', reason: null, total: '200000000000000.2998' });
    expect(order.lines.map(({ unitPrice }) => unitPrice)).toEqual(['0.1000', '99999999999999.9999']);
    expect(await one.repository.find(order.id)).toEqual(order);
    const [row] = await database.query('SELECT placed_at FROM orders WHERE id = $1', [order.id]);
    expect(row).toEqual({ placed_at: order.placedAt });
  });

  test('is in the outbox as the finished record, under the id that its history names', async () => {
    const order = await place();
    const [row, ...more] = await outboxOf(order.id);
    const [entry] = await one.repository.history(order.id);

    expect(more).toEqual([]);
    expect(row).toMatchObject({ aggregatetype: 'order.events', type: 'millrace.orders.OrderPlaced' });
    expect(row?.id).toBe(entry?.eventId);
    expect(OrderPlaced.type.fromBuffer(row?.payload as Buffer)).toEqual({
      orderId: order.id,
      customerId: 'c-1',
      currency: 'EUR',
      lines: order.lines,
      total: order.total,
      placedAt: order.placedAt,
    });
    expect(await historyOf(order.id)).toEqual(['> OrderPlaced placed']);
  });

  test('leaves nothing behind when its event cannot be written', async () => {
    const failing = new PostgresOutbox({
      encode: () => {
        throw new Error('not registered');
      },
    });
    await using instance = new OrdersInstance(database.url('app'), failing);
    const key = randomUUID();
    await expect(instance.orders.place(request, key)).rejects.toThrow('not registered');
    expect(await one.repository.findByIdempotencyKey(key)).toBeUndefined();
  });

  test('costs with its event one statement more than without', async () => {
    const withEvent = await statementsOf(new OrdersInstance(database.url('app')));
    const silent = { append: async () => randomUUID() } as unknown as PostgresOutbox;
    const without = await statementsOf(new OrdersInstance(database.url('app'), silent));

    expect(withEvent.filter((sql) => /insert into outbox/i.test(sql))).toHaveLength(1);
    expect(without.some((sql) => /outbox/i.test(sql))).toBe(false);
    expect(without).toEqual(['BEGIN', expect.stringMatching(/insert into orders/i), 'COMMIT']);
    expect(withEvent.length - without.length).toBe(1);
  });
});

/** Every statement that placing an order sends, counted where it leaves for the server. */
async function statementsOf(instance: OrdersInstance): Promise<string[]> {
  await using open = instance;
  await open.orders.place(request, randomUUID());
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  onTestFinished(() => sent.mockRestore());
  await open.orders.place(request, randomUUID());
  const statements = sent.mock.calls.map(([query]) => (query as unknown as { text: string }).text);
  sent.mockRestore();
  return statements;
}

describe('the same Idempotency-Key', () => {
  test('gets the answer of the first request, also after the order went on', async () => {
    const key = randomUUID();
    const order = await place(key);
    await one.orders.cancel(order.id);

    expect(await two.orders.place({ ...request }, key)).toEqual(order);
    expect(await typesOf(order.id)).toEqual(['OrderPlaced', 'OrderCancelled']);
  });

  test('at the same moment on two instances places one order and answers all alike', async () => {
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) => (i % 2 ? one : two).orders.place(request, key)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(viewOrder(answer)))).size).toBe(1);
    expect(await database.query('SELECT id FROM orders WHERE idempotency_key = $1', [key])).toHaveLength(1);
    expect(await typesOf(answers[0]?.id ?? '')).toEqual(['OrderPlaced']);
  });

  test('with another body is refused, also at the same moment', async () => {
    const key = randomUUID();
    const answers = await Promise.allSettled([place(key), two.orders.place(otherRequest, key)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = { status: 422, code: 'IDEMPOTENCY_KEY_REUSED' };
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused });
    expect(await database.query('SELECT id FROM orders WHERE idempotency_key = $1', [key])).toHaveLength(1);
  });
});

describe('the list', () => {
  test('shows every order once, newest first, page by page, while others are placed', async () => {
    const mine: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      one.clock.time = new Date(one.clock.time.getTime() + 1);
      mine.unshift((await place()).id);
    }
    await one.orders.cancel(mine[1] as string);
    const first = await one.repository.list({ limit: 3 });
    one.clock.time = new Date(one.clock.time.getTime() + 1);
    const newer = await place();
    const second = await one.repository.list({ limit: 2, after: first.at(-1)?.id });

    expect([...first, ...second].map(({ id }) => id)).toEqual(mine);
    const [cancelled] = await one.repository.list({ limit: 1, status: 'cancelled' });
    expect(cancelled?.id).toBe(mine[1]);
    expect((await one.repository.list({ limit: 1 }))[0]?.id).toBe(newer.id);
  });
});

describe('a reply about stock', () => {
  test('confirms, once, however often and wherever it comes', async () => {
    const { id } = await place();
    const event = reply(id);
    const occurrence = { trigger: 'stockReserved' } as const;
    await Promise.all([one, two, one, two].map(({ orders }) => orders.receive(event, occurrence)));
    await one.orders.receive(event, occurrence);

    expect((await one.orders.get(id)).status).toBe('confirmed');
    expect(await historyOf(id)).toEqual([
      '> OrderPlaced placed',
      '< StockReserved confirmed',
      '> OrderConfirmed confirmed',
    ]);
    expect(await typesOf(id)).toEqual(['OrderPlaced', 'OrderConfirmed']);
  });

  test('rejects with its reason', async () => {
    const { id } = await place();
    const event = reply(id, 'millrace.inventory.StockRejected');
    await one.orders.receive(event, {
      trigger: 'stockRejected',
      reason: 'not enough stock (tea: 3 wanted, 1 available)',
    });

    expect(await one.orders.get(id)).toMatchObject({
      status: 'rejected',
      reason: 'not enough stock (tea: 3 wanted, 1 available)',
    });
    expect(await typesOf(id)).toEqual(['OrderPlaced', 'OrderRejected']);
  });

  test('that comes after a cancel changes nothing, and the history says so', async () => {
    const { id } = await place();
    const cancelled = await one.orders.cancel(id);
    await one.orders.receive(reply(id), { trigger: 'stockReserved' });
    await one.orders.receive(reply(id, 'millrace.inventory.StockReleased'));

    expect(await one.orders.get(id)).toEqual(cancelled);
    expect(await historyOf(id)).toEqual([
      '> OrderPlaced placed',
      '> OrderCancelled cancelled',
      '= StockReserved cancelled',
      '= StockReleased cancelled',
    ]);
    expect(await typesOf(id)).toEqual(['OrderPlaced', 'OrderCancelled']);
  });

  test('means what its handler makes of it: reserved confirms, rejected rejects and says why, released is noted', async () => {
    const handler = new OrderEventsHandler(one.orders);
    const context = () => ({ eventId: randomUUID(), topic: 'inventory.events' }) as MessageContext;
    const [kept, refused] = [await place(), await place()];
    const line = { sku: 'tea', quantity: 3, stockVersion: 1n };
    const shortage = { sku: 'tea', requested: 3, available: 1, stockVersion: 1n };
    const at = new Date();

    await handler.onStockReserved({ orderId: kept.id, lines: [line], reservedAt: at }, context());
    await handler.onStockRejected({ orderId: refused.id, shortages: [shortage], rejectedAt: at }, context());
    await handler.onStockReleased({ orderId: kept.id, lines: [line], releasedAt: at }, context());

    expect(await one.orders.get(kept.id)).toMatchObject({ status: 'confirmed', reason: null });
    expect(await one.orders.get(refused.id)).toMatchObject({
      status: 'rejected',
      reason: 'not enough stock (tea: 3 wanted, 1 available)',
    });
    expect((await historyOf(kept.id)).at(-1)).toBe('= StockReleased confirmed');
  });

  test('about an order of another database is passed over', async () => {
    for (const orderId of [randomUUID(), 'no uuid']) {
      await one.orders.receive(reply(orderId), { trigger: 'stockReserved' });
      expect(await outboxOf(orderId)).toEqual([]);
    }
  });

  test('racing a cancel ends in one order of the two, with the events that belong to it', async () => {
    for (let i = 0; i < 10; i += 1) {
      const { id } = await place();
      await Promise.all([one.orders.receive(reply(id), { trigger: 'stockReserved' }), two.orders.cancel(id)]);
      expect((await one.orders.get(id)).status).toBe('cancelled');
      expect([
        ['OrderPlaced', 'OrderCancelled'],
        ['OrderPlaced', 'OrderConfirmed', 'OrderCancelled'],
      ]).toContainEqual(await typesOf(id));
    }
  });
});

describe('a cancel', () => {
  test('of a confirmed order is told', async () => {
    const { id } = await place();
    await one.orders.receive(reply(id), { trigger: 'stockReserved' });
    expect(await one.orders.cancel(id)).toMatchObject({
      id,
      status: 'cancelled',
      lines: [{ sku: 'tea' }, { sku: 'ship' }],
    });
    expect(await typesOf(id)).toEqual(['OrderPlaced', 'OrderConfirmed', 'OrderCancelled']);
  });

  test('from any other status is refused: one of two at the same moment, and one after a rejection', async () => {
    const { id } = await place();
    const cancels = await Promise.allSettled([one.orders.cancel(id), two.orders.cancel(id)]);
    expect(cancels.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = { status: 409, code: 'ORDER_NOT_CANCELLABLE' };
    expect(cancels.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused });

    const rejected = await place();
    await one.orders.receive(reply(rejected.id), { trigger: 'stockRejected', reason: 'none left' });
    await expect(one.orders.cancel(rejected.id)).rejects.toMatchObject(refused);
  });

  test('of no order is 404', async () => {
    await expect(one.orders.cancel(randomUUID())).rejects.toMatchObject({
      status: 404,
      code: 'ORDER_NOT_FOUND',
    });
  });
});

describe('orders that stay unanswered', () => {
  test('expire once their time is over, each once, with two instances sweeping', async () => {
    await drainUnanswered();
    const old = await Promise.all(Array.from({ length: 30 }, () => place()));
    const placedAt = one.clock.time.getTime();
    one.clock.time = new Date(placedAt + 1_000);
    const young = await place();
    one.clock.time = two.clock.time = new Date(placedAt + 60_000);

    const sweep = async ({ orders }: OrdersInstance) => {
      let expired = 0;
      for (let n = 1; n > 0; expired += n) n = await orders.expire(60_000, 7);
      return expired;
    };
    const [byOne, byTwo] = await Promise.all([sweep(one), sweep(two)]);

    expect(byOne + byTwo).toBe(30);
    for (const { id } of old) {
      expect(await historyOf(id)).toEqual(['> OrderPlaced placed', '> OrderExpired expired']);
      expect(await typesOf(id)).toEqual(['OrderPlaced', 'OrderExpired']);
    }
    expect((await one.orders.get(young.id)).status).toBe('placed');
  });

  test('are not waited for while another transaction holds them', async () => {
    await drainUnanswered();
    const [held, free] = [await place(), await place()];
    two.clock.time = new Date(one.clock.time.getTime() + 60_000);

    await one.repository.transaction(async (transaction) => {
      await transaction.lock(held.id);
      expect(await two.orders.expire(60_000, 10)).toBe(1);
    });
    expect((await one.orders.get(free.id)).status).toBe('expired');
    expect((await one.orders.get(held.id)).status).toBe('placed');
  });

  const drainUnanswered = async () => {
    while ((await one.orders.expire(-1_000_000, 100)) > 0);
  };
});

describe('while the database is away', () => {
  const unavailable = { status: 503, code: 'DATABASE_UNAVAILABLE', canRetry: true };

  test('every call says so and may be tried again; when it is back, all goes on', async () => {
    const order = await place();
    await using proxy = await BreakableProxy.before(database.url('app'));
    await using three = new OrdersInstance(proxy.url(database.url('app')));
    await three.database.ping();

    await proxy.down();
    // Twice: the connections that were open break, then new ones are refused.
    for (let i = 0; i < 2; i += 1) {
      await expect(three.orders.get(order.id)).rejects.toMatchObject(unavailable);
      await expect(three.orders.place(request, randomUUID())).rejects.toMatchObject(unavailable);
      await expect(three.orders.receive(reply(order.id), { trigger: 'stockReserved' })).rejects.toMatchObject(
        unavailable,
      );
      await expect(three.database.ping()).rejects.toMatchObject(unavailable);
    }

    await proxy.up();
    expect((await three.orders.get(order.id)).status).toBe('placed');
  });

  test('nobody waits beyond the bound for a server that does not answer', async () => {
    await using proxy = await BreakableProxy.before(database.url('app'));
    await using three = new OrdersInstance(proxy.url(database.url('app')));
    await three.database.ping();

    proxy.silence(true);
    const since = performance.now();
    const calls = Array.from({ length: 8 }, () => three.orders.place(request, randomUUID()));
    for (const call of await Promise.allSettled([three.database.ping(), ...calls])) {
      expect(call).toMatchObject({ status: 'rejected', reason: unavailable });
    }
    expect(performance.now() - since).toBeLessThan(12_000);

    proxy.silence(false);
    await three.database.ping();
  });

  test('a connection cut in the middle of a transaction is the same, and nothing of it stays', async () => {
    const order = await place();
    const cut = one.repository.transaction(async (transaction) => {
      await transaction.lock(order.id);
      await database.cutConnections();
      await transaction.note(order, one.clock.now(), {
        eventId: 'x',
        type: 'x',
        handled: true,
        changed: false,
      });
    });
    await expect(cut).rejects.toMatchObject(unavailable);
    // The pool takes a moment to notice that its other connections were cut too.
    await eventually('ten connections that work', 10_000, () =>
      Promise.all(Array.from({ length: 10 }, () => one.database.ping())),
    );
    expect(await historyOf(order.id)).toEqual(['> OrderPlaced placed']);
  });

  test('a lock that another transaction keeps is not waited for without end', async () => {
    const order = await place();
    await using hasty = new OrdersInstance(`${database.url('app')}?statement_timeout=300`);
    await one.repository.transaction(async (transaction) => {
      await transaction.lock(order.id);
      await expect(hasty.orders.cancel(order.id)).rejects.toMatchObject(unavailable);
    });
  });
});
