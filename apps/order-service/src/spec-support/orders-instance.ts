import { type Codec, PostgresInbox, PostgresOutbox } from '@millrace/messaging';
import { Database } from '../database/database.repository.js';
import { createPrismaClient } from '../database/prisma.module.js';
import { Clock } from '../orders/clock.js';
import { OrdersRepository } from '../orders/orders.repository.js';
import { OrdersService } from '../orders/orders.service.js';

/** Bare Avro, without the registry's frame: what the outbox holds is the codec's own matter. */
export const bareCodec: Pick<Codec, 'encode'> = {
  encode: (contract, event) => contract.type.toBuffer(event),
};

/** The clock stands until it is set. */
export class StoppedClock extends Clock {
  time = new Date('2025-11-21T10:00:00.000Z');

  override now(): Date {
    return this.time;
  }
}

/** The part of one instance that reads and writes orders, with connections of its own. */
export class OrdersInstance implements AsyncDisposable {
  readonly prisma;
  readonly clock = new StoppedClock();
  readonly database: Database;
  readonly repository: OrdersRepository;
  readonly orders: OrdersService;

  constructor(url: string, outbox = new PostgresOutbox(bareCodec)) {
    this.prisma = createPrismaClient(url, 5);
    this.database = new Database(this.prisma);
    this.repository = new OrdersRepository(this.prisma);
    this.orders = new OrdersService(this.repository, outbox, new PostgresInbox(), this.clock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.prisma.$disconnect();
  }
}
