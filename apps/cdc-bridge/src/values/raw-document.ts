import { BSON, DBRef } from 'mongodb';
import { type BsonDocument, type BsonValue, setField, TYPED_READS } from './bson-value.js';

/** Read options of the MongoDB driver under which documents come as bytes, for `documentOf`. */
export const RAW_READS = { raw: true } as const;

/** Elements of the type string, by these names (bsonspec.org). */
const REFERENCE = Buffer.from('\x02$ref\0');
const DATABASE = Buffer.from('\x02$db\0');

/**
 * The document of its bytes, with typed values. One with `$ref` and `$id` is a document as any other, of which the
 * driver alone would make a DBRef; and where its `$ref` has a dot, one of another database.
 */
export function documentOf(bytes: Uint8Array): BsonDocument {
  const document = BSON.deserialize(bytes, TYPED_READS) as BsonDocument;
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return raw.includes(REFERENCE) ? (plain(document, raw.includes(DATABASE)) as BsonDocument) : document;
}

function plain(value: BsonValue | DBRef, hasDatabase: boolean): BsonValue {
  if (value instanceof DBRef) return referenceOf(value, hasDatabase);
  if (Array.isArray(value)) return value.map((item) => plain(item, hasDatabase));
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  const document: BsonDocument = {};
  for (const [name, item] of Object.entries(value)) setField(document, name, plain(item, hasDatabase));
  return document;
}

function referenceOf({ collection, oid, db, fields }: DBRef, hasDatabase: boolean): BsonDocument {
  const isSplit = db !== undefined && !hasDatabase;
  return {
    $ref: isSplit ? `${db}.${collection}` : collection,
    $id: plain(oid as unknown as BsonValue, hasDatabase),
    ...(db !== undefined && hasDatabase && { $db: db }),
    ...(plain(fields as BsonDocument, hasDatabase) as BsonDocument),
  };
}
