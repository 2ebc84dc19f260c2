import type { AnyEventContract } from '@millrace/schemas';
import type { ModuleMetadata } from '@nestjs/common';
import type { InboxStore } from '../inbox/inbox-store.js';
import type { OutboxStore } from '../outbox/outbox-store.js';

export interface MessagingOptions {
  /** The service's consumer group, and its name as a Kafka client: one for all instances of a service. */
  readonly group: string;
  /** Bootstrap servers, `host:port`. */
  readonly brokers: readonly string[];
  /** The Schema Registry's Confluent API. */
  readonly registryUrl: string;
  /** What the service writes to its outbox. Their schemas' ids are looked up at start. */
  readonly publishes: readonly AnyEventContract[];
  /** What may be subscribed to. Default: every contract of `@millrace/schemas`. */
  readonly contracts?: readonly AnyEventContract[];
  /** Its rows are removed once their events are read back from the log. */
  readonly outbox?: OutboxStore;
  /** Its rows are removed once they are older than `inboxRetentionMs`. */
  readonly inbox?: InboxStore;
  /** At least the longest retention among the subscribed topics. Default: 8 days, for topics of 7. */
  readonly inboxRetentionMs?: number;
  /** A partition with lag that stood still for so long makes the service not ready. Default: 60 s. */
  readonly stalledAfterMs?: number;
  /** How long shutdown waits for the records in hand before it aborts their handlers. Default: 10 s. */
  readonly closeWithinMs?: number;
}

export interface MessagingAsyncOptions<Args extends unknown[] = never[]>
  extends Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` takes, in order. */
  readonly inject?: readonly InjectionToken[];
  readonly useFactory: (...args: Args) => MessagingOptions | Promise<MessagingOptions>;
}

type InjectionToken = NonNullable<import('@nestjs/common').FactoryProvider['inject']>[number];
