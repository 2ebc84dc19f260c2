import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { PartitionWork } from '../delivery/partition-work.js';
import type { Log } from '../log.js';
import { backoffMs } from '../middleware/backoff.js';
import type { Deliver } from '../middleware/middleware.js';
import { settlesWithin } from '../settles-within.js';
import type { PartitionProgress } from './consumer-lag.js';
import { GroupMembership } from './group-membership.js';
import { incomingRecord } from './incoming-record.js';

export interface GroupConsumerOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  readonly deliver: Deliver;
  readonly sessionTimeoutMs: number;
  readonly closeWithinMs: number;
  readonly log: Log;
}

/**
 * A batch may hold up the fetching of its broker's other partitions for so long; then it goes on beside it, with its
 * own partition paused. So a slow or failing record stops neither the others nor the heartbeats, which KafkaJS sends
 * between fetches.
 */
const IN_PLACE_MS = 250;
/** Longest wait of an empty fetch; also what a partition that was paused may wait to be fetched again. */
const FETCH_WAIT_MS = 500;
const FETCH_BYTES = 5 * 1_024 * 1_024;
/** More partitions at a time than a consumer is likely to have. */
const CONCURRENT_PARTITIONS = 64;
/** For handlers that were told to abort, and for the brokers to hear that the member leaves. */
const GRACE_MS = 2_000;
const LEAVE_MS = 5_000;
const WATCH_MS = 500;
const REJOIN_MS = 30_000;
const REBUILD = { firstMs: 500, maxMs: 10_000 };

/**
 * Consumes with one KafkaJS consumer after another. KafkaJS gives up for good on some errors and restarts for ever
 * on others: here each of its crashes ends that consumer, and a new one is built after a growing, bounded pause (the
 * states stand in `GroupMembership`). A consumer that has not heard from its group for three sessions is taken for
 * crashed too.
 *
 * Invariants:
 * - A partition has at most one batch in hand. While it has, KafkaJS is within `eachBatch` or the partition is paused.
 * - An offset is resolved, sought or committed only when every record before it is done.
 * - Work for a partition that was lost is aborted, and commits nothing more.
 */
export class GroupConsumer {
  readonly #membership: GroupMembership;
  readonly #works = new Map<string, PartitionWork>();
  /** Also those of lost partitions, until their last handler has ended. */
  readonly #busy = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  #isClosing = false;
  #life: Promise<void> | undefined;

  constructor(private readonly options: GroupConsumerOptions) {
    this.#membership = new GroupMembership(options.group, options.sessionTimeoutMs);
  }

  start(): void {
    this.#life ??= this.#live();
  }

  reasons(): string[] {
    return this.#membership.reasons();
  }

