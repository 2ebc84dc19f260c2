import type { Admin, IHeaders, Kafka, KafkaJSError, Producer, RecordMetadata } from 'kafkajs';
import type { RecordPosition } from '../message-bus.js';
import { KafkaBusError } from './kafka.errors.js';
import { type KafkaConnection, kafkaClient, PRODUCE_TIMEOUT_MS } from './kafka-client.js';
import { partitionOf } from './partition-placement.js';
import { type Batch, SendQueue } from './send-queue.js';
import { topicMetadata } from './topic-metadata.js';

export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record as bytes, for what is no event: it may lack a key, or a value. */
export interface RawRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** KafkaJS writes none without a value. */
  readonly headers: Readonly<Record<string, string | Buffer | readonly Buffer[]>>;
  /** Which of so many partitions. */
  readonly place: (partitions: number) => number;
}

interface UnplacedRecord extends Omit<RawRecord, 'key' | 'place'> {
  readonly key: string | Buffer | null;
}

interface PlacedRecord extends UnplacedRecord {
  readonly partition: number;
  readonly bytes: number;
}

const LIMITS = { batchItems: 500, batchBytes: 512 * 1_024, queuedBytes: 16 * 1_024 * 1_024 };
/** A record's own bytes around key, value and headers, generously. */
const RECORD_OVERHEAD_BYTES = 64;
/** How long a topic's number of partitions is believed: as long as a Java producer does. */
const PARTITIONS_FOR_MS = 5 * 60_000;

/** Appends records, each on the partition where Connect puts its key; see `MessageBus.publish` for the promises. */
export class RecordProducer {
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #queue = new SendQueue<PlacedRecord, RecordPosition>((batch) => this.#send(batch), LIMITS);
  readonly #partitions = new Map<string, { readonly count: Promise<number>; readonly until: number }>();
  readonly #underWay = new Set<Promise<RecordPosition>>();
  #producer: Promise<Producer> | undefined;
  #connectedAdmin: Promise<void> | undefined;
  #closed = false;

  constructor(connection: KafkaConnection) {
    this.#kafka = kafkaClient(connection, { requestTimeout: PRODUCE_TIMEOUT_MS });
    this.#admin = this.#kafka.admin();
  }

  /** @throws KafkaBusError */
  async append(record: OutgoingRecord): Promise<RecordPosition> {
    if (this.#closed) throw new KafkaBusError('BUS_CLOSED', false, 'the message bus is closed');
    if (typeof record.key !== 'string' || record.key === '')
      throw new KafkaBusError(
        'KEY_MISSING',
        false,
        `a record for ${record.topic} has no key, which keeps its order`,
      );
    return this.#append(record, (partitions) => partitionOf(record.topic, record.key, partitions));
  }

  /**
   * Appends a record where it says, which is decided once: a repeated send cannot go elsewhere, and appear twice.
   * @throws KafkaBusError
   */
  async appendRaw({ place, ...record }: RawRecord): Promise<RecordPosition> {
    if (this.#closed) throw new KafkaBusError('BUS_CLOSED', false, 'the message bus is closed');
    return this.#append(record, place);
  }

  async #append(record: UnplacedRecord, place: RawRecord['place']): Promise<RecordPosition> {
    const appended = this.#partitionCount(record.topic).then((partitions) =>
      this.#queue.add({ ...record, partition: place(partitions), bytes: bytesOf(record) }),
    );
    this.#underWay.add(appended);
    return appended.finally(() => this.#underWay.delete(appended));
  }

  /** Sends what was appended so far, and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#discardProducer();
    await this.#admin.disconnect().catch(() => undefined);
  }

  #partitionCount(topic: string): Promise<number> {
    const known = this.#partitions.get(topic);
    if (known && Date.now() < known.until) return known.count;
    const count = this.#fetchPartitionCount(topic);
    this.#partitions.set(topic, { count, until: Date.now() + PARTITIONS_FOR_MS });
    count.catch(() => this.#partitions.delete(topic));
    return count;
  }

  async #fetchPartitionCount(topic: string): Promise<number> {
    try {
      this.#connectedAdmin ??= this.#admin.connect();
      await this.#connectedAdmin;
      const [metadata] = await topicMetadata(this.#admin, [topic]);
      return metadata?.partitions.length ?? 0;
    } catch (cause) {
      this.#connectedAdmin = undefined;
      throw failure(`cannot learn the partitions of ${topic}`, cause);
    }
  }

  /** One partition in one call: over several a send can resolve although a part of it was never written. */
  async #send({ topic, partition, items }: Batch<PlacedRecord>): Promise<readonly RecordPosition[]> {
    const messages = items.map(({ key, value, headers }) => ({
      key,
      value,
      headers: headers as IHeaders,
      partition,
    }));
    try {
      const producer = await this.#currentProducer();
      const metadata = await producer.send({ topic, messages, acks: -1, timeout: PRODUCE_TIMEOUT_MS });
      const first = confirmedOffset(metadata, topic, partition);
      return items.map((_, index) => ({ topic, partition, offset: first + BigInt(index) }));
    } catch (cause) {
      // Its sequence numbers are no longer the broker's: whatever it sent next could be taken for a repetition.
      await this.#discardProducer();
      throw cause instanceof KafkaBusError ? cause : failure(`cannot send to ${topic}/${partition}`, cause);
    }
  }

  #currentProducer(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = this.#kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        retry: { retries: 10, initialRetryTime: 100, maxRetryTime: 5_000 },
      });
      await producer.connect();
      return producer;
    })();
    return this.#producer;
  }

  async #discardProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}

function bytesOf({ key, value, headers }: UnplacedRecord): number {
  const parts = [key, value, ...Object.entries(headers).flat(2)];
  return parts.reduce<number>(
    (sum, part) => sum + (part === null ? 0 : Buffer.byteLength(part)),
    RECORD_OVERHEAD_BYTES,
  );
}

/** A resolved send is believed only for the partition that stands in its answer, without an error, with an offset. */
export function confirmedOffset(
  metadata: readonly RecordMetadata[],
  topic: string,
  partition: number,
): bigint {
  const answer = metadata.find((entry) => entry.topicName === topic && entry.partition === partition);
  if (answer?.errorCode !== 0 || answer.baseOffset === undefined || BigInt(answer.baseOffset) < 0n) {
    const told = JSON.stringify(metadata);
    throw new KafkaBusError('SEND_UNCONFIRMED', true, `no broker confirmed ${topic}/${partition}: ${told}`);
  }
  return BigInt(answer.baseOffset);
}

function failure(what: string, cause: unknown): KafkaBusError {
  const { name, retriable, message } = cause as Partial<KafkaJSError>;
  const canRetry = retriable !== false || name === 'KafkaJSNumberOfRetriesExceeded';
  return new KafkaBusError('SEND_FAILED', canRetry, `${what}: ${message}`, { cause });
}
