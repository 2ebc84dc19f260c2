import { type MessageContext, Subscribe } from '@millrace/messaging';
import { type AnyEventContract, StockRejected, StockReleased, StockReserved } from '@millrace/schemas';
import { Injectable } from '@nestjs/common';
import { describeShortages } from './order.decision.js';
import { OrdersService, type ReceivedEvent } from './orders.service.js';

/** What order-service listens to. */
@Injectable()
export class OrderEventsHandler {
  constructor(private readonly orders: OrdersService) {}

  @Subscribe(StockReserved)
  async onStockReserved(event: StockReserved, context: MessageContext): Promise<void> {
    await this.orders.receive(received(StockReserved, event, context), { trigger: 'stockReserved' });
  }

  @Subscribe(StockRejected)
  async onStockRejected(event: StockRejected, context: MessageContext): Promise<void> {
    const reason = describeShortages(event);
    await this.orders.receive(received(StockRejected, event, context), { trigger: 'stockRejected', reason });
  }

  /** Stock released is the answer to a cancelled or expired order: it goes into the history, and changes nothing. */
  @Subscribe(StockReleased)
  async onStockReleased(event: StockReleased, context: MessageContext): Promise<void> {
    await this.orders.receive(received(StockReleased, event, context));
  }
}

function received(
  contract: AnyEventContract,
  { orderId }: { readonly orderId: string },
  { eventId, topic }: MessageContext,
): ReceivedEvent {
  return { eventId, topic, type: contract.name, orderId };
}
