import type { RecordPosition } from '../message-bus.js';

/** A record as an adapter received it, before anyone looked into its value. */
export interface IncomingRecord extends RecordPosition {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: Date;
  /** Why the batch that held it could not be read, where that is so; key and value are then missing. */
  readonly unreadable?: Error;
}

/** One record on its way through the middleware chain to its handler. */
export interface Delivery {
  readonly record: IncomingRecord;
  readonly group: string;
  /** Aborted when the partition is lost or the time to shut down is over. */
  readonly signal: AbortSignal;
  /** Aborted when no further attempt is wanted: the one under way may finish. Comes no later than `signal`. */
  readonly stopping: AbortSignal;
}

/** Where a record ended. Never dropped: what is not one of these rejects. */
export type Outcome =
  | { readonly kind: 'handled'; readonly type: string }
  | { readonly kind: 'passed-over'; readonly why: 'tombstone' | 'not-subscribed' };

/** The record was left for whoever has the partition next. */
export class AbandonedError extends Error {
  constructor(position: RecordPosition) {
    super(`left ${describePosition(position)}`);
    this.name = 'AbandonedError';
  }
}

/** `order.events/3@42` */
export function describePosition({ topic, partition, offset }: RecordPosition): string {
  return `${topic}/${partition}@${offset}`;
}
