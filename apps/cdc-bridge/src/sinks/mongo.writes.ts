import { type AnyBulkWriteOperation, BSON, type Document } from 'mongodb';
import { ValueFault } from '../values/value.fault.js';
import type { Key, Put } from './compaction.js';

/** MongoDB's bound for a document; mongodb.com/docs/manual/reference/limits. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** A key by value: a document as key is never read as a query. */
export function byKey({ fields }: Key): Document {
  return { _id: { $eq: fields._id } };
}

export function deletion(key: Key): AnyBulkWriteOperation {
  return { deleteOne: { filter: byKey(key) } };
}

/**
 * Puts a whole document in place of what is there.
 * @throws ValueFault for one over 16 MB
 */
export function replacement({ key, fields }: Put): AnyBulkWriteOperation {
  refuseOversize(key, fields);
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
  refuseOversize(key, fields);
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

function refuseOversize({ text }: Key, fields: Document): void {
  const bytes = BSON.calculateObjectSize(fields);
  if (bytes > MAX_DOCUMENT_BYTES) throw new ValueFault(`the document ${text} has ${bytes} bytes, over 16 MB`);
}
