import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { settlesWithin } from '../settles-within.js';
import { KafkaBusError } from './kafka.errors.js';
import { type KafkaConnection, kafkaClient } from './kafka-client.js';

/** What a partition holds: offsets from `low`, and before `high`; records of open transactions not counted. */
export interface PartitionRange {
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

const ANSWER_MS = 15_000;
const PAUSE_MS = 500;
const DISCONNECT_MS = 2_000;

/** Asks the brokers what topics hold. Close it. */
export class TopicOffsets {
  readonly #kafka: Kafka;
  #admin: Promise<Admin> | undefined;
  #isClosed = false;

  constructor(connection: KafkaConnection) {
    this.#kafka = kafkaClient(connection);
  }

  /**
   * By partition, in order.
   * @throws KafkaBusError of code OFFSETS_UNKNOWN when no answer came within 15 s, or there is no such topic
   */
  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    const until = performance.now() + ANSWER_MS;
    for (;;) {
      if (this.#isClosed) throw new KafkaBusError('BUS_CLOSED', false, 'the connection is closed');
      try {
        return await this.#ask(topic, until - performance.now());
      } catch (cause) {
        // KafkaJS retries none of an election's errors here, and a client whose connect failed stays failed.
        await this.#disconnect();
        if (performance.now() + PAUSE_MS < until) await sleep(PAUSE_MS);
        else throw unknown(topic, cause);
      }
    }
  }

  /** Of one partition. @throws KafkaBusError as `ranges`, also where there is no such partition */
  async range(topic: string, partition: number): Promise<PartitionRange> {
    const range = (await this.ranges(topic)).find((entry) => entry.partition === partition);
    if (!range) throw unknown(topic, new Error(`it has no partition ${partition}`));
    return range;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#disconnect();
  }

  async #ask(topic: string, withinMs: number): Promise<PartitionRange[]> {
    const answer = this.#connected().then((admin) => admin.fetchTopicOffsets(topic));
    if (!(await settlesWithin(answer, withinMs))) throw new Error(`no answer within ${ANSWER_MS} ms`);
    return (await answer)
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  #connected(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    })();
    return this.#admin;
  }

  async #disconnect(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    if (admin)
      await settlesWithin(
        admin.then((connected) => connected.disconnect()),
        DISCONNECT_MS,
      );
  }
}

function unknown(topic: string, cause: unknown): KafkaBusError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new KafkaBusError('OFFSETS_UNKNOWN', true, `what ${topic} holds is not known: ${text}`, { cause });
}
