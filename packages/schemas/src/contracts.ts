import type { AnyEventContract } from './event.contract.js';
import { StockRejected, StockReleased, StockReserved } from './inventory.contracts.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderExpired,
  OrderPlaced,
  OrderRejected,
} from './order.contracts.js';

/** Every event of the system: what the deploy step registers. */
export const contracts: readonly AnyEventContract[] = [
  OrderPlaced,
  OrderConfirmed,
  OrderRejected,
  OrderCancelled,
  OrderExpired,
  StockReserved,
  StockRejected,
  StockReleased,
];
