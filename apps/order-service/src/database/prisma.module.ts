import { CONFIG } from '@millrace/service-defaults';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import type { OrderServiceConfig } from '../config.js';
import { PrismaClient } from '../generated/prisma/client.js';
import { CONNECT_TIMEOUT_MS, connectionOptions } from './connection.js';
import { Database } from './database.repository.js';
import { statementName } from './statement-name.js';

const prismaClient = {
  provide: PrismaClient,
  inject: [CONFIG],
  useFactory: (config: OrderServiceConfig) =>
    createPrismaClient(config.DATABASE_URL, config.DATABASE_POOL_SIZE),
};

/** The one pool of connections to the orders database. It connects when first used. */
@Module({ providers: [prismaClient, Database], exports: [prismaClient, Database] })
export class PrismaModule implements OnApplicationShutdown {
  constructor(@Inject(PrismaClient) private readonly prisma: PrismaClient) {}

  async onApplicationShutdown(): Promise<void> {
    await this.prisma.$disconnect();
  }
}

/** @param poolSize the most connections at once; who finds none free waits as long as for a connection */
export function createPrismaClient(url: string, poolSize: number): PrismaClient {
  const pool = { ...connectionOptions(url), max: poolSize, idleTimeoutMillis: 30_000 };
  return new PrismaClient({
    adapter: new PrismaPg(pool, { statementNameGenerator: statementName }),
    transactionOptions: { maxWait: CONNECT_TIMEOUT_MS, timeout: 10_000 },
    errorFormat: 'minimal',
  });
}
