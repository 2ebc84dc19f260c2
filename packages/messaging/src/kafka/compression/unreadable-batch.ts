import { randomUUID } from 'node:crypto';
import type { IHeaders } from 'kafkajs';
import { KafkaBusError } from '../kafka.errors.js';

/** Of a record batch before its compressed records (https://kafka.apache.org/43/documentation.html#recordbatch). */
const BATCH_HEADER_BYTES = 61;
const LAST_OFFSET_DELTA_AT = 23;
const RECORD_COUNT_AT = 57;

/** No producer can know it: a header of this name comes from this process. */
const MARK = `unreadable-${randomUUID()}`;

export interface BatchHeader {
  readonly baseOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly records: number;
}

/**
 * The header of the batch that compressed records belong to. KafkaJS hands a codec nothing but those, as a view of the
 * fetched bytes: the header stands right before them.
 */
export function batchHeader(compressed: Buffer): BatchHeader {
  const header = Buffer.from(
    compressed.buffer,
    compressed.byteOffset - BATCH_HEADER_BYTES,
    BATCH_HEADER_BYTES,
  );
  return {
    baseOffset: header.readBigInt64BE(0),
    lastOffsetDelta: header.readInt32BE(LAST_OFFSET_DELTA_AT),
    records: header.readInt32BE(RECORD_COUNT_AT),
  };
}

/**
 * Stands in for the records of a batch that could not be decompressed. A codec that throws would end the whole
 * fetch, and with it every partition of the consumer; these records reach their own partition's handling, and fail
 * there. All have the batch's last offset, so that none lies before the offset that was asked for.
 */
export function unreadableRecords({ lastOffsetDelta, records }: BatchHeader, reason: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 0]), // attributes, timestamp delta
    varint(lastOffsetDelta),
    varint(-1), // no key
    varint(-1), // no value
    varint(1), // header
    lengthAndText(MARK),
    lengthAndText(reason.slice(0, 100)),
  ]);
  const record = Buffer.concat([varint(body.length), body]);
  return Buffer.concat(Array.from({ length: records }, () => record));
}

/** The failure that a record stands for, where its batch could not be read. */
export function unreadableReason(headers: IHeaders | undefined): KafkaBusError | undefined {
  const reason = headers?.[MARK];
  if (reason === undefined) return undefined;
  return new KafkaBusError(
    'BATCH_UNREADABLE',
    false,
    `the batch up to this offset cannot be read: ${reason}`,
  );
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length), bytes]);
}

/** Zigzag, then seven bits a byte, the low ones first. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
