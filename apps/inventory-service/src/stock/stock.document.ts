import type { Collection, Db } from 'mongodb';
import type { StockLevel } from './stock.decision.js';

/** One SKU in the collection `stock`; the migrations' validator keeps `0 <= reserved <= onHand`. */
export interface StockDocument {
  /** The SKU. */
  _id: string;
  onHand: number;
  reserved: number;
  /** A BSON long, plus 1 with each change. */
  version: bigint;
  updatedAt: Date;
}

export function stockCollection(db: Db): Collection<StockDocument> {
  return db.collection<StockDocument>('stock');
}

export function levelOf({ _id, onHand, reserved, version }: StockDocument): StockLevel {
  return { sku: _id, onHand, reserved, version };
}
