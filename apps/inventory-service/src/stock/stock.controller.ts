import { ProblemException } from '@millrace/service-defaults';
import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Clock } from '../clock.js';
import {
  type ListStock,
  listStock,
  type PutStock,
  putStock,
  type StockPage,
  type StockView,
  sku as skuSchema,
  stockPage,
  stockView,
  toStockView,
} from './stock.api.js';
import { decodeCursor, encodeCursor } from './stock.cursor.js';
import { StockRepository } from './stock.repository.js';

@ApiTags('stock')
@Controller('stock')
export class StockController {
  constructor(
    private readonly stock: StockRepository,
    private readonly clock: Clock,
  ) {}

  @Put(':sku')
  @ApiOperation({ summary: 'Set the pieces on hand; a SKU that is new begins with this' })
  @ApiOkResponse({ standardSchema: stockView })
  @ApiConflictResponse({ description: 'More pieces are reserved than would be on hand' })
  async put(
    @Param('sku', { schema: skuSchema }) sku: string,
    @Body({ schema: putStock }) { onHand }: PutStock,
  ): Promise<StockView> {
    const { done, level } = await this.stock.setOnHand(sku, onHand, this.clock.now());
    if (!done) {
      throw new ProblemException({
        status: 409,
        code: 'STOCK_BELOW_RESERVED',
        detail: `${level.reserved} pieces of ${sku} are reserved: onHand cannot be ${onHand}`,
      });
    }
    return toStockView(level);
  }

  @Get(':sku')
  @ApiOperation({ summary: 'How a SKU stands' })
  @ApiOkResponse({ standardSchema: stockView })
  @ApiNotFoundResponse({ description: 'No such SKU' })
  async get(@Param('sku', { schema: skuSchema }) sku: string): Promise<StockView> {
    const level = await this.stock.find(sku);
    if (!level) {
      throw new ProblemException({ status: 404, code: 'SKU_UNKNOWN', detail: `there is no SKU ${sku}` });
    }
    return toStockView(level);
  }

  @Get()
  @ApiOperation({ summary: 'All SKUs, in order, page by page' })
  @ApiOkResponse({ standardSchema: stockPage })
  async list(@Query({ schema: listStock }) { cursor, limit }: ListStock): Promise<StockPage> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const levels = await this.stock.list(after, limit + 1);
    const items = levels.slice(0, limit).map(toStockView);
    const last = items.at(-1);
    return { items, nextCursor: last && levels.length > limit ? encodeCursor(last.sku) : null };
  }
}
