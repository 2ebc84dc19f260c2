import type { Collection, Db } from 'mongodb';
import { keyOf, rowHash, rowOfKey } from '../mapping/table.mapping.js';
import type { Key } from '../sinks/compaction.js';
import { byIds } from '../sinks/mongo.writes.js';
import type { BsonDocument } from '../values/bson-value.js';
import { canonicalText } from '../values/canonical.js';
import { pagesOf } from './mongo.pages.js';
import type { TargetRow, TargetRows } from './rows.js';

/** The documents of a pipeline's collection. */
export class MongoTargetRows implements TargetRows {
  readonly #collection: Collection;

  /** @param isKeyless whether documents are told by all their fields, because the source's rows have no key */
  constructor(
    db: Db,
    name: string,
    private readonly isKeyless: () => boolean,
  ) {
    this.#collection = db.collection(name);
  }

  async *all(signal: AbortSignal): AsyncGenerator<readonly TargetRow[]> {
    for await (const documents of pagesOf(this.#collection, signal)) yield documents.map(this.#row);
  }

  async read(keys: readonly Key[]): Promise<readonly TargetRow[]> {
    const found: TargetRow[] = [];
    const rows = this.isKeyless() ? new Set(keys.map(rowOfKey)) : undefined;
    const filter = rows ? {} : byIds(keys.map(({ fields }) => fields._id ?? null));
    for await (const documents of pagesOf(this.#collection, new AbortController().signal, filter)) {
      found.push(...documents.map(this.#row).filter(({ key }) => !rows || rows.has(rowOfKey(key))));
    }
    return found;
  }

  /** A document's hash is that of its fields as they are: one that was altered is another row. */
  readonly #row = (fields: BsonDocument): TargetRow => {
    const key = keyOf(fields._id ?? null);
    if (!this.isKeyless()) return { key, fields };
    const { _id, ...others } = fields;
    return { key: { ...key, text: `${rowHash(others)} ${canonicalText(_id)}` }, fields };
  };
}
