import { type AnyBulkWriteOperation, BSON, type Document, type Filter, MaxKey, MinKey } from 'mongodb';
import type { BsonValue } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import type { Key, Put, Removal } from './compaction.js';

/** MongoDB's bound for a document; mongodb.com/docs/manual/reference/limits. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/**
 * A key by value: a document as key is never read as a query. Any other stands bare, as MongoDB plans a query of its
 * own for each `$eq`.
 */
export function byKey({ fields: { _id } }: Key): Document {
  const isDocument =
    typeof _id === 'object' && _id !== null && !('_bsontype' in _id) && !(_id instanceof Date);
  return { _id: isDocument ? { $eq: _id } : _id };
}

/** Keys by value: within `$in` MongoDB would read a document of `$` fields as an operator, and refuse all of them. */
export function byIds(ids: readonly BsonValue[]): Filter<Document> {
  const { plain = [], dollar = [] } = Object.groupBy(ids, (id) => (hasDollar(id) ? 'dollar' : 'plain'));
  const within = { _id: { $in: plain as never[] } };
  return dollar.length === 0
    ? within
    : { $or: [within, ...dollar.map((id) => ({ _id: { $eq: id as never } }))] };
}

function hasDollar(id: BsonValue): boolean {
  return id !== null && typeof id === 'object' && Object.keys(id).some((name) => name.startsWith('$'));
}

export function deletion(key: Key): AnyBulkWriteOperation {
  return { deleteOne: { filter: byKey(key) } };
}

/** Deletes the first of the documents whose `_id` is `{row, at}`, at whichever position. */
export function removal({ row }: Removal): AnyBulkWriteOperation {
  const [first, last] = [new MinKey(), new MaxKey()].map((at) => ({ row, at }));
  return { deleteOne: { filter: { _id: { $gte: first, $lte: last } as Document } } };
}

/**
 * Puts a whole document in place of what is there.
 * @throws ValueFault for one over 16 MB
 */
export function replacement({ key, fields }: Put): AnyBulkWriteOperation {
  refuseOversize(key.text, fields);
  const filter = byKey(key);
  if (!Object.keys(fields).some((name) => name.startsWith('$'))) {
    return { replaceOne: { filter, replacement: fields, upsert: true } };
  }
  // A replacement may not have such names, and a stage of an update pipeline may.
  return { updateOne: { filter, update: [{ $replaceWith: { $literal: fields } }], upsert: true } };
}

/**
 * Sets a document's fields and leaves the rest as it is.
 * @throws ValueFault for fields over 16 MB
 */
export function patch({ key, fields }: Put): AnyBulkWriteOperation {
  refuseOversize(key.text, fields);
  const filter = byKey(key);
  const { _id, ...others } = fields;
  if (!Object.keys(others).some((name) => name.startsWith('$') || name.includes('.'))) {
    return { updateOne: { filter, update: { $set: others } } };
  }
  // To `$set` a dot would be a path.
  const stages = Object.entries(others).map(([name, value]) => ({
    $replaceWith: {
      $setField: { field: { $literal: name }, input: '$$ROOT', value: { $literal: value } },
    },
  }));
  return { updateOne: { filter, update: stages } };
}

/**
 * @param key how the document is known
 * @throws ValueFault for fields over 16 MB
 */
export function refuseOversize(key: string, fields: Document): void {
  const bytes = BSON.calculateObjectSize(fields);
  if (bytes > MAX_DOCUMENT_BYTES) throw new ValueFault(`the document ${key} has ${bytes} bytes, over 16 MB`);
}
