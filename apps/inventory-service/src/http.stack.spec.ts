import { randomUUID } from 'node:crypto';
import { createService, loadConfig, type Service } from '@millrace/service-defaults';
import { BreakableProxy, eventually } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { inventoryServiceConfig } from './config.js';
import { migrations } from './migrations/index.js';
import { migrateDatabase } from './migrations/migrate-database.js';
import { MongoModule } from './mongo/mongo.module.js';
import { createMongoClient } from './mongo/mongo-client.js';
import { ReservationsController } from './reservations/reservations.controller.js';
import { ReservationsRepository } from './reservations/reservations.repository.js';
import { createInventoryDatabase, type InventoryDatabase } from './spec-support/inventory-database.js';
import { InventoryInstance } from './spec-support/inventory-instance.js';
import { StockModule } from './stock/stock.module.js';

const withoutKafka = {
  module: class HttpModule {},
  imports: [MongoModule, StockModule],
  controllers: [ReservationsController],
  providers: [ReservationsRepository],
};

let database: InventoryDatabase;
let proxy: BreakableProxy;
let service: Service;
let orders: InventoryInstance;

beforeAll(async () => {
  database = await createInventoryDatabase(inject('stack'));
  await using owner = createMongoClient(database.ownerUrl, 'spec');
  await migrateDatabase(owner.db(), migrations);
  orders = new InventoryInstance(database.appUrl);

  proxy = await BreakableProxy.before(database.appUrl);
  const url = new URL(proxy.url(database.appUrl));
  url.searchParams.delete('replicaSet');
  url.searchParams.set('directConnection', 'true');
  const config = loadConfig(inventoryServiceConfig, {
    PORT: '0',
    LOG_LEVEL: 'silent',
    KAFKA_BROKERS: '127.0.0.1:1',
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
    MONGODB_URL: url.href,
  });
  service = await createService({ name: 'inventory-service', module: withoutKafka, config });
});

