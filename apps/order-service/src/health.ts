import { ConsumerHealth } from '@millrace/messaging';
import { Readiness } from '@millrace/service-defaults';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from './database/database.repository.js';

/** What has to work before order-service is ready. */
@Injectable()
export class OrderServiceHealth implements OnModuleInit {
  constructor(
    private readonly readiness: Readiness,
    private readonly database: Database,
    private readonly consumers: ConsumerHealth,
  ) {}

  onModuleInit(): void {
    this.readiness.register('database', async () => {
      await this.database.ping();
      return [];
    });
    this.readiness.register('messaging', async () => this.consumers.reasons());
  }
}
