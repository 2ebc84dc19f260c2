import { eventually, LogReader, type RunningSystem, type StackEndpoints } from '@millrace/testing';
import { type Document, UUID } from 'mongodb';
import pg from 'pg';
import { ChangeLog } from './change-log.js';
import type { Story } from './story.js';

/** Milliseconds within which a change must have reached the other database. */
const CARRIED_MS = 60_000;

/** Changes stock and places an order, and shows the change of each in its topic and the row on both sides. */
export async function tellCarriedRows(
  endpoints: StackEndpoints,
  system: RunningSystem,
  story: Story,
  run: string,
): Promise<void> {
  await using open = new AsyncDisposableStack();
  // The stock table is the bridge's to write; no service reads it.
  const postgres = new pg.Pool({
    connectionString: endpoints.databases.orders.bridge,
    max: 1,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  open.defer(() => postgres.end());
  const topics = {
    orders: 'orders-changes.public.orders',
    stock: `inventory-changes.${system.documents.databaseName}.stock`,
  };
  const log = await LogReader.fromNow(endpoints.kafka.bootstrapServers, Object.values(topics));
  open.defer(() => log.close());
  const changes = new ChangeLog(log, endpoints.registry.url);

  const sku = `Carried${run}-SKU`;
  await system.putStock(sku, 10);
  const order = await system.place({
    customerId: `Carried${run}-customer`,
    currency: 'EUR',
    lines: [{ sku, quantity: 4, unitPrice: '12.50' }],
  });

  const copy = await eventually('the confirmed order to be in MongoDB', CARRIED_MS, async () => {
    const found = await system.documents
      .collection<Document>('orders')
      .findOne({ _id: new UUID(order.id) as never });
    return found?.status === 'confirmed' ? found : undefined;
  });
  const change = await changes.last(
    topics.orders,
    ({ id, status }) => id === order.id && status === 'confirmed',
  );
  story.step('An order’s row is in MongoDB: the bridge carried each change of it.');
  story.evidence({
    'its last change': change,
    'Postgres, orders': await system.orderRow(order.id),
    'MongoDB, orders': {
      _id: order.id,
      customer_id: copy.customer_id,
      status: copy.status,
      total: copy.total,
    },
  });

  const row = await eventually('the reserved stock to be in Postgres', CARRIED_MS, async () => {
    const { rows } = await postgres.query('select sku, on_hand, reserved from stock_levels where sku = $1', [
      sku,
    ]);
    return rows[0]?.reserved === 4 ? rows[0] : undefined;
  });
  story.step('The stock that it reserved, a document, is a row in Postgres.');
  story.evidence({
    'its last change': await changes.last(topics.stock, ({ _id, reserved }) => _id === sku && reserved === 4),
    'MongoDB, stock': await system.stockDocument(sku),
    'Postgres, stock_levels': row,
  });
}
