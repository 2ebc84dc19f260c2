import type { Consumer, EachBatchPayload } from 'kafkajs';
import { settlesWithin } from '../settles-within.js';
import { consumedRecords } from './consumed-records.js';
import {
  GRACE_MS,
  GroupMember,
  nameOf,
  type PartitionHandling,
  type TopicPartition,
} from './group-member.js';
import { kafkaClient } from './kafka-client.js';
import { type Fetching, PartitionReader } from './partition-reader.js';
import { PositionChecks } from './position-checks.js';
import type { ConsumedPartition, RecordConsumerOptions } from './record-consumer.types.js';
import { TopicOffsets } from './topic-offsets.js';

const DEFAULTS = {
  sessionTimeoutMs: 10_000,
  closeWithinMs: 10_000,
  checkEveryMs: 5_000,
  commits: true,
  backoff: { firstMs: 100, maxMs: 10_000 },
};
const FETCH_WAIT_MS = 200;
const MAX_PARTITION_BYTES = 1_024 * 1_024;

/**
 * Reads the raw, committed records of topics as a member of a consumer group, from positions that the caller keeps,
 * and hands them on in batches: one at a time of each partition, in order, partitions beside one another. What comes
 * next is fetched meanwhile, within the limits. See `RecordConsumerOptions` for what the caller is asked and told.
 */
export class RecordConsumer {
  readonly #options: RecordConsumerOptions & typeof DEFAULTS;
  readonly #member: GroupMember;
  readonly #offsets: TopicOffsets;
  readonly #checks: PositionChecks;
  readonly #readers = new Map<string, PartitionReader>();
  /** Those of lost partitions too, until they have nothing in hand. */
  readonly #ends = new Map<string, Promise<void>>();
  #isClosing = false;

  constructor(options: RecordConsumerOptions) {
    this.#options = { ...options, ...withDefaults(options) };
    const { group, topics, limits, sessionTimeoutMs, log } = this.#options;
    this.#offsets = new TopicOffsets(options);
    this.#member = new GroupMember({
      kafka: kafkaClient(options),
      group,
      topics,
      handling: this.#handling(),
      sessionTimeoutMs,
      fetchWaitMs: FETCH_WAIT_MS,
      partitionBytes: Math.min(limits.bytes, MAX_PARTITION_BYTES),
      log,
    });
    this.#checks = new PositionChecks({
      offsets: this.#offsets,
      readers: () => [...this.#readers.values()],
      everyMs: this.#options.checkEveryMs,
      log,
    });
  }

  start(): void {
    this.#member.start();
    this.#checks.start();
  }

  /** The partitions that this member has, and how far it is in them. */
  assigned(): ConsumedPartition[] {
    return [...this.#readers.values()].map(({ progress }) => progress);
  }

  /** Why this consumer is not ready, one sentence each; none when it is. */
  reasons(): string[] {
    const faults = [...this.#readers.values()].map(({ fault }) => fault);
    return [...this.#member.reasons(), ...faults.filter((fault) => fault !== undefined)];
  }

  /** Finishes the batches in hand within the bound, commits, leaves the group. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const reader of this.#readers.values()) reader.stop();
    if (!(await settlesWithin(this.#idle(), this.#options.closeWithinMs))) {
      for (const reader of this.#readers.values()) reader.abort('the time to shut down is over');
      await settlesWithin(this.#idle(), GRACE_MS);
    }
    await this.#checks.close();
    await this.#member.leave();
    await this.#offsets.close();
  }

  #handling(): PartitionHandling {
    return {
      assign: (consumer, partitions) => this.#assignAll(consumer, partitions),
      loseAll: (why) => this.#loseAll(why),
      eachBatch: (consumer, payload) => this.#eachBatch(consumer, payload),
      passOver: (partition, offsets) => this.#passOver(partition, offsets),
      idle: () => this.#idle(),
    };
  }

  #idle(): Promise<unknown> {
    return Promise.all(this.#ends.values());
  }

  #loseAll(why: string): void {
    for (const reader of this.#readers.values()) reader.abort(why);
    this.#readers.clear();
    this.#checks.committer = undefined;
  }

  #assignAll(consumer: Consumer, partitions: readonly TopicPartition[]): void {
    const assigned = new Set(partitions.map(nameOf));
    for (const [name, reader] of this.#readers) {
      if (assigned.has(name)) continue;
      reader.abort('the partition was given to another consumer of the group');
      this.#readers.delete(name);
    }
    for (const partition of partitions) this.#assign(consumer, partition);
    if (this.#options.commits) this.#checks.committer = consumer;
  }

  #passOver(partition: TopicPartition, { first, last }: { first: string | null; last: string }): void {
    const from = BigInt(first ?? last);
    this.#readers.get(nameOf(partition))?.receive(from, { records: [], next: BigInt(last) + 1n });
  }

  async #eachBatch(consumer: Consumer, { batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = batch;
    const reader = this.#readers.get(nameOf({ topic, partition }));
    if (!reader) {
      fetching(consumer, batch).pause();
      return;
    }
    const from = BigInt((batch as typeof batch & { readonly fetchedOffset: string }).fetchedOffset);
    const last = batch.lastOffset();
    const fetched = { records: consumedRecords(topic, partition, messages), next: BigInt(last) + 1n };
    if (!reader.receive(from, fetched, BigInt(batch.highWatermark))) return;
    resolveOffset(last);
    await reader.room();
  }

  #assign(consumer: Consumer, { topic, partition }: TopicPartition): void {
    const name = nameOf({ topic, partition });
    const existing = this.#readers.get(name);
    if (existing || this.#isClosing) {
      existing?.beginAgain();
      return;
    }
    const options = {
      ...this.#options,
      topic,
      partition,
      fetching: fetching(consumer, { topic, partition }),
      range: () => this.#offsets.range(topic, partition),
    };
    const reader = new PartitionReader(options, this.#ends.get(name));
    this.#readers.set(name, reader);
    const end = reader.ended.finally(() => {
      if (this.#ends.get(name) === end) this.#ends.delete(name);
    });
    this.#ends.set(name, end);
  }
}

function fetching(consumer: Consumer, { topic, partition }: TopicPartition): Fetching {
  const attempt = (change: () => void) => {
    try {
      change();
    } catch {
      // That consumer has ended: the partition is lost with it.
    }
  };
  const partitions = [{ topic, partitions: [partition] }];
  return {
    seek: (offset) => attempt(() => consumer.seek({ topic, partition, offset: String(offset) })),
    pause: () => attempt(() => consumer.pause(partitions)),
    resume: () => attempt(() => consumer.resume(partitions)),
  };
}

function withDefaults(options: RecordConsumerOptions): typeof DEFAULTS {
  return {
    sessionTimeoutMs: options.sessionTimeoutMs ?? DEFAULTS.sessionTimeoutMs,
    closeWithinMs: options.closeWithinMs ?? DEFAULTS.closeWithinMs,
    checkEveryMs: options.checkEveryMs ?? DEFAULTS.checkEveryMs,
    commits: options.commits ?? DEFAULTS.commits,
    backoff: options.backoff ?? DEFAULTS.backoff,
  };
}
