import { eventContract } from './event.contract.js';
import * as generated from './generated/index.js';
import { ORDER_EVENTS } from './topics.js';

/** The events of an order, keyed by order id. Each is a contract and, by the same name, its event's type. */

export type { OrderLine } from './generated/index.js';

const key = (event: { readonly orderId: string }) => event.orderId;

export interface OrderPlaced extends generated.OrderPlaced {}
export const OrderPlaced = eventContract<OrderPlaced>({
  topic: ORDER_EVENTS,
  schema: generated.orderPlacedSchema,
  key,
});

export interface OrderConfirmed extends generated.OrderConfirmed {}
export const OrderConfirmed = eventContract<OrderConfirmed>({
  topic: ORDER_EVENTS,
  schema: generated.orderConfirmedSchema,
  key,
});

export interface OrderRejected extends generated.OrderRejected {}
export const OrderRejected = eventContract<OrderRejected>({
  topic: ORDER_EVENTS,
  schema: generated.orderRejectedSchema,
  key,
});

export interface OrderCancelled extends generated.OrderCancelled {}
export const OrderCancelled = eventContract<OrderCancelled>({
  topic: ORDER_EVENTS,
  schema: generated.orderCancelledSchema,
  key,
});

export interface OrderExpired extends generated.OrderExpired {}
export const OrderExpired = eventContract<OrderExpired>({
  topic: ORDER_EVENTS,
  schema: generated.orderExpiredSchema,
  key,
});
