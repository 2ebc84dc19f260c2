import { randomUUID } from 'node:crypto';
import { INVENTORY_EVENTS, ORDER_EVENTS } from '@millrace/schemas';
import { MongoClient } from 'mongodb';
import pg from 'pg';
import type { LoggedEvent } from './books/books.js';
import { eventually } from './eventually.js';
import { LogDecoder } from './log-decoder.js';
import { LogReader } from './log-reader.js';
import {
  type Answer,
  InventoryClient,
  type OrderRequest,
  OrdersClient,
  type OrderView,
  type StockView,
} from './services/index.js';
import type { StackEndpoints } from './stack-endpoints.js';

/** A reservation's document, as far as checkers read it. */
export interface ReservationLedger {
  readonly _id: string;
  readonly events: readonly { readonly eventId: string; readonly direction: 'in' | 'out' }[];
}

/** The running system from outside: its two APIs, both databases by URL, and the log. */
export class RunningSystem implements AsyncDisposable {
  readonly #decoder: LogDecoder;
  readonly orders: OrdersClient;
  readonly inventory: InventoryClient;

  private constructor(
    endpoints: StackEndpoints,
    readonly postgres: pg.Pool,
    private readonly mongo: MongoClient,
    private readonly log: LogReader,
  ) {
    this.#decoder = new LogDecoder(endpoints.registry.url);
    this.orders = new OrdersClient(endpoints.services['order-service'] ?? []);
    this.inventory = new InventoryClient(endpoints.services['inventory-service'] ?? []);
  }

  static async open(endpoints: StackEndpoints): Promise<RunningSystem> {
    const { orders, inventory } = endpoints.databases;
    const postgres = new pg.Pool({
      connectionString: orders.app,
      max: 2,
      connectionTimeoutMillis: 10_000,
      query_timeout: 30_000,
    });
    const mongo = await MongoClient.connect(inventory.app, {
      serverSelectionTimeoutMS: 10_000,
      socketTimeoutMS: 30_000,
    });
    // From here on: what earlier runs left in the topics is not read again.
    const log = await LogReader.fromNow(endpoints.kafka.bootstrapServers, [ORDER_EVENTS, INVENTORY_EVENTS]);
    return new RunningSystem(endpoints, postgres, mongo, log);
  }

  get documents() {
    return this.mongo.db();
  }

  putStock(sku: string, onHand: number): Promise<StockView> {
    return answered(`PUT /stock/${sku}`, [200], () => this.inventory.put(sku, onHand));
  }

  place(order: OrderRequest): Promise<OrderView> {
    const key = randomUUID();
    return answered('POST /orders', [201], () => this.orders.place(order, key));
  }

  order(id: string): Promise<OrderView> {
    return answered(`GET /orders/${id}`, [200], () => this.orders.get(id));
  }

  /** Cancels an order, or finds that it is too late for that. */
  cancel(id: string): Promise<unknown> {
    return answered(`POST /orders/${id}/cancel`, [200, 409], () => this.orders.cancel(id));
  }

  /** The records of both topics, since this was opened, whose key is wanted; partition by partition. */
  async events(wanted: (key: string) => boolean): Promise<LoggedEvent[]> {
    const records = await this.log.read();
    const ours = records.filter((record) => record.key !== null && wanted(record.key));
    return Promise.all(
      ours.map(async ({ topic, partition, offset, key, value, headers, timestamp }) => {
        if (value === null) throw new Error(`${topic} ${partition}@${offset}: a tombstone on an event topic`);
        const { name, event } = await this.#decoder.decode(value);
        return {
          topic,
          partition,
          offset,
          key: key as string,
          headers,
          at: timestamp,
          eventId: headers.id ?? '',
          type: name.split('.').at(-1) ?? name,
          event,
        };
      }),
    );
  }

  /** The broker that leads most partitions of a topic. */
  busiestBroker(topic: string): Promise<number> {
    return this.log.busiestBroker(topic);
  }

  async orderRow(id: string): Promise<unknown> {
    return (
      await this.postgres.query('select id, customer_id, status, total from orders where id = $1', [id])
    ).rows[0];
  }

  async historyRows(id: string): Promise<string> {
    const sql = 'select type, handled from order_history where order_id = $1 order by sequence';
    const { rows } = await this.postgres.query<{ type: string; handled: boolean }>(sql, [id]);
    return rows
      .map(({ type, handled }) => `${handled ? 'handled' : 'emitted'} ${type.split('.').at(-1)}`)
      .join(', ');
  }

  stockDocument(sku: string): Promise<unknown> {
    return this.documents.collection<{ _id: string }>('stock').findOne({ _id: sku });
  }

  reservationDocument(orderId: string): Promise<unknown> {
    const withoutLedger = { projection: { events: 0 } };
    return this.documents
      .collection<{ _id: string }>('reservations')
      .findOne({ _id: orderId }, withoutLedger);
  }

  /** The ids of the order's events that inventory-service has handled, in order. */
  async handledFor(orderId: string): Promise<string[]> {
    const reservations = this.documents.collection<ReservationLedger>('reservations');
    const { events = [] } = (await reservations.findOne({ _id: orderId })) ?? {};
    return events.filter(({ direction }) => direction === 'in').map(({ eventId }) => eventId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.postgres.end(), this.mongo.close(), this.log.close()]);
  }
}

/**
 * Asks as a good client does: again, for a minute at most, while nobody answers or the answer is the server's fault.
 * @throws Error when the answer's status is another than those expected
 */
async function answered<T>(call: string, expected: number[], send: () => Promise<Answer<T>>): Promise<T> {
  const answer = await eventually(`an answer to ${call}`, 60_000, async () => {
    const given = await send();
    if (given.status >= 500) throw new Error(`${given.status}: ${JSON.stringify(given.body)}`);
    return given;
  });
  if (expected.includes(answer.status)) return answer.body;
  throw new Error(`${call} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}
