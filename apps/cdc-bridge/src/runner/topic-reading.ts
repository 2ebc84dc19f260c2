import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConsumedRecord, type Log, RecordConsumer, type TopicOffsets } from '@millrace/messaging';

export interface TopicReadingOptions {
  readonly topic: string;
  /** What the name of its group begins with. */
  readonly group: string;
  readonly brokers: readonly string[];
  readonly offsets: Pick<TopicOffsets, 'ranges'>;
  readonly log: Log;
  /** Where a partition begins; undefined for its first record. */
  from(partition: number): Promise<bigint | undefined>;
  /** One at a time of each partition. After a rejection the record comes again, and some before it. */
  read(record: ConsumedRecord): Promise<void>;
}

const LIMITS = { records: 2_000, bytes: 8 * 1024 * 1024 };
const EVERY_MS = 50;

/** Reads a topic by a consumer that nobody shares, and of which nothing stays. */
export class TopicReading implements AsyncDisposable {
  readonly #consumer: RecordConsumer;
  /** The offset to be read next, by partition. */
  readonly #next = new Map<number, bigint>();

  constructor(private readonly options: TopicReadingOptions) {
    const { topic, group, brokers, log } = options;
    this.#consumer = new RecordConsumer({
      brokers,
      clientId: 'cdc-bridge',
      group: `${group}.${randomUUID()}`,
      commits: false,
      topics: [topic],
      log,
      limits: LIMITS,
      begin: (_, partition) => this.#begin(partition),
      handle: async ({ partition, records, next, signal }) => {
        for (const record of records) {
          signal.throwIfAborted();
          await this.options.read(record);
        }
        this.#next.set(partition, next);
      },
      onLost: async (_, partition, { low }) => {
        this.#next.set(partition, low);
        return low;
      },
    });
  }

  /**
   * Resolves when everything has been read that was in the topic at the call. It reads on until it is disposed of.
   * @throws the signal's reason; what `offsets` throws
   */
  async toEnd(signal: AbortSignal): Promise<void> {
    const { topic, offsets } = this.options;
    this.#consumer.start();
    const ranges = await offsets.ranges(topic);
    // Of a partition whose records have all expired nothing ever comes.
    const held = ranges.filter(({ low, high }) => low < high);
    const isRead = () => held.every(({ partition, high }) => (this.#next.get(partition) ?? -1n) >= high);
    while (!isRead()) {
      signal.throwIfAborted();
      await sleep(EVERY_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close();
  }

  async #begin(partition: number): Promise<bigint | 'earliest'> {
    const next = this.#next.get(partition) ?? (await this.options.from(partition));
    if (next !== undefined) this.#next.set(partition, next);
    return next ?? 'earliest';
  }
}