afterAll(async () => {
  await service?.app.close();
  await orders?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

async function call(method: 'GET' | 'PUT', url: string, payload?: object) {
  const response = await service.app.inject({ method, url, ...(payload && { payload }) });
  return { status: response.statusCode, type: response.headers['content-type'], body: response.json() };
}

const newSku = () => `sku-${randomUUID()}`;

describe('stock', () => {
  it('is set and read', async () => {
    const sku = newSku();
    const level = { sku, onHand: 7, reserved: 0, available: 7 };
    expect(await call('PUT', `/stock/${sku}`, { onHand: 7 })).toMatchObject({ status: 200, body: level });
    expect(await call('GET', `/stock/${sku}`)).toMatchObject({ status: 200, body: level });
  });

  it('shows what is reserved, and cannot be set below it', async () => {
    const sku = newSku();
    await call('PUT', `/stock/${sku}`, { onHand: 7 });
    await orders.place(randomUUID(), [{ sku, quantity: 3 }]);
    expect((await call('GET', `/stock/${sku}`)).body).toEqual({ sku, onHand: 7, reserved: 3, available: 4 });

    const refused = await call('PUT', `/stock/${sku}`, { onHand: 2 });
    expect(refused).toMatchObject({ status: 409, body: { status: 409, code: 'STOCK_BELOW_RESERVED' } });
    expect(refused.type).toContain('application/problem+json');
    expect((await call('PUT', `/stock/${sku}`, { onHand: 3 })).body).toMatchObject({
      onHand: 3,
      available: 0,
    });
  });

  it('of an unknown SKU is a 404 problem', async () => {
    const missing = await call('GET', `/stock/${newSku()}`);
    expect(missing).toMatchObject({ status: 404, body: { code: 'SKU_UNKNOWN' } });
    expect(missing.type).toContain('application/problem+json');
  });

  it.each([
    [{}],
    [{ onHand: -1 }],
    [{ onHand: 1.5 }],
    [{ onHand: '5' }],
    [{ onHand: 1_000_000_001 }],
    [{ onHand: { $gt: 0 } }],
  ])('cannot be set by %j, and the answer points at the fault', async (body) => {
    const refused = await call('PUT', `/stock/${newSku()}`, body);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/onHand' }] } });
  });

  it('names every fault of a request', async () => {
    const { body } = await call('PUT', '/stock/%20', { onHand: -1, unknown: 1 });
    expect(body.errors).toHaveLength(3);
  });

  it('is listed page by page, each SKU once and in order, also while SKUs are added', async () => {
    const prefix = `page-${randomUUID()}`;
    const skus = Array.from({ length: 5 }, (_, index) => `${prefix}-${index}`);
    for (const sku of skus) await call('PUT', `/stock/${sku}`, { onHand: 1 });

    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await call('GET', `/stock?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...body.items.map(({ sku }: { sku: string }) => sku));
      if (!cursor) await call('PUT', `/stock/0-before-all-${randomUUID()}`, { onHand: 1 });
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen.filter((sku) => sku.startsWith(prefix))).toEqual(skus);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual([...seen].sort());
  });

  it.each(['cursor=nonsense', 'limit=0', 'limit=x', 'limit=201', 'page=2'])(
    'refuses a list with %s by name',
    async (query) => {
      const { status, body } = await call('GET', `/stock?${query}`);
      expect(status).toBe(400);
      expect(JSON.stringify(body.errors)).toContain(query.split('=')[0]);
    },
    // A hung database: until the driver gives up, and once more for its own retry.
    40_000,
  );
});

describe('reservations', () => {
  it('shows what became of an order', async () => {
    const [sku, orderId] = [newSku(), randomUUID()];
    await call('PUT', `/stock/${sku}`, { onHand: 1 });
    await orders.place(orderId, [{ sku, quantity: 1 }]);
    expect((await call('GET', `/reservations/${orderId}`)).body).toMatchObject({
      orderId,
      status: 'reserved',
      lines: [{ sku, quantity: 1 }],
      shortages: [],
      events: [{ direction: 'in' }, { direction: 'out' }],
    });
  });

  it('of an unknown order is a 404 problem', async () => {
    const missing = await call('GET', `/reservations/${randomUUID()}`);
    expect(missing).toMatchObject({ status: 404, body: { code: 'RESERVATION_UNKNOWN' } });
  });
});

describe('the API description', () => {
  it('names every path with its parameters, bodies and answers', async () => {
    const { body } = await call('GET', '/openapi.json');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/stock/{sku}', '/stock', '/reservations/{orderId}']),
    );
    const put = body.paths['/stock/{sku}'].put;
    expect(JSON.stringify(put.requestBody)).toContain('onHand');
    expect(JSON.stringify(put.responses['200'])).toContain('available');
    const list = body.paths['/stock'].get;
    expect(list.parameters.map(({ name }: { name: string }) => name).sort()).toEqual(['cursor', 'limit']);
  });
});

describe('a database that is away', () => {
  it.each(['refuses', 'is silent'] as const)(
    'answers 503 and is not ready, and goes on by itself afterwards: %s',
    async (fault) => {
      const sku = newSku();
      await call('PUT', `/stock/${sku}`, { onHand: 1 });
      if (fault === 'refuses') await proxy.down();
      else proxy.silence(true);
      try {
        const answers = await Promise.all([
          call('GET', `/stock/${sku}`),
          call('PUT', `/stock/${sku}`, { onHand: 2 }),
          call('GET', `/reservations/${sku}`),
        ]);
        for (const { status, type, body } of answers) {
          expect([status, body.code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
          expect(type).toContain('application/problem+json');
        }
        const ready = await call('GET', '/health/ready');
        expect(ready).toMatchObject({ status: 503, body: { reasons: [{ check: 'database' }] } });
        expect((await call('GET', '/health/live')).status).toBe(200);
      } finally {
        if (fault === 'refuses') await proxy.up();
        else proxy.silence(false);
      }
      await eventually('the database to answer again', 15_000, async () => {
        return (await call('GET', '/health/ready')).status === 200;
      });
      expect((await call('GET', `/stock/${sku}`)).status).toBe(200);
    },
    // A hung database: until the driver gives up, and once more for its own retry.
    40_000,
  );
});
