import type { z } from 'zod';
import { toCursor } from './cursor.js';
import type { Order } from './order.js';
import type { historyView, ordersView, orderView } from './order.schemas.js';
import type { HistoryEntry } from './order-history.js';

export type OrderView = z.output<typeof orderView>;
export type OrdersView = z.output<typeof ordersView>;
export type HistoryView = z.output<typeof historyView>;

/** An order as clients see it: the same order gives the same bytes. */
export function viewOrder(order: Order): OrderView {
  return {
    id: order.id,
    customerId: order.customerId,
    currency: order.currency,
    status: order.status,
    lines: order.lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unitPrice })),
    total: order.total,
    reason: order.reason,
    placedAt: order.placedAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
  };
}

/** A page of at most `limit` orders, of which one more was read than it shows: it tells that there is a next page. */
export function viewOrders(orders: readonly Order[], limit: number): OrdersView {
  const items = orders.slice(0, limit);
  const last = orders.length > limit ? items.at(-1) : undefined;
  return { items: items.map(viewOrder), nextCursor: last ? toCursor(last.id) : null };
}

export function viewHistory(entries: readonly HistoryEntry[]): HistoryView {
  return {
    items: entries.map(({ eventId, type, at, handled, changed }) => ({
      eventId,
      type,
      at: at.toISOString(),
      handled,
      ...(handled && { changed }),
    })),
  };
}

/**
 * An entry as a server-sent event of the name `status`, or a comment that only keeps the connection open.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function viewStatusEvent(orderId: string, entry: HistoryEntry | null): string {
  if (!entry) return ': still here\n\n';
  const { sequence, status, eventId, type, at } = entry;
  const data = JSON.stringify({ orderId, status, at: at.toISOString(), eventId, type });
  return `id: ${sequence}\nevent: status\ndata: ${data}\n\n`;
}
