import type { EventContract } from '@millrace/schemas';
import type { Kafka } from 'kafkajs';
import type { Codec } from '../codec/index.js';
import { eventHeaders } from '../delivery/event-headers.js';
import { Faults } from '../delivery/faults.js';
import { recordHandling } from '../delivery/record-handling.js';
import type {
  MessageBus,
  PublishOptions,
  RecordPosition,
  SubscribeOptions,
  Subscription,
} from '../message-bus.js';
import type { Backoff } from '../middleware/backoff.js';
import { ConsumerLag } from './consumer-lag.js';
import { GroupConsumer } from './group-consumer.js';
import { type KafkaConnection, kafkaClient } from './kafka-client.js';
import { RecordProducer } from './record-producer.js';

export interface KafkaMessageBusOptions extends KafkaConnection {
  readonly codec: Codec;
  /** The pause after a failed attempt. Default: from 100 ms, doubled up to 5 s. */
  readonly backoff?: Backoff;
  /** After so long without a heartbeat a member's partitions go to the others. Default: 10 s. */
  readonly sessionTimeoutMs?: number;
  /** How long `close` waits for the records in hand before it aborts their handlers. Default: 10 s. */
  readonly closeWithinMs?: number;
  /** A partition with lag that stood still for so long is a reason not to be ready. Default: 60 s. */
  readonly stalledAfterMs?: number;
  /** How often the brokers are asked for the lag. Default: 5 s. */
  readonly lagEveryMs?: number;
}

/** The port on KafkaJS. */
export class KafkaMessageBus implements MessageBus {
  readonly #kafka: Kafka;
  readonly #subscriptions = new Set<Subscription>();
  #producer: RecordProducer | undefined;

  constructor(private readonly options: KafkaMessageBusOptions) {
    this.#kafka = kafkaClient(options);
  }

  async publish<T>(
    contract: EventContract<T>,
    event: NoInfer<T>,
    options: PublishOptions = {},
  ): Promise<RecordPosition> {
    const value = this.options.codec.encode(contract, event);
    this.#producer ??= new RecordProducer(this.options);
    return this.#producer.append({
      topic: contract.topic,
      key: contract.key(event),
      value,
      headers: eventHeaders(contract, options.eventId),
    });
  }

  /** Resolves at once: the subscription joins its group beside, however long the brokers are away. */
  async subscribe({ group, handlers }: SubscribeOptions): Promise<Subscription> {
    const { codec, log, backoff = { firstMs: 100, maxMs: 5_000 } } = this.options;
    const topics = [...new Set(handlers.map(({ contract }) => contract.topic))];
    const faults = new Faults();
    const consumer = new GroupConsumer({
      kafka: this.#kafka,
      group,
      topics,
      deliver: recordHandling({ codec, handlers, backoff, faults, log }),
      sessionTimeoutMs: this.options.sessionTimeoutMs ?? 10_000,
      closeWithinMs: this.options.closeWithinMs ?? 10_000,
      log,
    });
    const lag = new ConsumerLag({
      group,
      topics,
      admin: this.#kafka.admin(),
      assigned: () => consumer.assigned(),
      everyMs: this.options.lagEveryMs ?? 5_000,
      stalledAfterMs: this.options.stalledAfterMs ?? 60_000,
      log,
    });
    consumer.start();
    lag.start();
    const subscription: Subscription = {
      reasons: () => [...consumer.reasons(), ...faults.reasons(), ...lag.reasons()],
      close: async () => {
        this.#subscriptions.delete(subscription);
        await consumer.close();
        await lag.close();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.#producer?.close();
  }
}
