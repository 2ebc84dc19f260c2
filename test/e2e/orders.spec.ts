import { randomUUID } from 'node:crypto';
import type { OrderView, Problem } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('an order', () => {
  it('is confirmed when there is enough of every SKU, and holds the pieces', async () => {
    const [a, b] = [await world.sku(10), await world.sku(5)];
    const { id } = await world.place([a, 3], [b, 5]);
    await world.until(id, 'confirmed');
    await world.untilStock(a, { onHand: 10, reserved: 3 });
    await world.untilStock(b, { onHand: 5, reserved: 5 });
    await world.untilLogged(id, ['OrderPlaced', 'StockReserved', 'OrderConfirmed']);
  });

  it('adds up several lines of one SKU', async () => {
    const sku = await world.sku(5);
    const { id } = await world.place([sku, 3], [sku, 3]);
    await world.until(id, 'rejected');
    await world.untilStock(sku, { onHand: 5, reserved: 0 });
  });

  it('is rejected when one of its SKUs cannot serve it, and holds nothing of the others', async () => {
    const [plenty, scarce] = [await world.sku(100), await world.sku(1)];
    const { id } = await world.place([plenty, 2], [scarce, 2]);
    await world.until(id, 'rejected');
    await world.untilLogged(id, ['OrderPlaced', 'StockRejected', 'OrderRejected']);
    await world.untilStock(plenty, { onHand: 100, reserved: 0 });
    expect((await world.system.orders.cancel(id)).status).toBe(409);
  });

  it('is rejected when a SKU does not exist', async () => {
    const { id } = await world.place([`${world.run}-nowhere`, 1]);
    await world.until(id, 'rejected');
  });

  it('gives its pieces back, once, when it is cancelled after it was confirmed', async () => {
    const sku = await world.sku(4);
    const { id } = await world.place([sku, 4]);
    await world.until(id, 'confirmed');
    expect((await world.system.orders.cancel(id)).body.status).toBe('cancelled');
    await world.untilStock(sku, { onHand: 4, reserved: 0 });
    await world.untilLogged(id, [
      'OrderPlaced',
      'StockReserved',
      'OrderConfirmed',
      'OrderCancelled',
      'StockReleased',
    ]);
    expect((await world.system.orders.cancel(id)).status).toBe(409);
  });

  it('tells its history: what it emitted and what it handled, in order', async () => {
    const sku = await world.sku(1);
    const { id } = await world.place([sku, 1]);
    await world.until(id, 'confirmed');
    const { body } = await world.system.orders.http.send<{ items: { type: string }[] }>(
      'GET',
      `/orders/${id}/history`,
    );
    expect(body.items.map(({ type }) => type.split('.').at(-1))).toEqual([
      'OrderPlaced',
      'StockReserved',
      'OrderConfirmed',
    ]);
  });
});

describe('POST /orders', () => {
  it('answers a retry as it answered the first time, with one order', async () => {
    const request = world.request([await world.sku(9), 1]);
    const key = randomUUID();
    const first = await world.system.orders.place(request, key);
    await world.until(first.body.id, 'confirmed');
    const retry = await world.system.orders.place(request, key);
    expect([retry.status, retry.body]).toEqual([201, first.body]);
  });

  it('makes one order of retries that arrive at the same moment, at both instances', async () => {
    const sku = await world.sku(50);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => world.system.orders.place(world.request([sku, 1]), key)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await world.untilStock(sku, { onHand: 50, reserved: 1 });
  });

  it('refuses a used key with another body', async () => {
    const sku = await world.sku(9);
    const key = randomUUID();
    await world.system.orders.place(world.request([sku, 1]), key);
    const other = await world.system.orders.place(world.request([sku, 2]), key);
    expect(other.status).toBe(422);
    expect(other.headers.get('content-type')).toContain('application/problem+json');
  });

  it('refuses an order without a key', async () => {
    const { status, headers } = await world.system.orders.http.send<Problem>('POST', '/orders', {
      body: world.request(['any', 1]),
    });
    expect([status, headers.get('content-type')]).toEqual([
      400,
      expect.stringContaining('application/problem+json'),
    ]);
  });

  it('names every fault of a body at once', async () => {
    const body = {
      customerId: '',
      currency: 'EURO',
      lines: [{ sku: 'a', quantity: 0, unitPrice: '1.234567' }],
    };
    const headers = { 'idempotency-key': randomUUID() };
    const answer = await world.system.orders.http.send('POST', '/orders', { body, headers });
    expect(answer.status).toBe(400);
    const text = JSON.stringify(answer.body);
    for (const fault of ['customerId', 'currency', 'quantity', 'unitPrice']) expect(text).toContain(fault);
  });

  it('keeps money to the last digit', async () => {
    const order = {
      ...world.request(),
      lines: [{ sku: await world.sku(3), quantity: 3, unitPrice: '12345678901234.5678' }],
    };
    const { body } = await world.system.orders.place(order);
    expect(body.total).toBe('37037036703703.7034');
  });
});

describe('GET /orders', () => {
  it('pages through the orders of a status without leaving one out or telling one twice', async () => {
    const sku = await world.sku(1_000);
    const placed = await Promise.all(Array.from({ length: 7 }, () => world.place([sku, 1])));
    for (const { id } of placed) await world.until(id, 'confirmed');

    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 1_000; pages++) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: { items: OrderView[]; nextCursor: string | null } = (
        await world.system.orders.http.send<{ items: OrderView[]; nextCursor: string | null }>(
          'GET',
          `/orders?status=confirmed&limit=3${query}`,
        )
      ).body;
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(placed.filter(({ id }) => !seen.includes(id))).toEqual([]);
  });

  it.each(['/orders?cursor=nonsense', '/orders?status=lost', '/orders/not-an-id'])(
    'refuses %s',
    async (path) => {
      expect((await world.system.orders.http.send('GET', path)).status).toBe(400);
    },
  );
});
