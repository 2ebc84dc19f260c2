import { CONFIG, Readiness } from '@millrace/service-defaults';
import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Db, MongoClient } from 'mongodb';
import type { InventoryServiceConfig } from '../config.js';
import { DatabaseAwayInterceptor } from './database-away.interceptor.js';
import { createMongoClient } from './mongo-client.js';
import { Transactions } from './transactions.js';

const PING_TIMEOUT_MS = 1_000;

/** The inventory database: one client for the whole service, which the module closes last. */
@Global()
@Module({
  providers: [
    {
      provide: MongoClient,
      inject: [CONFIG],
      useFactory: (config: InventoryServiceConfig) =>
        createMongoClient(config.MONGODB_URL, 'inventory-service'),
    },
    { provide: Db, inject: [MongoClient], useFactory: (client: MongoClient) => client.db() },
    {
      provide: Transactions,
      inject: [MongoClient],
      useFactory: (client: MongoClient) => new Transactions(client),
    },
    { provide: APP_INTERCEPTOR, useClass: DatabaseAwayInterceptor },
  ],
  exports: [Db, Transactions],
})
export class MongoModule implements OnApplicationShutdown {
  constructor(
    @Inject(MongoClient) private readonly client: MongoClient,
    db: Db,
    readiness: Readiness,
  ) {
    readiness.register('database', async () => {
      await db.command({ ping: 1, maxTimeMS: PING_TIMEOUT_MS });
      return [];
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
