import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { IncomingRecord } from '../delivery/delivery.js';
import { unreadableReason } from './compression/unreadable-batch.js';

export function incomingRecord(topic: string, partition: number, message: KafkaMessage): IncomingRecord {
  const unreadable = unreadableReason(message.headers);
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    headers: unreadable ? {} : textHeaders(message.headers),
    timestamp: new Date(Number(message.timestamp)),
    ...(unreadable && { unreadable }),
  };
}

/** As UTF-8; of a header that occurs several times, the last. */
export function textHeaders(headers: IHeaders = {}): Record<string, string> {
  const text = Object.entries(headers).map(([name, value]) => {
    const last = Array.isArray(value) ? value.at(-1) : value;
    return [name, last?.toString() ?? ''] as const;
  });
  return Object.fromEntries(text);
}
