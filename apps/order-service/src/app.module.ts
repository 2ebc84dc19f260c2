import { MessagingModule } from '@millrace/messaging';
import { CONFIG } from '@millrace/service-defaults';
import { Module } from '@nestjs/common';
import { Database } from './database/database.repository.js';
import { PrismaModule } from './database/prisma.module.js';
import { OrderServiceHealth } from './health.js';
import { messagingOptions } from './messaging.options.js';
import { OrdersModule } from './orders/orders.module.js';

@Module({
  imports: [
    PrismaModule,
    MessagingModule.forRootAsync({
      imports: [PrismaModule],
      inject: [CONFIG, Database],
      useFactory: messagingOptions,
    }),
    OrdersModule,
  ],
  providers: [OrderServiceHealth],
})
export class AppModule {}
