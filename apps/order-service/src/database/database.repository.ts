import type { SqlExecutor, SqlQuery } from '@millrace/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '../generated/prisma/client.js';
import { reached } from './database-errors.js';

/** Single statements outside any transaction, for the upkeep of outbox and inbox. */
@Injectable()
export class Database {
  constructor(@Inject(PrismaClient) private readonly prisma: PrismaClient) {}

  readonly execute: SqlExecutor = (sql, params) => reached(this.prisma.$executeRawUnsafe(sql, ...params));

  readonly query: SqlQuery = (sql, params) => reached(this.prisma.$queryRawUnsafe(sql, ...params));

  /** Resolves when the database answers. */
  async ping(): Promise<void> {
    await this.query('SELECT 1', []);
  }
}
