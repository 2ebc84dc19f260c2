import { eventContract } from './event.contract.js';
import * as generated from './generated/index.js';
import { INVENTORY_EVENTS } from './topics.js';

/** The events of the stock that an order needs, keyed by order id. Each is a contract and its event's type. */

export type { ReleasedLine, ReservedLine, StockShortage } from './generated/index.js';

const key = (event: { readonly orderId: string }) => event.orderId;

export interface StockReserved extends generated.StockReserved {}
export const StockReserved = eventContract<StockReserved>({
  topic: INVENTORY_EVENTS,
  schema: generated.stockReservedSchema,
  key,
});

export interface StockRejected extends generated.StockRejected {}
export const StockRejected = eventContract<StockRejected>({
  topic: INVENTORY_EVENTS,
  schema: generated.stockRejectedSchema,
  key,
});

export interface StockReleased extends generated.StockReleased {}
export const StockReleased = eventContract<StockReleased>({
  topic: INVENTORY_EVENTS,
  schema: generated.stockReleasedSchema,
  key,
});
