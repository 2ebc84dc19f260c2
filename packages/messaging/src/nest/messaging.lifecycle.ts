import { contracts } from '@millrace/schemas';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InboxPruner } from '../inbox/inbox-pruner.js';
import { KafkaMessageBus } from '../kafka/kafka.message-bus.js';
import { OutboxConfirmer } from '../kafka/outbox-confirmer.js';
import { outboxAgeMetric } from '../outbox/outbox-age.metric.js';
import { ConsumerHealth } from './consumer-health.js';
import type { MessagingOptions } from './messaging.options.js';
import { nestLog } from './nest-log.js';
import { ServiceCodec } from './service.codec.js';
import { SubscriptionExplorer } from './subscription.explorer.js';
import { CODEC, MESSAGING_OPTIONS } from './tokens.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Starts the consumers when every provider is there, and stops them before anything that their handlers use:
 * connections close in `onApplicationShutdown`, which comes after `beforeApplicationShutdown`.
 */
@Injectable()
export class MessagingLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log = nestLog('Messaging');
  #stops: (() => Promise<void>)[] = [];

  constructor(
    @Inject(MESSAGING_OPTIONS) private readonly options: MessagingOptions,
    @Inject(CODEC) private readonly codec: ServiceCodec,
    private readonly explorer: SubscriptionExplorer,
    private readonly health: ConsumerHealth,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const handlers = this.explorer.find(this.options.contracts ?? contracts);
    this.codec.start();
    this.health.watch(() => this.codec.reasons());
    this.#stops = [() => this.codec.stop()];
    if (handlers.length > 0) await this.#consume(handlers);
    this.#tendOutbox();
    this.#tendInbox();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
  }

  async #consume(handlers: ReturnType<SubscriptionExplorer['find']>): Promise<void> {
    const { group, brokers, stalledAfterMs, closeWithinMs } = this.options;
    const bus = new KafkaMessageBus({
      brokers,
      clientId: group,
      codec: this.codec,
      log: this.#log,
      ...(stalledAfterMs !== undefined && { stalledAfterMs }),
      ...(closeWithinMs !== undefined && { closeWithinMs }),
    });
    const subscription = await bus.subscribe({ group, handlers });
    this.health.watch(() => subscription.reasons());
    this.#stops.push(() => bus.close());
  }

  #tendOutbox(): void {
    const { group, brokers, publishes, outbox } = this.options;
    if (!outbox) return;
    outboxAgeMetric(outbox);
    const topics = [...new Set(publishes.map(({ topic }) => topic))];
    const clientId = `${group}.outbox-confirmer`;
    const confirmer = new OutboxConfirmer({
      brokers,
      clientId,
      log: this.#log,
      group,
      topics,
      store: outbox,
    });
    confirmer.start();
    this.#stops.push(() => confirmer.close());
  }

  #tendInbox(): void {
    const { inbox, inboxRetentionMs = 8 * DAY_MS } = this.options;
    if (!inbox) return;
    const pruner = new InboxPruner({ store: inbox, retentionMs: inboxRetentionMs, log: this.#log });
    pruner.start();
    this.#stops.push(() => pruner.close());
  }
}
