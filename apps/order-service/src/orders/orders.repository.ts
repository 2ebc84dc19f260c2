import { Inject, Injectable } from '@nestjs/common';
import { reached } from '../database/database-errors.js';
import { type Prisma, PrismaClient } from '../generated/prisma/client.js';
import { MONEY_SCALE } from './money.js';
import type { Order, OrderHead } from './order.js';
import type { OrderStatus } from './order.state.js';
import type { HistoryEntry } from './order-history.js';
import { OrdersTransaction } from './orders-transaction.repository.js';

/** Which orders to list: newest first, those that come after an id. */
export interface OrdersPage {
  readonly status?: OrderStatus | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

const withLines = { lines: { orderBy: { position: 'asc' } } } satisfies Prisma.OrderInclude;
type OrderRow = Prisma.OrderGetPayload<{ include: typeof withLines }>;

/**
 * Reads orders, and opens the transactions that write them.
 * Everything here throws DatabaseUnavailableError while the database is away.
 */
@Injectable()
export class OrdersRepository {
  constructor(@Inject(PrismaClient) private readonly prisma: PrismaClient) {}

  /** Runs the work in one transaction, which is rolled back when the work throws. */
  transaction<T>(work: (transaction: OrdersTransaction) => Promise<T>): Promise<T> {
    return reached(this.prisma.$transaction((client) => work(new OrdersTransaction(client))));
  }

  async find(id: string): Promise<Order | undefined> {
    const row = await reached(this.prisma.order.findUnique({ where: { id }, include: withLines }));
    return row ? toOrder(row) : undefined;
  }

  /** The order that a request under this key became, and the hash of that request. */
  async findByIdempotencyKey(
    idempotencyKey: string,
  ): Promise<{ order: Order; hash: Uint8Array } | undefined> {
    const row = await reached(
      this.prisma.order.findUnique({ where: { idempotencyKey }, include: withLines }),
    );
    return row ? { order: toOrder(row), hash: row.requestHash } : undefined;
  }

  async list({ status, after, limit }: OrdersPage): Promise<Order[]> {
    const rows = await reached(
      this.prisma.order.findMany({
        where: { ...(status && { status }), ...(after && { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: limit,
        include: withLines,
      }),
    );
    return rows.map(toOrder);
  }

  /** The entries of an order's history in order. */
  history(orderId: string): Promise<HistoryEntry[]> {
    return reached(this.prisma.orderHistory.findMany({ where: { orderId }, orderBy: { sequence: 'asc' } }));
  }

  /** The order's own events in order, each with the status that it brought, from after a sequence on. */
  statusesAfter(orderId: string, sequence: bigint): Promise<HistoryEntry[]> {
    return reached(
      this.prisma.orderHistory.findMany({
        where: { orderId, handled: false, sequence: { gt: sequence } },
        orderBy: { sequence: 'asc' },
      }),
    );
  }
}

function toOrder({
  id,
  customerId,
  currency,
  status,
  total,
  reason,
  placedAt,
  updatedAt,
  lines,
}: OrderRow): Order {
  const head: OrderHead = {
    id,
    customerId,
    currency,
    status,
    total: total.toFixed(MONEY_SCALE),
    reason,
    placedAt,
    updatedAt,
  };
  return {
    ...head,
    lines: lines.map(({ sku, quantity, unitPrice }) => ({
      sku,
      quantity,
      unitPrice: unitPrice.toFixed(MONEY_SCALE),
    })),
  };
}
