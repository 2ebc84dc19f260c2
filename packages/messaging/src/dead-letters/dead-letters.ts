import { deadLetterTopicOf } from '@millrace/schemas';
import type { KafkaConnection } from '../kafka/kafka-client.js';
import type { ConsumedRecord } from '../kafka/record-consumer.types.js';
import { RecordProducer } from '../kafka/record-producer.js';
import type { RecordPosition } from '../message-bus.js';
import { type DeadLetterCause, deadLetterHeaders } from './dead-letter-headers.js';

/**
 * Writes records that a group cannot handle to its dead-letter topic, so that the others flow: the exact bytes of key
 * and value, the headers that they had, and those of `deadLetterHeaders`. Records of one partition keep their order.
 * Close it.
 */
export class DeadLetters {
  readonly #producer: RecordProducer;

  constructor(
    connection: KafkaConnection,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.#producer = new RecordProducer(connection);
  }

  /**
   * Resolves when the record stands in the log, on all in-sync replicas. After a rejection it may stand there all the
   * same: written again, it is there twice, with the same coordinates.
   * @throws KafkaBusError
   */
  async write(record: ConsumedRecord, cause: DeadLetterCause): Promise<RecordPosition> {
    return this.#producer.appendRaw({
      topic: deadLetterTopicOf(cause.group).name,
      key: record.key,
      value: record.value,
      headers: deadLetterHeaders(record, cause, this.now()),
      // One that stands in no partition has none below 0 either.
      place: (partitions) => Math.max(0, record.partition) % partitions,
    });
  }

  /** Sends what was written so far, and disconnects. */
  close(): Promise<void> {
    return this.#producer.close();
  }
}
