import { type CodecError, MessageFormatError, type WriterSchemas } from '@millrace/messaging';
import type avsc from 'avsc';

/** A record's key or value and the schema that it was written with. */
export interface DecodedRecord {
  readonly schemaId: number;
  readonly schema: avsc.Type;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Confluent's wire format begins with a zero byte and the schema's id in four bytes. */
const HEADER_BYTES = 5;

/**
 * Reads Avro with the schema that it was written with.
 * @throws CodecError where it cannot be read; with `canRetry` while the registry is away
 */
export async function decodeRecord(bytes: Buffer, schemas: WriterSchemas): Promise<DecodedRecord> {
  if (bytes.length < HEADER_BYTES) {
    throw new MessageFormatError('MESSAGE_TOO_SHORT', `${bytes.length} bytes are too few for a change`);
  }
  if (bytes[0] !== 0) {
    throw new MessageFormatError('MESSAGE_MAGIC_BYTE', `the first byte is ${bytes[0]}, not 0`);
  }
  const schemaId = bytes.readUInt32BE(1);
  const schema = await schemas.find(schemaId);
  try {
    const fields = schema.fromBuffer(bytes.subarray(HEADER_BYTES)) as unknown;
    if (typeof fields !== 'object' || fields === null) throw new Error('no Avro record');
    return { schemaId, schema, fields: fields as DecodedRecord['fields'] };
  } catch (cause) {
    throw notAChange(`schema ${schemaId}: ${(cause as Error).message}`, cause);
  }
}

export function notAChange(why: string, cause?: unknown): CodecError {
  return new MessageFormatError('MESSAGE_BODY', `not a change of ${why}`, { cause });
}