  assigned(): PartitionProgress[] {
    return [...this.#works.values()].map(({ topic, partition, position }) => ({
      topic,
      partition,
      position,
    }));
  }

  /** Finishes the records in hand within the bound, commits, leaves the group. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const work of this.#works.values()) work.stop();
    const inHand = Promise.all(this.#busy);
    if (!(await settlesWithin(inHand, this.options.closeWithinMs))) {
      this.#abortAll('the time to shut down is over');
      await settlesWithin(inHand, GRACE_MS);
    }
    this.#closed.abort();
    await this.#life;
    this.#membership.closed();
  }

  async #live(): Promise<void> {
    const { log, group } = this.options;
    for (let crashes = 1; !this.#closed.signal.aborted; crashes++) {
      const crash = await this.#consume(() => {
        crashes = 0;
      });
      if (this.#closed.signal.aborted) return;
      this.#membership.crashed(crash);
      this.#abortAll('the consumer crashed');
      this.#works.clear();
      const pauseMs = backoffMs(REBUILD, Math.max(1, crashes));
      log.error(`consumer group ${group}: the consumer crashed; a new one is built`, { err: crash, pauseMs });
      await sleep(pauseMs, undefined, { signal: this.#closed.signal }).catch(() => undefined);
      await settlesWithin(Promise.all(this.#busy), GRACE_MS);
      this.#membership.joining();
    }
  }

  /** One consumer's life, until it crashes (resolves with the cause) or this is closed. */
  async #consume(onJoined: () => void): Promise<unknown> {
    const { kafka, group, topics, sessionTimeoutMs } = this.options;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 5),
      rebalanceTimeout: REJOIN_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES,
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
      eachBatch: (payload) => this.#eachBatch(consumer, payload),
    });
  }

  #listen(consumer: Consumer, onJoined: () => void, crashed: (cause: unknown) => void): void {
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#assign(consumer, payload.memberAssignment);
      this.#membership.joined();
      onJoined();
    });
    consumer.on(events.HEARTBEAT, () => this.#membership.heard());
    consumer.on(events.REBALANCING, () => this.#membership.rebalancing());
    consumer.on(events.CRASH, ({ payload }) => crashed(payload.error));
    consumer.on(events.END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      if (batchSize === 0) this.#works.get(nameOf(topic, partition))?.passOver(BigInt(lastOffset) + 1n);
    });
  }

  #watch(crashed: (cause: unknown) => void): void {
    if (this.#membership.fellSilent()) {
      this.#abortAll('no heartbeat was answered for a session: the partition may be lost');
      this.#works.clear();
    }
    if (this.#membership.silentForMs() > 3 * this.options.sessionTimeoutMs + REJOIN_MS)
      crashed(new Error('nothing was heard from the group'));
  }

  #assign(consumer: Consumer, assignment: Readonly<Record<string, number[]>>): void {
    const assigned = new Set(
      Object.entries(assignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => nameOf(topic, partition)),
      ),
    );
    for (const [name, work] of this.#works) {
      if (assigned.has(name)) continue;
      work.abort('the partition was given to another consumer of the group');
      this.#works.delete(name);
    }
    for (const [topic, partitions] of Object.entries(assignment))
      for (const partition of partitions) this.#work(consumer, topic, partition);
  }

  #work(consumer: Consumer, topic: string, partition: number): PartitionWork {
    const { group, deliver, log } = this.options;
    const existing = this.#works.get(nameOf(topic, partition));
    if (existing) return existing;
    const commit = async (nextOffset: bigint): Promise<void> => {
      try {
        await consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
      } catch (error) {
        log.warn(`${nameOf(topic, partition)}@${nextOffset} is not committed; records will come again`, {
          err: error,
        });
      }
    };
    const work = new PartitionWork({ topic, partition, group, deliver, commit, log });
    if (this.#isClosing) work.stop();
    this.#works.set(nameOf(topic, partition), work);
    return work;
  }

  async #eachBatch(consumer: Consumer, { batch, pause, resolveOffset }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const work = this.#work(consumer, topic, partition);
    const records = batch.messages.map((message) => incomingRecord(topic, partition, message));
    const done = work.handle(records, BigInt(batch.lastOffset()) + 1n);
    this.#busy.add(done);
    void done.finally(() => this.#busy.delete(done));
    if (await settlesWithin(done, IN_PLACE_MS)) {
      if (work.position !== undefined) resolveOffset(String(work.position - 1n));
      if (this.#isClosing) pause();
      return;
    }
    const resume = pause();
    void done.then(() => this.#goOn(consumer, work, resume));
  }

  /** After a batch that went on beside the fetching: its partition is fetched again from where it came to. */
  #goOn(consumer: Consumer, work: PartitionWork, resume: () => void): void {
    const { topic, partition, position } = work;
    if (this.#isClosing) return;
    const isOurs = this.#works.get(nameOf(topic, partition)) === work;
    try {
      if (isOurs && position !== undefined) consumer.seek({ topic, partition, offset: String(position) });
      resume();
    } catch (error) {
      this.options.log.debug('the consumer ended before a partition went on', { err: error });
    }
  }

  #abortAll(why: string): void {
    for (const work of this.#works.values()) work.abort(why);
  }
}

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
