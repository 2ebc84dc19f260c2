import type { EventContract } from '@millrace/schemas';
import type { Codec } from '../codec/index.js';
import { eventHeaders } from '../delivery/event-headers.js';
import { Faults } from '../delivery/faults.js';
import { recordHandling } from '../delivery/record-handling.js';
import { type Log, silentLog } from '../log.js';
import type {
  MessageBus,
  PublishOptions,
  RecordPosition,
  SubscribeOptions,
  Subscription,
} from '../message-bus.js';
import type { Backoff } from '../middleware/backoff.js';
import { MemoryGroup, MemoryMember } from './memory-group.js';
import { MemoryLog } from './memory-log.js';

export interface MemoryMessageBusOptions {
  readonly codec: Codec;
  readonly log?: Log;
  /** Of each topic. Default: 3. */
  readonly partitions?: number;
  readonly backoff?: Backoff;
  /** How long `close` waits for the records in hand before it aborts their handlers. Default: 1 s. */
  readonly closeWithinMs?: number;
}

/** The port within one process, for tests. Records go through the same codec and the same chain as on Kafka. */
export class MemoryMessageBus implements MessageBus {
  readonly #log: MemoryLog;
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #subscriptions = new Set<Subscription>();

  constructor(private readonly options: MemoryMessageBusOptions) {
    this.#log = new MemoryLog(options.partitions ?? 3);
  }

  async publish<T>(
    contract: EventContract<T>,
    event: NoInfer<T>,
    { eventId }: PublishOptions = {},
  ): Promise<RecordPosition> {
    return this.append(contract.topic, contract.key(event), this.options.codec.encode(contract, event), {
      ...eventHeaders(contract, eventId),
    });
  }

  /** Appends any bytes, as another program could: null is a tombstone. */
  append(
    topic: string,
    key: string,
    value: Buffer | null,
    headers: Readonly<Record<string, string>> = {},
  ): RecordPosition {
    return this.#log.append({ topic, key: Buffer.from(key), value, headers, timestamp: new Date() });
  }

  async subscribe({ group: name, handlers }: SubscribeOptions): Promise<Subscription> {
    const {
      codec,
      log = silentLog,
      backoff = { firstMs: 10, maxMs: 100 },
      closeWithinMs = 1_000,
    } = this.options;
    const group = this.#groups.get(name) ?? new MemoryGroup(name, this.#log);
    this.#groups.set(name, group);
    const faults = new Faults();
    const member = new MemoryMember({
      group,
      topics: [...new Set(handlers.map(({ contract }) => contract.topic))],
      deliver: recordHandling({ codec, handlers, backoff, faults, log }),
      closeWithinMs,
      output: log,
    });
    group.join(member);
    const subscription: Subscription = {
      reasons: () => faults.reasons(),
      close: async () => {
        if (this.#subscriptions.delete(subscription)) await member.close();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
  }
}
