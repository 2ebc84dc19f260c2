import {
  type AnyEventContract,
  type EventContract,
  OrderCancelled,
  OrderConfirmed,
  OrderExpired,
  OrderPlaced,
  OrderRejected,
  type StockRejected,
} from '@millrace/schemas';
import { type Order, type OrderHead, orderPlaced } from './order.js';
import { nextStatus, type OrderTrigger } from './order.state.js';

/** Something that happens to an order. */
export type Occurrence =
  | { readonly trigger: Exclude<OrderTrigger, 'stockRejected'> }
  | { readonly trigger: 'stockRejected'; readonly reason: string };

type OrderEvent = OrderPlaced | OrderConfirmed | OrderRejected | OrderCancelled | OrderExpired;

/** An event that an order emits. Contract and event belong together, whichever they are. */
export interface OwnEvent {
  readonly contract: AnyEventContract;
  readonly event: OrderEvent;
  /** Calls `publish` with the two, typed alike. */
  hand<R>(publish: <T>(contract: EventContract<T>, event: T) => R): R;
}

/** An order's new state and the event that tells of it. */
export interface OrderChange {
  readonly order: OrderHead;
  readonly emits: OwnEvent;
}

/** What a placed order emits. */
export const placed = (order: Order): OwnEvent => own(OrderPlaced, orderPlaced(order));

/** What an occurrence makes of an order, or undefined where it changes nothing. */
export function decide(order: OrderHead, occurrence: Occurrence, now: Date): OrderChange | undefined {
  const status = nextStatus(order.status, occurrence.trigger);
  if (!status) return undefined;
  const reason = occurrence.trigger === 'stockRejected' ? occurrence.reason : null;
  return { order: { ...order, status, reason, updatedAt: now }, emits: eventOf(order, occurrence, now) };
}

/** Why an order was rejected, in words. */
export function describeShortages({ shortages }: StockRejected): string {
  const parts = shortages.map(
    ({ sku, requested, available }) => `${sku}: ${requested} wanted, ${available} available`,
  );
  return `not enough stock (${parts.join('; ')})`;
}

function eventOf({ id: orderId, customerId }: OrderHead, occurrence: Occurrence, now: Date): OwnEvent {
  switch (occurrence.trigger) {
    case 'stockReserved':
      return own(OrderConfirmed, { orderId, customerId, confirmedAt: now });
    case 'stockRejected':
      return own(OrderRejected, { orderId, customerId, reason: occurrence.reason, rejectedAt: now });
    case 'cancel':
      return own(OrderCancelled, { orderId, customerId, cancelledAt: now });
    case 'expire':
      return own(OrderExpired, { orderId, customerId, expiredAt: now });
  }
}

function own<T extends OrderEvent>(contract: EventContract<T>, event: T): OwnEvent {
  return { contract, event, hand: (publish) => publish(contract, event) };
}
