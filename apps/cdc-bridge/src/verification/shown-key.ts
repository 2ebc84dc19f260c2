import { Binary, BSON } from 'mongodb';
import type { Key } from '../sinks/compaction.js';

/** A key as a person knows it: a document's `_id` in relaxed Extended JSON, a uuid as such; a row's key by its texts. */
export function shownKey({ text, fields }: Key): string {
  const id = fields._id;
  if (id === undefined) return text;
  if (id instanceof Binary && id.sub_type === Binary.SUBTYPE_UUID)
    return JSON.stringify(id.toUUID().toString());
  return BSON.EJSON.stringify(id);
}
