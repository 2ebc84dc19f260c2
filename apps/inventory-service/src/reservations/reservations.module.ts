import { CODEC, type Codec, MongoInbox, MongoOutbox } from '@millrace/messaging';
import { Module } from '@nestjs/common';
import { Db } from 'mongodb';
import { Clock } from '../clock.js';
import { StockModule } from '../stock/stock.module.js';
import { ReservationEventsHandler } from './reservation-events.handler.js';
import { ReservationsController } from './reservations.controller.js';
import { ReservationsRepository } from './reservations.repository.js';
import { ReservationsService } from './reservations.service.js';

@Module({
  imports: [StockModule],
  controllers: [ReservationsController],
  providers: [
    Clock,
    { provide: MongoInbox, inject: [Db], useFactory: (db: Db) => new MongoInbox(db) },
    {
      provide: MongoOutbox,
      inject: [CODEC, Db],
      useFactory: (codec: Codec, db: Db) => new MongoOutbox(codec, db),
    },
    ReservationsRepository,
    ReservationsService,
    ReservationEventsHandler,
  ],
})
export class ReservationsModule {}
