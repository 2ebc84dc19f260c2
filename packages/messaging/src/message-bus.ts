import type { EventContract } from '@millrace/schemas';

/** The port: events go out, and come in to handlers. Every adapter runs `message-bus.contract.ts`. */
export interface MessageBus {
  /**
   * Appends one event to its contract's topic; resolves when all in-sync replicas have it. Events published one after
   * another under one key keep their order. A rejected call may or may not have appended: publish again under the
   * same id, and consumers see one effect.
   *
   * For tools and tests. A service publishes by writing an outbox row in its own transaction: only then do the
   * event and the change that it tells of happen both or not at all.
   */
  publish<T>(
    contract: EventContract<T>,
    event: NoInfer<T>,
    options?: PublishOptions,
  ): Promise<RecordPosition>;

  /**
   * Hands each record of the subscribed topics to its handler, at least once, from the topic's beginning when the
   * group is new.
   * - Records of one partition come one at a time, in order; partitions do not wait for one another.
   * - A record is done when its handler resolved. A handler that rejects, whatever the error, gets the same record
   *   again after a growing, bounded pause; the partition goes no further meanwhile, and `reasons()` says so.
   * - Tombstones, and events that no handler is subscribed to, are passed over and counted.
   * - Consumers of one group share the partitions. After one of them dies, records may come again: handlers claim
   *   the event id in the inbox, in the transaction of their effect.
   */
  subscribe(options: SubscribeOptions): Promise<Subscription>;

  /** Closes the subscriptions, sends what is queued, and disconnects. */
  close(): Promise<void>;
}

export interface PublishOptions {
  /** Names the event for inboxes. Default: a new UUID. */
  readonly eventId?: string;
}

export interface RecordPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface SubscribeOptions {
  readonly group: string;
  /** At most one handler for each contract. */
  readonly handlers: readonly EventHandler[];
}

/** A contract with its handler: see `handle`, which checks that they fit. */
export interface EventHandler {
  readonly contract: EventContract<never>;
  readonly handler: Handler<never>;
}

/** @throws nothing that stops a subscription: see `MessageBus.subscribe`. */
export type Handler<T> = (event: T, context: MessageContext) => Promise<void>;

export interface MessageContext extends RecordPosition {
  /** Opaque. The same for every delivery of one event. */
  readonly eventId: string;
  readonly key: string | null;
  readonly timestamp: Date;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the partition is lost or the time to shut down is over: another consumer may have the record. */
  readonly signal: AbortSignal;
}

export interface Subscription {
  /** Why this consumer is not ready, one sentence each; none when it is. */
  reasons(): string[];
  /** Finishes the records in hand within a bound, commits, and leaves the group. */
  close(): Promise<void>;
}

/** Pairs a contract with a handler of its event. */
export function handle<T>(contract: EventContract<T>, handler: Handler<NoInfer<T>>): EventHandler {
  return { contract, handler } as unknown as EventHandler;
}
