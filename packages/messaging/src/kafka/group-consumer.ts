import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { PartitionWork } from '../delivery/partition-work.js';
import type { Log } from '../log.js';
import type { Deliver } from '../middleware/middleware.js';
import { settlesWithin } from '../settles-within.js';
import type { PartitionProgress } from './consumer-lag.js';
import {
  GRACE_MS,
  GroupMember,
  nameOf,
  type PartitionHandling,
  type TopicPartition,
} from './group-member.js';
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
const FETCH_WAIT_MS = 500;

/**
 * Hands a group's records to their handlers, one after another in each partition.
 *
 * Invariants:
 * - A partition has at most one batch in hand. While it has, KafkaJS is within `eachBatch` or the partition is paused.
 * - An offset is resolved, sought or committed only when every record before it is done.
 * - Work for a partition that was lost is aborted, and commits nothing more.
 */
export class GroupConsumer implements PartitionHandling {
  readonly #member: GroupMember;
  readonly #works = new Map<string, PartitionWork>();
  /** Also those of lost partitions, until their last handler has ended. */
  readonly #busy = new Set<Promise<void>>();
  #isClosing = false;

  constructor(private readonly options: GroupConsumerOptions) {
    this.#member = new GroupMember({ ...options, handling: this, fetchWaitMs: FETCH_WAIT_MS });
  }

  start(): void {
    this.#member.start();
  }

  reasons(): string[] {
    return this.#member.reasons();
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
    if (!(await settlesWithin(this.idle(), this.options.closeWithinMs))) {
      for (const work of this.#works.values()) work.abort('the time to shut down is over');
      await settlesWithin(this.idle(), GRACE_MS);
    }
    await this.#member.leave();
  }

  idle(): Promise<unknown> {
    return Promise.all(this.#busy);
  }

  loseAll(why: string): void {
    for (const work of this.#works.values()) work.abort(why);
    this.#works.clear();
  }

  assign(consumer: Consumer, partitions: readonly TopicPartition[]): void {
    const assigned = new Set(partitions.map(nameOf));
    for (const [name, work] of this.#works) {
      if (assigned.has(name)) continue;
      work.abort('the partition was given to another consumer of the group');
      this.#works.delete(name);
    }
    for (const { topic, partition } of partitions) this.#work(consumer, topic, partition);
  }

  passOver(partition: TopicPartition, { last }: { readonly last: string }): void {
    this.#works.get(nameOf(partition))?.passOver(BigInt(last) + 1n);
  }

  async eachBatch(consumer: Consumer, { batch, pause, resolveOffset }: EachBatchPayload): Promise<void> {
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

  #work(consumer: Consumer, topic: string, partition: number): PartitionWork {
    const { group, deliver, log } = this.options;
    const name = nameOf({ topic, partition });
    const existing = this.#works.get(name);
    if (existing) return existing;
    const commit = async (nextOffset: bigint): Promise<void> => {
      try {
        await consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
      } catch (error) {
        log.warn(`${name}@${nextOffset} is not committed; records will come again`, { err: error });
      }
    };
    const work = new PartitionWork({ topic, partition, group, deliver, commit, log });
    if (this.#isClosing) work.stop();
    this.#works.set(name, work);
    return work;
  }

  /** After a batch that went on beside the fetching: its partition is fetched again from where it came to. */
  #goOn(consumer: Consumer, work: PartitionWork, resume: () => void): void {
    const { topic, partition, position } = work;
    if (this.#isClosing) return;
    const isOurs = this.#works.get(nameOf(work)) === work;
    try {
      if (isOurs && position !== undefined) consumer.seek({ topic, partition, offset: String(position) });
      resume();
    } catch (error) {
      this.options.log.debug('the consumer ended before a partition went on', { err: error });
    }
  }
}
