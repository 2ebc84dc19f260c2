import { ConsumerHealth, MessagingModule } from '@millrace/messaging';
import { CONFIG, Readiness } from '@millrace/service-defaults';
import { Module } from '@nestjs/common';
import { Db } from 'mongodb';
import { messagingOptions } from './messaging.options.js';
import { MongoModule } from './mongo/mongo.module.js';
import { ReservationsModule } from './reservations/reservations.module.js';
import { StockModule } from './stock/stock.module.js';

@Module({
  imports: [
    MongoModule,
    MessagingModule.forRootAsync({
      inject: [CONFIG, Db],
      useFactory: messagingOptions,
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
