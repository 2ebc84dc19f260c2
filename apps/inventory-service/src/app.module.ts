import { ConsumerHealth, MessagingModule, MongoOutboxStore } from '@millrace/messaging';
import { StockRejected, StockReleased, StockReserved } from '@millrace/schemas';
import { CONFIG, Readiness } from '@millrace/service-defaults';
import { Module } from '@nestjs/common';
import { Db } from 'mongodb';
import type { InventoryServiceConfig } from './config.js';
import { MongoModule } from './mongo/mongo.module.js';
import { ReservationsModule } from './reservations/reservations.module.js';
import { StockModule } from './stock/stock.module.js';

@Module({
  imports: [
    MongoModule,
    MessagingModule.forRootAsync({
      inject: [CONFIG, Db],
      useFactory: (config: InventoryServiceConfig, db: Db) => ({
        group: 'inventory-service',
        brokers: config.KAFKA_BROKERS,
        registryUrl: config.SCHEMA_REGISTRY_URL,
        publishes: [StockReserved, StockRejected, StockReleased],
        outbox: new MongoOutboxStore(db),
        // Requests may take three quarters of the time to shut down; the database's connections close after this.
        closeWithinMs: config.SHUTDOWN_TIMEOUT_MS / 5,
      }),
    }),
    StockModule,
    ReservationsModule,
  ],
})
export class AppModule {
  constructor(readiness: Readiness, consumers: ConsumerHealth) {
    readiness.register('messaging', async () => consumers.reasons());
  }
}
