import { Module } from '@nestjs/common';
import { Clock } from '../clock.js';
import { StockController } from './stock.controller.js';
import { StockRepository } from './stock.repository.js';

@Module({
  controllers: [StockController],
  providers: [Clock, StockRepository],
  exports: [StockRepository],
})
export class StockModule {}
