import type { StockRejected, StockReleased, StockReserved } from '@millrace/schemas';

/** What both databases and the log say of one run's orders, read after the dust has settled. */
export interface Books {
  /** Pieces that the run itself put on hand, by SKU. */
  readonly put: ReadonlyMap<string, number>;
  /** Postgres: the run's orders. */
  readonly orders: readonly BookedOrder[];
  /** MongoDB: the run's SKUs. */
  readonly stock: ReadonlyMap<string, { onHand: number; reserved: number; version: bigint }>;
  /** The ids that each service's database says it emitted and handled. */
  readonly ledgers: { readonly orders: Ledger; readonly inventory: Ledger };
  /** Both topics, the records whose key is one of the run's orders, in the order of their offsets. */
  readonly log: readonly LoggedEvent[];
}

export interface BookedOrder {
  readonly id: string;
  readonly status: string;
  readonly lines: readonly { sku: string; quantity: number }[];
}

export interface Ledger {
  readonly emitted: readonly string[];
  readonly handled: readonly string[];
}

export interface LoggedEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly eventId: string;
  /** Short record name: `OrderPlaced`. */
  readonly type: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly event: unknown;
  /** When the record was made. */
  readonly at: Date;
}

export type StockEvent =
  | { readonly type: 'StockReserved'; readonly event: StockReserved }
  | { readonly type: 'StockRejected'; readonly event: StockRejected }
  | { readonly type: 'StockReleased'; readonly event: StockReleased };
