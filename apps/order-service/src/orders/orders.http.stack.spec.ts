import { randomUUID } from 'node:crypto';
import { BreakableProxy, eventually } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type OrdersApi, startOrdersApi } from '../spec-support/orders-api.js';
import { OrdersDatabase } from '../spec-support/orders-database.js';

const PROBLEM = 'application/problem+json; charset=utf-8';
const request = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'tea', quantity: 3, unitPrice: '12.5' }],
};

let database: OrdersDatabase;
let proxy: BreakableProxy;
let api: OrdersApi;
let other: OrdersApi;

beforeAll(async () => {
  database = await OrdersDatabase.createMigrated(inject('stack'));
  proxy = await BreakableProxy.before(database.url('app'));
  api = await startOrdersApi(proxy.url(database.url('app')), { ORDER_STREAMS_MAX: '2' });
  other = await startOrdersApi(database.url('app'), { ORDER_EXPIRY_MS: '3600000' });
});
afterAll(async () => {
  await api.service.app.close();
  await other.service.app.close();
  await proxy[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const place = (key: string = randomUUID(), body: unknown = request) =>
  api.send('POST', '/orders', body, { 'idempotency-key': key });

describe('POST /orders', () => {
  test('answers 201 with the order; the same key and body again, the very same answer', async () => {
    const key = randomUUID();
    const first = await place(key);
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      customerId: 'customer-1',
      currency: 'EUR',
      status: 'placed',
      lines: [{ sku: 'tea', quantity: 3, unitPrice: '12.5000' }],
      total: '37.5000',
      reason: null,
      placedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: first.body.placedAt,
    });

    await other.send('POST', `/orders/${first.body.id}/cancel`);
    const again = await other.send('POST', '/orders', request, { 'idempotency-key': key });
    expect({ status: again.status, text: again.text }).toEqual({ status: 201, text: first.text });
    expect((await api.send('GET', `/orders/${first.body.id}`)).body.status).toBe('cancelled');
  });

  test('with the same key and another body is 422', async () => {
    const key = randomUUID();
    await place(key);
    const { status, type, body } = await place(key, { ...request, currency: 'USD' });
    expect({ status, type, code: body.code }).toEqual({
      status: 422,
      type: PROBLEM,
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('names every fault at once: the missing key and each field', async () => {
    const { status, type, body } = await api.send('POST', '/orders', {
      customerId: '',
      currency: 'euro',
      lines: [
        { sku: 'tea', quantity: 0, unitPrice: '1.00001' },
        { sku: 'a\u0000b', quantity: 1.5, unitPrice: 12.5, discount: '1' },
      ],
      note: 'x',
    });
    expect({ status, type }).toEqual({ status: 400, type: PROBLEM });
    const where = body.errors.map(
      (fault: { pointer?: string; parameter?: string }) => fault.pointer ?? fault.parameter,
    );
    expect([...new Set(where)].sort()).toEqual([
      '#',
      '#/currency',
      '#/customerId',
      '#/lines/0/quantity',
      '#/lines/0/unitPrice',
      '#/lines/1',
      '#/lines/1/quantity',
      '#/lines/1/sku',
      '#/lines/1/unitPrice',
      'Idempotency-Key',
    ]);
    expect(body.errors.find((fault: { parameter?: string }) => fault.parameter)).toMatchObject({
      detail: expect.stringContaining('is missing'),
    });
  });

  test.each([
    ['no JSON', '{"customerId":'],
    ['no lines', { ...request, lines: [] }],
    ['101 lines', { ...request, lines: Array.from({ length: 101 }, () => request.lines[0]) }],
    ['a number as price', { ...request, lines: [{ sku: 'tea', quantity: 1, unitPrice: 1 }] }],
    ['a negative price', { ...request, lines: [{ sku: 'tea', quantity: 1, unitPrice: '-1' }] }],
    ['a list', []],
  ])('with %s is 400', async (_, body) => {
    const answer = await place(randomUUID(), body);
    expect({ status: answer.status, type: answer.type }).toEqual({ status: 400, type: PROBLEM });
  });

  test('takes the largest order there may be, and keeps it exact', async () => {
    const line = { sku: 's'.repeat(100), quantity: 1_000_000, unitPrice: '99999999999999.9999' };
    const { status, body } = await place(randomUUID(), {
      ...request,
      lines: Array.from({ length: 100 }, () => line),
    });
    expect(status).toBe(201);
    expect(body.total).toBe('9999999999999999990000.0000');
    expect((await api.send('GET', `/orders/${body.id}`)).text).toBe(JSON.stringify(body));
  });
});

describe('an order that does not exist, or cannot', () => {
  test.each([
    ['GET', ''],
    ['POST', '/cancel'],
    ['GET', '/history'],
    ['GET', '/stream'],
  ])('%s /orders/:id%s is 404, and 400 for what is no id', async (method, path) => {
    const unknown = await api.send(method, `/orders/${randomUUID()}${path}`);
    expect(unknown).toMatchObject({ status: 404, type: PROBLEM, body: { code: 'ORDER_NOT_FOUND' } });
    const noId = await api.send(method, `/orders/1%27%3B--${path}`);
    expect(noId).toMatchObject({ status: 400, type: PROBLEM, body: { errors: [{ parameter: 'id' }] } });
  });
});

describe('GET /orders', () => {
  test('leads through all orders of a status by its cursors', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      const { body } = await place();
      await api.send('POST', `/orders/${body.id}/cancel`);
      ids.push(body.id);
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor && `&cursor=${cursor}`;
      const { status, body } = await api.send('GET', `/orders?status=cancelled&limit=2${query}`);
      expect(status).toBe(200);
      expect(body.items.length).toBeGreaterThan(0);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(ids));
  });

  test('names a status, cursor or limit that cannot be', async () => {
    const { status, body } = await api.send('GET', '/orders?status=lost&cursor=abc&limit=0');
    expect(status).toBe(400);
    expect(body.errors.map(({ parameter }: { parameter: string }) => parameter).sort()).toEqual([
      'cursor',
      'limit',
      'status',
    ]);
  });
});

test('a second cancel is 409 and says what the order is', async () => {
  const { body } = await place();
  expect(await api.send('POST', `/orders/${body.id}/cancel`)).toMatchObject({
    status: 200,
    body: { status: 'cancelled' },
  });
  expect(await api.send('POST', `/orders/${body.id}/cancel`)).toMatchObject({
    status: 409,
    type: PROBLEM,
    body: { code: 'ORDER_NOT_CANCELLABLE', detail: expect.stringContaining('is cancelled') },
  });
});

test('the history lists what happened in order', async () => {
  const { body } = await place();
  await api.send('POST', `/orders/${body.id}/cancel`);
  const history = await api.send('GET', `/orders/${body.id}/history`);
  const own = { eventId: expect.any(String), at: expect.any(String), handled: false };
  expect(history.body).toEqual({
    items: [
      { ...own, type: 'millrace.orders.OrderPlaced' },
      { ...own, type: 'millrace.orders.OrderCancelled' },
    ],
  });
});

test('an unanswered order expires by itself', async () => {
  await using short = await OrdersDatabase.createMigrated(inject('stack'));
  const hasty = await startOrdersApi(short.url('app'), {
    ORDER_EXPIRY_MS: '200',
    ORDER_EXPIRY_SWEEP_MS: '50',
  });
  try {
    const { body } = await hasty.send('POST', '/orders', request, { 'idempotency-key': 'k' });
    const stream = await hasty.send('GET', `/orders/${body.id}/stream`);
    expect(stream.text.match(/"status":"\w+"/g)).toEqual(['"status":"placed"', '"status":"expired"']);
  } finally {
    await hasty.service.app.close();
  }
});

describe('GET /orders/:id/stream', () => {
  const open = async (id: string) => {
    const connection = new AbortController();
    const response = await fetch(`${api.url}/orders/${id}/stream`, { signal: connection.signal });
    return { response, close: () => connection.abort() };
  };

  test('sends events as the status changes on another instance, then ends', async () => {
    const { body } = await place();
    const { response } = await open(body.id);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    await other.send('POST', `/orders/${body.id}/cancel`);

    const events = (await response.text()).trim().split('\n\n');
    expect(events).toHaveLength(2);
    for (const event of events) expect(event).toMatch(/^id: \d+\nevent: status\ndata: \{.*\}$/);
    const [, cancelled] = events.map((event) => JSON.parse(event.split('data: ')[1] ?? ''));
    expect(cancelled).toMatchObject({
      orderId: body.id,
      status: 'cancelled',
      type: 'millrace.orders.OrderCancelled',
    });

    const last = events[1]?.match(/\d+/)?.[0] ?? '';
    const done = await api.send('GET', `/orders/${body.id}/stream`, undefined, { 'last-event-id': last });
    expect(done.status).toBe(204);
    const wrong = await api.send('GET', `/orders/${body.id}/stream`, undefined, { 'last-event-id': 'x' });
    expect(wrong.status).toBe(400);
  });

  test('gives the place of a client that left to the next', async () => {
    const { body } = await place();
    const first = await open(body.id);
    const second = await open(body.id);
    const third = await open(body.id);
    expect([first, second, third].map(({ response }) => response.status)).toEqual([200, 200, 503]);
    first.close();
    await eventually('a place to be free', 5_000, async () => {
      const next = await open(body.id);
      if (next.response.status === 200) next.close();
      return next.response.status === 200;
    });
    second.close();
  });
});

test('while the database is away every answer is a 503 problem and readiness names it; then all goes on', async () => {
  const { body } = await place();
  expect((await api.send('GET', '/health/ready')).status).toBe(200);
  await proxy.down();
  try {
    const answers = await Promise.all([
      place(),
      api.send('GET', `/orders/${body.id}`),
      api.send('GET', '/orders'),
      api.send('POST', `/orders/${body.id}/cancel`),
      api.send('GET', `/orders/${body.id}/history`),
      api.send('GET', `/orders/${body.id}/stream`),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, type: PROBLEM, body: { code: 'DATABASE_UNAVAILABLE' } });
    }
    const ready = await api.send('GET', '/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.text).toContain('database');
    expect((await api.send('GET', '/health/live')).status).toBe(200);
  } finally {
    await proxy.up();
  }
  expect((await api.send('GET', `/orders/${body.id}`)).status).toBe(200);
  expect((await api.send('GET', '/health/ready')).status).toBe(200);
});

test('the API describes itself', async () => {
  const { body } = await api.send('GET', '/openapi.json');
  expect(Object.keys(body.paths).sort()).toEqual([
    '/orders',
    '/orders/{id}',
    '/orders/{id}/cancel',
    '/orders/{id}/history',
    '/orders/{id}/stream',
  ]);
  const post = body.paths['/orders'].post;
  expect(post.parameters).toContainEqual(
    expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
  );
  expect(JSON.stringify(post.requestBody)).toContain('unitPrice');
});
