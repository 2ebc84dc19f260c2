import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Log } from '../log.js';
import { backoffMs } from '../middleware/backoff.js';
import { settlesWithin } from '../settles-within.js';
import { GroupMembership } from './group-membership.js';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What is done with the partitions that a member has. */
export interface PartitionHandling {
  /** Told after every join, and when a group that was silent answers again: all that the member has now. */
  assign(consumer: Consumer, partitions: readonly TopicPartition[]): void;
  /** Every partition may be another member's from now on. */
  loseAll(why: string): void;
  eachBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void>;
  /** A fetch held no record for anyone: transaction markers, aborted records. */
  passOver(
    partition: TopicPartition,
    offsets: { readonly first: string | null; readonly last: string },
  ): void;
  /** Resolves when nothing runs any more for partitions that were lost. */
  idle(): Promise<unknown>;
}

export interface GroupMemberOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  readonly handling: PartitionHandling;
  readonly sessionTimeoutMs: number;
  /** Longest wait of an empty fetch; also what a partition that was paused may wait to be fetched again. */
  readonly fetchWaitMs: number;
  readonly partitionBytes?: number;
  readonly log: Log;
}

/** For handlers that were told to abort, and for the brokers to hear that the member leaves. */
export const GRACE_MS = 2_000;
const LEAVE_MS = 5_000;
const FETCH_BYTES = 5 * 1_024 * 1_024;
/** More partitions at a time than a consumer is likely to have. */
const CONCURRENT_PARTITIONS = 64;
const WATCH_MS = 500;
const REJOIN_MS = 30_000;
const REBUILD = { firstMs: 500, maxMs: 10_000 };

/**
 * A member of a consumer group: one KafkaJS consumer after another. KafkaJS gives up for good on some errors and
 * restarts for ever on others: here each of its crashes ends that consumer, and a new one is built after a growing,
 * bounded pause (the states stand in `GroupMembership`). A consumer that has not heard from its group for three
 * sessions is taken for crashed too.
 */
export class GroupMember {
  readonly #membership: GroupMembership;
  readonly #closed = new AbortController();
  #partitions: readonly TopicPartition[] = [];
  #life: Promise<void> | undefined;

  constructor(private readonly options: GroupMemberOptions) {
    this.#membership = new GroupMembership(options.group, options.sessionTimeoutMs);
  }

  start(): void {
    this.#life ??= this.#live();
  }

  reasons(): string[] {
    return this.#membership.reasons();
  }

  async leave(): Promise<void> {
    this.#closed.abort();
    await this.#life;
    this.#membership.closed();
  }

  async #live(): Promise<void> {
    const { log, group, handling } = this.options;
    for (let crashes = 1; !this.#closed.signal.aborted; crashes++) {
      const crash = await this.#consume(() => {
        crashes = 0;
      });
      if (this.#closed.signal.aborted) return;
      this.#membership.crashed(crash);
      handling.loseAll('the consumer crashed');
      const pauseMs = backoffMs(REBUILD, Math.max(1, crashes));
      log.error(`consumer group ${group}: the consumer crashed; a new one is built`, { err: crash, pauseMs });
      await sleep(pauseMs, undefined, { signal: this.#closed.signal }).catch(() => undefined);
      await settlesWithin(handling.idle(), GRACE_MS);
      this.#membership.joining();
    }
  }

  /** One consumer's life, until it crashes (resolves with the cause) or this is closed. */
  async #consume(onJoined: () => void): Promise<unknown> {
    const { kafka, group, topics, sessionTimeoutMs, fetchWaitMs, partitionBytes } = this.options;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 5),
      rebalanceTimeout: REJOIN_MS,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytes: FETCH_BYTES,
      ...(partitionBytes && { maxBytesPerPartition: partitionBytes }),
      allowAutoTopicCreation: false,
    });
    const ended = new AbortController();
    const end = new Promise<unknown>((resolve) => {
      this.#listen(consumer, onJoined, resolve);
      const watch = setInterval(() => this.#watch(resolve), WATCH_MS);
      ended.signal.addEventListener('abort', () => clearInterval(watch));
      if (this.#closed.signal.aborted) resolve(undefined);
      this.#closed.signal.addEventListener('abort', () => resolve(undefined), { signal: ended.signal });
    });
    const running = this.#run(consumer, [...topics]);
    try {
      return await Promise.race([end, running.then(() => end)]);
    } catch (error) {
      return error;
    } finally {
      ended.abort();
      // A consumer that is still joining would go on after `disconnect`: it is let in, and leaves then.
      const left = running.catch(() => undefined).then(() => consumer.disconnect());
      await settlesWithin(left, LEAVE_MS);
    }
  }

  async #run(consumer: Consumer, topics: string[]): Promise<void> {
    await consumer.connect();
    // Also where a group's offset is out of range: from the earliest record, never skipping to the latest.
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (payload) => this.options.handling.eachBatch(consumer, payload),
    });
  }

  #listen(consumer: Consumer, onJoined: () => void, crashed: (cause: unknown) => void): void {
    const { events } = consumer;
    const { handling } = this.options;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#partitions = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      handling.assign(consumer, this.#partitions);
      this.#membership.joined();
      onJoined();
    });
    consumer.on(events.HEARTBEAT, () => {
      const wasSilent = this.#membership.state === 'silent';
      this.#membership.heard();
      if (wasSilent) handling.assign(consumer, this.#partitions);
    });
    consumer.on(events.REBALANCING, () => this.#membership.rebalancing());
    consumer.on(events.CRASH, ({ payload }) => crashed(payload.error));
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      const { batchSize, firstOffset: first, lastOffset: last } = payload;
      if (batchSize === 0) handling.passOver(payload, { first, last });
    });
  }

  #watch(crashed: (cause: unknown) => void): void {
    if (this.#membership.fellSilent())
      this.options.handling.loseAll('no heartbeat was answered for a session: the partition may be lost');
    if (this.#membership.silentForMs() > 3 * this.options.sessionTimeoutMs + REJOIN_MS)
      crashed(new Error('nothing was heard from the group'));
  }
}

/** `order.events/3` */
export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
