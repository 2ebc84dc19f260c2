import type { Collection, Db } from 'mongodb';
import type { MovedLine, Shortage } from '../stock/stock.decision.js';
import type { ReservationStatus } from './reservation.state.js';

/** An event that changed the order's stock or told of it. */
export interface LedgerEntry {
  eventId: string;
  /** The record's full name. */
  type: string;
  /** `in`: handled; `out`: emitted with the change. */
  direction: 'in' | 'out';
  at: Date;
}

/** What became of one order's stock, in the collection `reservations`. */
export interface ReservationDocument {
  /** The order's id. */
  _id: string;
  status: ReservationStatus;
  /** What was reserved, also after its release; empty when nothing ever was. */
  lines: MovedLine[];
  /** Why nothing was reserved; empty unless rejected. */
  shortages: Shortage[];
  /** Every event handled and emitted for the order, in order. Outlives the inbox and the outbox. */
  events: LedgerEntry[];
  createdAt: Date;
  updatedAt: Date;
}

export function reservationsCollection(db: Db): Collection<ReservationDocument> {
  return db.collection<ReservationDocument>('reservations');
}
