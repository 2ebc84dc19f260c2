import { RequestHeader } from '@millrace/service-defaults';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { type OrderRequest } from './order.js';
import {
  historyView,
  idempotencyKey,
  type ListQuery,
  listQuery,
  orderId,
  orderRequest,
  ordersView,
  orderView,
} from './order.schemas.js';
import {
  type HistoryView,
  type OrdersView,
  type OrderView,
  viewHistory,
  viewOrder,
  viewOrders,
} from './order.views.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly repository: OrdersRepository,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Place an order' })
  @ApiCreatedResponse({ standardSchema: orderView, description: 'The order as it was placed' })
  @ApiUnprocessableEntityResponse({ description: 'The Idempotency-Key was used with another body' })
  async place(
    @Body({ schema: orderRequest }) request: OrderRequest,
    @RequestHeader('Idempotency-Key', idempotencyKey) key: string,
  ): Promise<OrderView> {
    return viewOrder(await this.orders.place(request, key));
  }

  @Get()
  @ApiOperation({ summary: 'List orders, newest first' })
  @ApiOkResponse({ standardSchema: ordersView })
  async list(@Query({ schema: listQuery }) { status, cursor, limit }: ListQuery): Promise<OrdersView> {
    return viewOrders(await this.repository.list({ status, after: cursor, limit: limit + 1 }), limit);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an order' })
  @ApiOkResponse({ standardSchema: orderView })
  @ApiNotFoundResponse({ description: 'No such order' })
  async get(@Param('id', { schema: orderId }) id: string): Promise<OrderView> {
    return viewOrder(await this.orders.get(id));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel an order that is placed or confirmed' })
  @ApiOkResponse({ standardSchema: orderView })
  @ApiNotFoundResponse({ description: 'No such order' })
  @ApiConflictResponse({ description: 'The order is in another status' })
  async cancel(@Param('id', { schema: orderId }) id: string): Promise<OrderView> {
    return viewOrder(await this.orders.cancel(id));
  }

  @Get(':id/history')
  @ApiOperation({ summary: 'What happened to an order: its own events and those that it received' })
  @ApiOkResponse({ standardSchema: historyView })
  @ApiNotFoundResponse({ description: 'No such order' })
  async history(@Param('id', { schema: orderId }) id: string): Promise<HistoryView> {
    return viewHistory(await this.orders.history(id));
  }
}
