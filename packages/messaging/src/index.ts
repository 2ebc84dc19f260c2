export * from './codec/index.js';
export * from './connect/index.js';
export { DEAD_LETTER_HEADERS, type DeadLetterCause } from './dead-letters/dead-letter-headers.js';
export { DeadLetters } from './dead-letters/dead-letters.js';
export { InboxPruner } from './inbox/inbox-pruner.js';
export type { InboxStore } from './inbox/inbox-store.js';
export { expireMongoInbox, MongoInbox } from './inbox/mongo.inbox.js';
export { PostgresInbox, PostgresInboxStore } from './inbox/postgres.inbox.js';
export { type AppliedTopics, applyTopics } from './kafka/apply-topics.js';
export { checkTopics } from './kafka/check-topics.js';
export { KafkaBusError, type KafkaErrorCode } from './kafka/kafka.errors.js';
export { KafkaMessageBus, type KafkaMessageBusOptions } from './kafka/kafka.message-bus.js';
export { OutboxConfirmer, type OutboxConfirmerOptions } from './kafka/outbox-confirmer.js';
export { RecordConsumer } from './kafka/record-consumer.js';
export type {
  ConsumedPartition,
  ConsumedRecord,
  HeaderValue,
  LostPosition,
  RecordBatch,
  RecordConsumerOptions,
  StoredPosition,
} from './kafka/record-consumer.types.js';
export { PositionOutOfRange } from './kafka/starting-point.js';
export { type PartitionRange, TopicOffsets } from './kafka/topic-offsets.js';
export { type Log, silentLog } from './log.js';
export { MemoryMessageBus, type MemoryMessageBusOptions } from './memory/memory.message-bus.js';
export {
  type EventHandler,
  type Handler,
  handle,
  type MessageBus,
  type MessageContext,
  type PublishOptions,
  type RecordPosition,
  type SubscribeOptions,
  type Subscription,
} from './message-bus.js';
export { type Backoff, backoffMs } from './middleware/backoff.js';
export { ConsumerHealth } from './nest/consumer-health.js';
export { MessagingModule } from './nest/messaging.module.js';
export type { MessagingAsyncOptions, MessagingOptions } from './nest/messaging.options.js';
export { Subscribe } from './nest/subscribe.decorator.js';
export { CODEC } from './nest/tokens.js';
export { MongoOutbox, MongoOutboxStore } from './outbox/mongo.outbox.js';
export { outboxAgeMetric } from './outbox/outbox-age.metric.js';
export type { OutboxStore } from './outbox/outbox-store.js';
export { PostgresOutbox, PostgresOutboxStore } from './outbox/postgres.outbox.js';
export type { SqlExecutor, SqlQuery } from './sql.js';
