import { type MessageContext, Subscribe } from '@millrace/messaging';
import { type AnyEventContract, OrderCancelled, OrderExpired, OrderPlaced } from '@millrace/schemas';
import { Injectable } from '@nestjs/common';
import { type Arrival, ReservationsService } from './reservations.service.js';

/** The events of other services that move stock. */
@Injectable()
export class ReservationEventsHandler {
  constructor(private readonly reservations: ReservationsService) {}

  @Subscribe(OrderPlaced)
  onOrderPlaced(event: OrderPlaced, context: MessageContext): Promise<void> {
    return this.reservations.place(event.orderId, event.lines, arrival(OrderPlaced, context));
  }

  @Subscribe(OrderCancelled)
  onOrderCancelled(event: OrderCancelled, context: MessageContext): Promise<void> {
    return this.reservations.close(event.orderId, arrival(OrderCancelled, context));
  }

  @Subscribe(OrderExpired)
  onOrderExpired(event: OrderExpired, context: MessageContext): Promise<void> {
    return this.reservations.close(event.orderId, arrival(OrderExpired, context));
  }
}

function arrival(contract: AnyEventContract, { eventId, topic, signal }: MessageContext): Arrival {
  return { eventId, topic, type: contract.name, signal };
}
