import type { OrderStatus } from './order.state.js';

/** What an order's history says of one event, before it is written down. */
export interface EventNote {
  readonly eventId: string;
  /** Full name of the event's record, for example `millrace.orders.OrderPlaced`. */
  readonly type: string;
  /** False for the order's own events, true for those that it received. */
  readonly handled: boolean;
  /** Whether the order changed with it. Always so for its own events. */
  readonly changed: boolean;
}

/** A note as it stands in the database. */
export interface HistoryEntry extends EventNote {
  /** Grows from entry to entry of one order; not without gaps. */
  readonly sequence: bigint;
  /** The order's status after the event. */
  readonly status: OrderStatus;
  /** When it was written down, together with the change. */
  readonly at: Date;
}
