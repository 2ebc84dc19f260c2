import { PostgresInbox, PostgresOutbox, RegistryUnavailableError } from '@millrace/messaging';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from './clock.js';
import { requestHash } from './idempotency.js';
import { decide, type Occurrence, type OrderChange, type OwnEvent, placed } from './order.decision.js';
import { asPlaced, type Order, type OrderHead, type OrderRequest, placeOrder } from './order.js';
import type { EventNote, HistoryEntry } from './order-history.js';
import { isOrderId, newOrderId } from './order-id.js';
import {
  eventsUnavailable,
  idempotencyKeyReused,
  orderNotCancellable,
  orderNotFound,
} from './order-problems.js';
import { OrdersRepository } from './orders.repository.js';
import { IdempotencyKeyTakenError, type OrdersTransaction } from './orders-transaction.repository.js';

/** An event from outside that concerns one order. */
export interface ReceivedEvent {
  readonly eventId: string;
  readonly topic: string;
  readonly type: string;
  readonly orderId: string;
}

/** Every change of an order: each is one transaction of rows, history and outbox. */
@Injectable()
export class OrdersService {
  readonly #log = new Logger(OrdersService.name);

  constructor(
    private readonly orders: OrdersRepository,
    private readonly outbox: PostgresOutbox,
    private readonly inbox: PostgresInbox,
    private readonly clock: Clock,
  ) {}

  /**
   * Places an order, once for each key: a retry gets the answer of the first request.
   *
   * @throws ProblemException IDEMPOTENCY_KEY_REUSED when the key came with another request
   */
  async place(request: OrderRequest, idempotencyKey: string): Promise<Order> {
    const now = this.clock.now();
    const order = placeOrder(request, newOrderId(now), now);
    const identity = { idempotencyKey, requestHash: requestHash(request) };
    try {
      await this.orders.transaction(async (transaction) => {
        await transaction.insert(order, identity, await this.#emit(transaction, placed(order)));
      });
      return order;
    } catch (error) {
      if (error instanceof IdempotencyKeyTakenError) return this.#placedBefore(identity);
      throw error;
    }
  }

  /** @throws ProblemException ORDER_NOT_FOUND, or ORDER_NOT_CANCELLABLE when its status forbids it */
  async cancel(id: string): Promise<Order> {
    const { lines } = await this.get(id);
    const cancelled = await this.orders.transaction(async (transaction) => {
      const order = await transaction.lock(id);
      if (!order) throw orderNotFound(id);
      const change = decide(order, { trigger: 'cancel' }, this.clock.now());
      if (!change) throw orderNotCancellable(id, order.status);
      await this.#apply(transaction, change);
      return change.order;
    });
    return { ...cancelled, lines };
  }

  /**
   * Handles an event once, however often it comes: what it means for the order, if it means anything, and a note
   * in the order's history.
   */
  async receive(event: ReceivedEvent, occurrence?: Occurrence): Promise<void> {
    const { eventId, topic, type, orderId } = event;
    await this.orders.transaction(async (transaction) => {
      if (!(await this.inbox.claim(transaction.execute, eventId, topic))) return;
      const order = isOrderId(orderId) ? await transaction.lock(orderId) : undefined;
      // An order is committed before anyone can hear of it: this one is another database's.
      if (!order) return this.#log.warn(`${type} ${eventId} is about order ${orderId}, which does not exist`);
      const now = this.clock.now();
      const change = occurrence && decide(order, occurrence, now);
      const note = { eventId, type, handled: true, changed: change !== undefined };
      await (change ? this.#apply(transaction, change, note) : transaction.note(order, now, note));
    });
  }

  /**
   * Lets orders expire that were placed `unansweredMs` ago and are still unanswered, at most `limit` of them.
   * Several instances may do so at once.
   *
   * @returns how many expired; fewer than `limit` means that none is left
   */
  async expire(unansweredMs: number, limit: number): Promise<number> {
    const now = this.clock.now();
    return this.orders.transaction(async (transaction) => {
      const orders = await transaction.lockUnanswered(new Date(now.getTime() - unansweredMs), limit);
      for (const order of orders) await this.#expireOne(transaction, order, now);
      return orders.length;
    });
  }

  /** @throws ProblemException ORDER_NOT_FOUND */
  async get(id: string): Promise<Order> {
    const order = await this.orders.find(id);
    if (!order) throw orderNotFound(id);
    return order;
  }

  /** The entries of an order's history in order. @throws ProblemException ORDER_NOT_FOUND */
  async history(id: string): Promise<HistoryEntry[]> {
    const entries = await this.orders.history(id);
    // Every order has at least the entry of its placing.
    if (entries.length === 0) throw orderNotFound(id);
    return entries;
  }

  async #expireOne(transaction: OrdersTransaction, order: OrderHead, now: Date): Promise<void> {
    const change = decide(order, { trigger: 'expire' }, now);
    if (change) await this.#apply(transaction, change);
  }

  /** Writes a change, and its event to the outbox; `because` of a received event, which comes first in the history. */
  async #apply(
    transaction: OrdersTransaction,
    { order, emits }: OrderChange,
    because?: EventNote,
  ): Promise<void> {
    const note = await this.#emit(transaction, emits);
    await transaction.update(order, because ? [because, note] : [note]);
  }

  async #emit({ execute }: OrdersTransaction, event: OwnEvent): Promise<EventNote> {
    try {
      const eventId = await event.hand((contract, payload) => this.outbox.append(execute, contract, payload));
      return { eventId, type: event.contract.name, handled: false, changed: true };
    } catch (error) {
      throw error instanceof RegistryUnavailableError ? eventsUnavailable(error) : error;
    }
  }

  async #placedBefore(identity: { idempotencyKey: string; requestHash: Uint8Array }): Promise<Order> {
    const before = await this.orders.findByIdempotencyKey(identity.idempotencyKey);
    if (!before || !Buffer.from(before.hash).equals(identity.requestHash)) throw idempotencyKeyReused();
    return asPlaced(before.order);
  }
}
