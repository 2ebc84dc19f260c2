import { Injectable } from '@nestjs/common';
import { type ClientSession, type Collection, Db } from 'mongodb';
import { OPERATION_TIMEOUT_MS } from '../mongo/mongo-client.js';
import type { MovedLine, Shortage } from '../stock/stock.decision.js';
import {
  type LedgerEntry,
  type ReservationDocument,
  reservationsCollection,
} from './reservation.document.js';
import type { ReservationStatus } from './reservation.state.js';

/** How a reservation stands once an event is handled. */
export interface ReservationOutcome {
  readonly status: ReservationStatus;
  readonly lines: readonly MovedLine[];
  readonly shortages: readonly Shortage[];
}

@Injectable()
export class ReservationsRepository {
  readonly #reservations: Collection<ReservationDocument>;

  constructor(db: Db) {
    this.#reservations = reservationsCollection(db);
  }

  /** @param session reads in this transaction's snapshot */
  async find(orderId: string, session?: ClientSession): Promise<ReservationDocument | undefined> {
    const options = session ? { session } : { maxTimeMS: OPERATION_TIMEOUT_MS };
    return (await this.#reservations.findOne({ _id: orderId }, options)) ?? undefined;
  }

  /** Begins the order's reservation or changes it, and adds to its ledger. */
  async record(
    session: ClientSession,
    orderId: string,
    { status, lines, shortages }: ReservationOutcome,
    entries: readonly LedgerEntry[],
    now: Date,
  ): Promise<void> {
    await this.#reservations.updateOne(
      { _id: orderId },
      {
        $set: { status, lines: [...lines], shortages: [...shortages], updatedAt: now },
        $setOnInsert: { createdAt: now },
        $push: { events: { $each: [...entries] } },
      },
      { session, upsert: true },
    );
  }
}
