import { CODEC, type Codec, PostgresInbox, PostgresOutbox } from '@millrace/messaging';
import { Module } from '@nestjs/common';
import { PrismaModule } from '../database/prisma.module.js';
import { Clock } from './clock.js';
import { OrderEventsHandler } from './order-events.handler.js';
import { OrderExpiry } from './order-expiry.js';
import { OrderStatusListener } from './order-status.listener.js';
import { OrderStreamController } from './order-stream.controller.js';
import { OrderStreams } from './order-streams.js';
import { OrdersController } from './orders.controller.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [PrismaModule],
  controllers: [OrdersController, OrderStreamController],
  providers: [
    { provide: PostgresOutbox, inject: [CODEC], useFactory: (codec: Codec) => new PostgresOutbox(codec) },
    PostgresInbox,
    Clock,
    OrdersRepository,
    OrdersService,
    OrderEventsHandler,
    OrderExpiry,
    OrderStatusListener,
    OrderStreams,
  ],
})
export class OrdersModule {}
