import type { KafkaMessage } from 'kafkajs';
import { unreadableReason } from './compression/unreadable-batch.js';
import type { ConsumedRecord, HeaderValue } from './record-consumer.types.js';

/** Records as they were fetched. Of a batch that could not be read, one stands for all. */
export function consumedRecords(
  topic: string,
  partition: number,
  messages: readonly KafkaMessage[],
): ConsumedRecord[] {
  const records: ConsumedRecord[] = [];
  for (const message of messages) {
    const unreadable = unreadableReason(message.headers);
    const offset = BigInt(message.offset);
    if (unreadable && records.at(-1)?.offset === offset) continue;
    records.push({
      topic,
      partition,
      offset,
      key: message.key,
      value: message.value,
      // KafkaJS types what it sends: what it has received are bytes.
      headers: unreadable ? {} : ((message.headers ?? {}) as Record<string, HeaderValue>),
      timestamp: new Date(Number(message.timestamp)),
      ...(unreadable && { unreadable }),
    });
  }
  return records;
}
