import { randomUUID } from 'node:crypto';
import { MongoInbox, MongoOutbox } from '@millrace/messaging';
import {
  type AnyEventContract,
  contracts,
  ORDER_EVENTS,
  OrderCancelled,
  OrderPlaced,
} from '@millrace/schemas';
import type { Db } from 'mongodb';
import { Clock } from '../clock.js';
import { createMongoClient } from '../mongo/mongo-client.js';
import { Transactions } from '../mongo/transactions.js';
import { type ReservationDocument, reservationsCollection } from '../reservations/reservation.document.js';
import { ReservationsRepository } from '../reservations/reservations.repository.js';
import { ReservationsService } from '../reservations/reservations.service.js';
import type { StockLine } from '../stock/stock.decision.js';
import { StockRepository } from '../stock/stock.repository.js';

/** What one process of the service does to its database, without Kafka: outbox payloads are Avro without a frame. */
export class InventoryInstance implements AsyncDisposable {
  readonly #client;
  readonly db: Db;
  readonly stock: StockRepository;
  readonly reservations: ReservationsService;

  constructor(
    appUrl: string,
    encode: (contract: AnyEventContract, event: unknown) => Buffer = (contract, event) =>
      contract.type.toBuffer(event),
  ) {
    this.#client = createMongoClient(appUrl, 'inventory-service spec');
    this.db = this.#client.db();
    this.stock = new StockRepository(this.db);
    this.reservations = new ReservationsService(
      new Transactions(this.#client),
      new MongoInbox(this.db),
      new MongoOutbox({ encode }, this.db),
      new ReservationsRepository(this.db),
      this.stock,
      new Clock(),
    );
  }

  put(sku: string, onHand: number) {
    return this.stock.setOnHand(sku, onHand, new Date());
  }

  place(orderId: string, lines: StockLine[], eventId: string = randomUUID()): Promise<void> {
    return this.reservations.place(orderId, lines, arrival(OrderPlaced, eventId));
  }

  cancel(orderId: string, eventId: string = randomUUID()): Promise<void> {
    return this.reservations.close(orderId, arrival(OrderCancelled, eventId));
  }

  async reservation(orderId: string): Promise<ReservationDocument> {
    const found = await reservationsCollection(this.db).findOne({ _id: orderId });
    if (!found) throw new Error(`no reservation of ${orderId}`);
    return found;
  }

  /** Every event in the outbox, oldest first. */
  async emitted(): Promise<Emitted[]> {
    const documents = await this.db
      .collection('outbox')
      .find({}, { promoteBuffers: true })
      .sort({ _id: 1 })
      .toArray();
    return documents.map(({ _id, aggregateid, type, payload }) => {
      const contract = contracts.find(({ name }) => name === type);
      return { eventId: String(_id), key: aggregateid, type, event: contract?.type.fromBuffer(payload) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

export interface Emitted {
  readonly eventId: string;
  readonly key: string;
  readonly type: string;
  readonly event: unknown;
}

function arrival({ name }: AnyEventContract, eventId: string) {
  return { eventId, topic: ORDER_EVENTS, type: name, signal: new AbortController().signal };
}
