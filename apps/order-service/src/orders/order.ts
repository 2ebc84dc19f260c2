import { OrderPlaced } from '@millrace/schemas';
import { fromUnits, toUnits } from './money.js';
import type { OrderStatus } from './order.state.js';

/** One product of an order; the price of one piece is a decimal string. */
export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: string;
}

/** What a customer asks for. */
export interface OrderRequest {
  readonly customerId: string;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly lines: readonly OrderLine[];
}

/** An order without its lines: all that a change of its status needs. */
export interface OrderHead {
  readonly id: string;
  readonly customerId: string;
  readonly currency: string;
  readonly status: OrderStatus;
  /** Sum of quantity times unit price, a decimal string with four fraction digits. */
  readonly total: string;
  /** Why it was rejected; null in every other status. */
  readonly reason: string | null;
  readonly placedAt: Date;
  readonly updatedAt: Date;
}

export interface Order extends OrderHead {
  readonly lines: readonly OrderLine[];
}

/** The order that a request becomes. */
export function placeOrder(request: OrderRequest, id: string, now: Date): Order {
  const lines = request.lines.map((line) => ({ ...line, unitPrice: fromUnits(toUnits(line.unitPrice)) }));
  const total = lines.reduce((sum, line) => sum + BigInt(line.quantity) * toUnits(line.unitPrice), 0n);
  return {
    id,
    customerId: request.customerId,
    currency: request.currency,
    status: 'placed',
    lines,
    total: fromUnits(total),
    reason: null,
    placedAt: now,
    updatedAt: now,
  };
}

/** The order as it was when it was placed: the answer that every retry of its request gets. */
export function asPlaced(order: Order): Order {
  return { ...order, status: 'placed', reason: null, updatedAt: order.placedAt };
}

/** The event that tells of a placed order. */
export function orderPlaced(order: Order): OrderPlaced {
  const { id, customerId, currency, lines, total, placedAt } = order;
  return { orderId: id, customerId, currency, lines, total, placedAt };
}
