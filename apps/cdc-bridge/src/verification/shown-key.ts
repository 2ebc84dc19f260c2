import { Binary, BSON } from 'mongodb';
import type { Key } from '../sinks/compaction.js';

const { EJSON } = BSON;
/** From 16 digits on a double may not hold it. */
const LONG = /"\$numberLong":"-?\d{16,}"/;

/** A key as a person knows it: a document's `_id` in Extended JSON, a uuid as such; a row's key by its texts. */
export function shownKey({ text, fields }: Key): string {
  const { _id: id, ...others } = fields;
  if (id === undefined || Object.keys(others).length > 0) return text;
  if (id instanceof Binary && id.sub_type === Binary.SUBTYPE_UUID && id.length() === 16)
    return JSON.stringify(id.toUUID().toString());
  try {
    const exact = EJSON.stringify(id, { relaxed: false });
    return LONG.test(exact) ? exact : EJSON.stringify(id);
  } catch {
    return text; // a document with a field `_bsontype` of its own
  }
}
