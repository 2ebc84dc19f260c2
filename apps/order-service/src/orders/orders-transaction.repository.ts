import type { SqlExecutor } from '@millrace/messaging';
import type { Prisma } from '../generated/prisma/client.js';
import type { Order, OrderHead } from './order.js';
import type { EventNote } from './order-history.js';

/** How a request to place an order can be recognised. */
export interface RequestIdentity {
  readonly idempotencyKey: string;
  readonly requestHash: Uint8Array;
}

/** Another request has this key: the transaction has to be rolled back. */
export class IdempotencyKeyTakenError extends Error {
  override readonly name = 'IdempotencyKeyTakenError';
}

/** What can be written about orders, each method with one statement, inside one transaction. */
export class OrdersTransaction {
  constructor(private readonly client: Prisma.TransactionClient) {}

  /** Runs the outbox's and the inbox's statements in this transaction. */
  readonly execute: SqlExecutor = (sql, params) => this.client.$executeRawUnsafe(sql, ...params);

  /**
   * Writes a new order, its lines and the first note of its history.
   *
   * @throws IdempotencyKeyTakenError, after waiting for the other request's transaction if it is under way
   */
  async insert(order: Order, request: RequestIdentity, note: EventNote): Promise<void> {
    const written = await this.client.$executeRaw`
      WITH new_order AS (
        INSERT INTO orders (id, customer_id, currency, status, total, idempotency_key, request_hash, placed_at, updated_at)
        VALUES (${order.id}::uuid, ${order.customerId}, ${order.currency}, ${order.status}::order_status,
          ${order.total}::numeric, ${request.idempotencyKey}, ${request.requestHash},
          ${order.placedAt}, ${order.updatedAt})
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING id
      ), new_lines AS (
        INSERT INTO order_lines (order_id, position, sku, quantity, unit_price)
        SELECT new_order.id, line.position, line.sku, line.quantity, line.unit_price
        FROM new_order, ROWS FROM (
          unnest(${order.lines.map(({ sku }) => sku)}::text[]),
          unnest(${order.lines.map(({ quantity }) => quantity)}::int[]),
          unnest(${order.lines.map(({ unitPrice }) => unitPrice)}::text[]::numeric[])
        ) WITH ORDINALITY AS line (sku, quantity, unit_price, position)
      )
      INSERT INTO order_history (order_id, event_id, type, handled, changed, status, at)
      SELECT id, ${note.eventId}, ${note.type}, ${note.handled}, ${note.changed},
        ${order.status}::order_status, ${order.placedAt}
      FROM new_order`;
    if (written === 0)
      throw new IdempotencyKeyTakenError(`idempotency key ${request.idempotencyKey} is taken`);
  }

  /** Reads an order and keeps every other transaction from changing it until this one ends. */
  async lock(id: string): Promise<OrderHead | undefined> {
    const [order] = await this.client.$queryRaw<OrderHead[]>`
      SELECT id, customer_id AS "customerId", currency, status::text, total::text, reason,
        placed_at AS "placedAt", updated_at AS "updatedAt"
      FROM orders WHERE id = ${id}::uuid
      FOR NO KEY UPDATE`;
    return order;
  }

  /** Locks orders that were placed by then and are unanswered still, oldest first, but for those locked already. */
  lockUnanswered(placedBy: Date, limit: number): Promise<OrderHead[]> {
    return this.client.$queryRaw<OrderHead[]>`
      SELECT id, customer_id AS "customerId", currency, status::text, total::text, reason,
        placed_at AS "placedAt", updated_at AS "updatedAt"
      FROM orders WHERE status = 'placed' AND placed_at <= ${placedBy}
      ORDER BY placed_at LIMIT ${limit}
      FOR NO KEY UPDATE SKIP LOCKED`;
  }

  /** Writes a locked order's new status, together with what brought it. */
  async update(order: OrderHead, notes: readonly EventNote[]): Promise<void> {
    await this.client.$executeRaw`
      WITH changed AS (
        UPDATE orders SET status = ${order.status}::order_status, reason = ${order.reason}, updated_at = ${order.updatedAt}
        WHERE id = ${order.id}::uuid
      )
      INSERT INTO order_history (order_id, event_id, type, handled, changed, status, at)
      SELECT ${order.id}::uuid, event_id, type, handled, changed, ${order.status}::order_status, ${order.updatedAt}
      FROM ROWS FROM (
        unnest(${notes.map(({ eventId }) => eventId)}::text[]),
        unnest(${notes.map(({ type }) => type)}::text[]),
        unnest(${notes.map(({ handled }) => handled)}::boolean[]),
        unnest(${notes.map(({ changed }) => changed)}::boolean[])
      ) WITH ORDINALITY AS note (event_id, type, handled, changed, position)
      ORDER BY position`;
  }

  /** Notes an event that changed nothing. */
  async note(order: OrderHead, at: Date, { eventId, type, handled, changed }: EventNote): Promise<void> {
    await this.client.$executeRaw`
      INSERT INTO order_history (order_id, event_id, type, handled, changed, status, at)
      VALUES (${order.id}::uuid, ${eventId}, ${type}, ${handled}, ${changed}, ${order.status}::order_status, ${at})`;
  }
}
