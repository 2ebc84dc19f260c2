import { randomUUID } from 'node:crypto';
import { type Admin, type Consumer, type EachBatchPayload, Kafka, logLevel } from 'kafkajs';
import { eventually } from './eventually.js';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

/** A record as it stands in the log. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: Date;
}

const READ_TIMEOUT_MS = 60_000;
const MAX_RECORDS = 1_000_000;

/**
 * The checkers' own reader of committed records, with nothing of the messaging package between. It keeps what it has
 * read, a million records at most, and begins anew with nothing when it is opened. Close it.
 */
export class LogReader {
  readonly #records: LogRecord[] = [];
  /** By partition, the offset that comes next. */
  readonly #positions = new Map<string, bigint>();

  private constructor(
    private readonly topics: readonly string[],
    private readonly consumer: Consumer,
    private readonly admin: Admin,
  ) {}

  /** Reads what is written from now on. */
  static async fromNow(bootstrapServers: readonly string[], topics: readonly string[]): Promise<LogReader> {
    return LogReader.#open(bootstrapServers, topics, ({ high }) => BigInt(high));
  }

  /** Reads everything that the topics still hold. */
  static async fromBeginning(
    bootstrapServers: readonly string[],
    topics: readonly string[],
  ): Promise<LogReader> {
    return LogReader.#open(bootstrapServers, topics, ({ low }) => BigInt(low));
  }

  /** Reads what was written after another reader stood at these positions. */
  static async after(
    bootstrapServers: readonly string[],
    topics: readonly string[],
    positions: ReadonlyMap<string, bigint>,
  ): Promise<LogReader> {
    return LogReader.#open(bootstrapServers, topics, ({ name, low }) => positions.get(name) ?? BigInt(low));
  }

  static async #open(
    bootstrapServers: readonly string[],
    topics: readonly string[],
    start: (bounds: { name: string; low: string; high: string }) => bigint,
  ): Promise<LogReader> {
    const kafka = new Kafka({
      clientId: 'log-reader',
      brokers: [...bootstrapServers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 30, initialRetryTime: 100, maxRetryTime: 2_000 },
    });
    const consumer = kafka.consumer({ groupId: `log-reader-${randomUUID()}`, maxWaitTimeInMs: 200 });
    const reader = new LogReader(topics, consumer, kafka.admin());
    try {
      await reader.#start(start);
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** Every record that was committed when this was called, and perhaps later ones; partition by partition. */
  async read(): Promise<readonly LogRecord[]> {
    const ends = await this.#bounds();
    await eventually(`the end of ${this.topics.join(', ')}`, READ_TIMEOUT_MS, () =>
      ends.every(({ name, high }) => (this.#positions.get(name) ?? 0n) >= BigInt(high)),
    );
    if (this.#records.length > MAX_RECORDS) throw new Error(`more than ${MAX_RECORDS} records to check`);
    return this.#records.toSorted(
      (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || (a.offset < b.offset ? -1 : 1),
    );
  }

  /** By topic and partition, the offset that it reads next. */
  get positions(): ReadonlyMap<string, bigint> {
    return new Map(this.#positions);
  }

  /** The id of the broker that leads most partitions of a topic. */
  async busiestBroker(topic: string): Promise<number> {
    const { topics } = await this.admin.fetchTopicMetadata({ topics: [topic] });
    const leaders = topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader));
    const led = (broker: number) => leaders.filter((leader) => leader === broker).length;
    return leaders.reduce((busiest, broker) => (led(broker) > led(busiest) ? broker : busiest));
  }

  async close(): Promise<void> {
    await Promise.all([this.consumer.disconnect(), this.admin.disconnect()]);
  }

  async #start(start: (bounds: { name: string; low: string; high: string }) => bigint): Promise<void> {
    const { consumer, admin, topics } = this;
    await Promise.all([consumer.connect(), admin.connect()]);
    const bounds = await this.#bounds();
    for (const bound of bounds) this.#positions.set(bound.name, start(bound));
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    // Also of batches that hold nothing but transaction markers.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
      this.#advance(`${topic}/${partition}`, BigInt(lastOffset) + 1n);
    });
    await consumer.run({ autoCommit: false, eachBatch: async (payload) => this.#take(payload) });
    for (const { topic, partition, name } of bounds)
      consumer.seek({ topic, partition, offset: String(this.#positions.get(name)) });
  }

  #take({ batch: { topic, partition, messages } }: EachBatchPayload): void {
    const name = `${topic}/${partition}`;
    for (const { offset, key, value, headers = {}, timestamp } of messages) {
      if (BigInt(offset) < (this.#positions.get(name) ?? 0n) || this.#records.length > MAX_RECORDS) continue;
      this.#records.push({
        topic,
        partition,
        offset: BigInt(offset),
        key: key?.toString('utf8') ?? null,
        value,
        headers: Object.fromEntries(
          Object.entries(headers).map(([header, text]) => [header, String(text ?? '')]),
        ),
        timestamp: new Date(Number(timestamp)),
      });
      this.#advance(name, BigInt(offset) + 1n);
    }
  }

  #advance(name: string, position: bigint): void {
    if (position > (this.#positions.get(name) ?? 0n)) this.#positions.set(name, position);
  }

  /** Asked again while an election goes on: KafkaJS does not. */
  async #bounds() {
    const byTopic = await Promise.all(
      this.topics.map(async (topic) => {
        const offsets = await eventually(`what ${topic} holds`, READ_TIMEOUT_MS, () =>
          this.admin.fetchTopicOffsets(topic),
        );
        return offsets.map(({ partition, low, high }) => {
          return { topic, partition, name: `${topic}/${partition}`, low, high };
        });
      }),
    );
    return byTopic.flat();
  }
}
