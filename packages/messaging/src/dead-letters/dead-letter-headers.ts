import type { ConsumedRecord, HeaderValue } from '../kafka/record-consumer.types.js';

/** Why a record ends in a dead-letter topic. */
export interface DeadLetterCause {
  /** The consumer group that could not handle it. */
  readonly group: string;
  /** A stable code to branch on, and a text for a person. */
  readonly reason: { readonly code: string; readonly text: string };
}

/** What a dead letter's headers say, in UTF-8, beside those that the record had. */
export const DEAD_LETTER_HEADERS = {
  /** Where the record stood. */
  topic: 'dlq.topic',
  partition: 'dlq.partition',
  offset: 'dlq.offset',
  /** The record's timestamp, and when it was given up: ISO 8601, UTC. */
  timestamp: 'dlq.timestamp',
  at: 'dlq.at',
  group: 'dlq.group',
  code: 'dlq.reason.code',
  text: 'dlq.reason.text',
} as const;

const MAX_CODE_CHARACTERS = 100;
const MAX_TEXT_CHARACTERS = 2_000;

/**
 * Of a record that was a dead letter before, those of the last time. A header that had no value has an empty one: the
 * client cannot write it otherwise.
 */
export function deadLetterHeaders(
  { topic, partition, offset, timestamp, headers }: ConsumedRecord,
  { group, reason }: DeadLetterCause,
  at: Date,
): Record<string, string | Buffer | readonly Buffer[]> {
  return {
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, withValue(value)])),
    [DEAD_LETTER_HEADERS.topic]: topic,
    [DEAD_LETTER_HEADERS.partition]: String(partition),
    [DEAD_LETTER_HEADERS.offset]: String(offset),
    [DEAD_LETTER_HEADERS.timestamp]: instant(timestamp),
    [DEAD_LETTER_HEADERS.at]: instant(at),
    [DEAD_LETTER_HEADERS.group]: group,
    [DEAD_LETTER_HEADERS.code]: bounded(reason.code, MAX_CODE_CHARACTERS),
    [DEAD_LETTER_HEADERS.text]: bounded(reason.text, MAX_TEXT_CHARACTERS),
  };
}

const EMPTY = Buffer.alloc(0);

function withValue(value: HeaderValue): Buffer | readonly Buffer[] {
  return Array.isArray(value) ? value.map((one) => one ?? EMPTY) : ((value as Buffer | null) ?? EMPTY);
}

/** A producer may have set any number. */
function instant(time: Date): string {
  return Number.isNaN(time.getTime()) ? 'unknown' : time.toISOString();
}

function bounded(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}
