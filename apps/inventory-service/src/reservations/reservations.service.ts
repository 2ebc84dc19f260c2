import { MongoInbox, MongoOutbox } from '@millrace/messaging';
import { type EventContract, StockRejected, StockReleased, StockReserved } from '@millrace/schemas';
import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongodb';
import { Clock } from '../clock.js';
import { Transactions } from '../mongo/transactions.js';
import { SkuQueue } from '../stock/sku-queue.js';
import { decideReservation, mergeLines, moveLines, type StockLine } from '../stock/stock.decision.js';
import { StockRepository } from '../stock/stock.repository.js';
import type { LedgerEntry, ReservationDocument } from './reservation.document.js';
import { decideAction, type OrderStep } from './reservation.state.js';
import { type ReservationOutcome, ReservationsRepository } from './reservations.repository.js';

/** An event as it came in. */
export interface Arrival {
  readonly eventId: string;
  readonly topic: string;
  /** The record's full name. */
  readonly type: string;
  /** Ends the attempts early, when the consumer has to let go. */
  readonly signal: AbortSignal;
}

/** One event's transaction. */
interface Change {
  readonly session: ClientSession;
  readonly orderId: string;
  readonly now: Date;
}

/** How the reservation stands then, and the event that tells of it. */
interface Effect extends ReservationOutcome {
  readonly emitted?: Pick<LedgerEntry, 'eventId' | 'type'>;
}

/**
 * Moves stock for orders. Each event is one transaction: inbox, reservation, stock and outbox change together or not
 * at all, and the stock of several SKUs is touched in one order by everyone.
 */
@Injectable()
export class ReservationsService {
  readonly #queue = new SkuQueue();

  constructor(
    private readonly transactions: Transactions,
    private readonly inbox: MongoInbox,
    private readonly outbox: MongoOutbox,
    private readonly reservations: ReservationsRepository,
    private readonly stock: StockRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * An order was placed: reserves all of its lines or none. Nothing happens to an order that was seen or closed before.
   *
   * @throws InventoryError ORDER_INVALID, TRANSACTION_NOT_COMMITTED
   */
  async place(orderId: string, ordered: readonly StockLine[], arrival: Arrival): Promise<void> {
    const lines = mergeLines(ordered);
    await this.#queue.run(skusOf(lines), () => this.#handle(orderId, 'placed', lines, arrival));
  }

  /**
   * An order was cancelled or expired: releases what is reserved for it, or remembers that nothing ever may be.
   *
   * @throws InventoryError STOCK_CORRUPT, TRANSACTION_NOT_COMMITTED
   */
  async close(orderId: string, arrival: Arrival): Promise<void> {
    await this.#handle(orderId, 'closed', [], arrival);
  }

  async #handle(
    orderId: string,
    step: OrderStep,
    lines: readonly StockLine[],
    arrival: Arrival,
  ): Promise<void> {
    await this.transactions.run(async (session) => {
      if (!(await this.inbox.claim(session, arrival.eventId, arrival.topic))) return;

      const before = await this.reservations.find(orderId, session);
      // The ledger remembers what the inbox has forgotten by now.
      if (before?.events.some(({ eventId }) => eventId === arrival.eventId)) return;

      const change = { session, orderId, now: this.clock.now() };
      const effect = await this.#effectOf(step, change, lines, before);
      await this.reservations.record(
        session,
        orderId,
        effect,
        entriesFor(arrival, effect, change.now),
        change.now,
      );
    }, arrival.signal);
  }

  async #effectOf(
    step: OrderStep,
    change: Change,
    lines: readonly StockLine[],
    before: ReservationDocument | undefined,
  ): Promise<Effect> {
    const action = decideAction(before?.status, step);
    if (action === 'reserve') return this.#reserve(change, lines);
    if (!before) return { status: 'withdrawn', lines: [], shortages: [] };
    return action === 'release' ? this.#release(change, before) : outcomeOf(before);
  }

  async #reserve(change: Change, wanted: readonly StockLine[]): Promise<Effect> {
    const { session, orderId, now } = change;
    const levels = await this.stock.levels(session, skusOf(wanted));
    const decision = decideReservation(wanted, levels);
    if (decision.kind === 'reject') {
      const shortages = [...decision.shortages];
      const emitted = await this.#emit(session, StockRejected, { orderId, shortages, rejectedAt: now });
      return { status: 'rejected', lines: [], shortages, emitted };
    }
    const lines = [...decision.lines];
    // Stock before the outbox: whoever loses the race for a SKU has done little of the work that it repeats.
    await this.stock.reserve(session, lines, now);
    const emitted = await this.#emit(session, StockReserved, { orderId, lines, reservedAt: now });
    return { status: 'reserved', lines, shortages: [], emitted };
  }

  async #release(change: Change, before: ReservationDocument): Promise<Effect> {
    const { session, orderId, now } = change;
    const lines = moveLines(before.lines, await this.stock.levels(session, skusOf(before.lines)));
    await this.stock.release(session, lines, now);
    const emitted = await this.#emit(session, StockReleased, { orderId, lines, releasedAt: now });
    return { status: 'released', lines: before.lines, shortages: [], emitted };
  }

  async #emit<T>(session: ClientSession, contract: EventContract<T>, event: NoInfer<T>) {
    return { eventId: await this.outbox.append(session, contract, event), type: contract.name };
  }
}

function skusOf(lines: readonly StockLine[]): string[] {
  return lines.map(({ sku }) => sku);
}

function outcomeOf({ status, lines, shortages }: ReservationDocument): ReservationOutcome {
  return { status, lines, shortages };
}

function entriesFor({ eventId, type }: Arrival, { emitted }: Effect, at: Date): LedgerEntry[] {
  const handled: LedgerEntry = { eventId, type, direction: 'in', at };
  return emitted ? [handled, { ...emitted, direction: 'out', at }] : [handled];
}
