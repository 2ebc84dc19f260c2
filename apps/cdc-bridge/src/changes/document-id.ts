import type { WriterSchemas } from '@millrace/messaging';
import type { BsonValue } from '../values/bson-value.js';
import { jsonToBson } from '../values/json-document.js';
import { decodeRecord, notAChange } from './record.decoder.js';

/**
 * The `_id` that the key of a document's record tells. Unlike the images, a key is in Extended JSON v2, relaxed: of a
 * number the value is told, and not always the type.
 * @throws CodecError for the key of another record; with `canRetry` while the registry is away
 * @throws SyntaxError where `id` is no JSON
 * @throws ValueFault for an `_id` that cannot be had from it
 */
export async function readDocumentId(key: Buffer, schemas: WriterSchemas): Promise<BsonValue> {
  const { fields, schemaId } = await decodeRecord(key, schemas);
  if (typeof fields.id !== 'string') throw notAChange(`schema ${schemaId}: a key without id`);
  return jsonToBson(fields.id, true);
}
