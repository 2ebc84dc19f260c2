import { BSON, type Collection, type Db, type Document, type Filter } from 'mongodb';
import type { CollectionMapping } from '../mapping/collection.mapping.js';
import type { Key, Put } from '../sinks/compaction.js';
import type { BsonDocument, BsonValue } from '../values/bson-value.js';
import { baseType } from '../values/postgres-type.js';
import { ValueFault } from '../values/value.fault.js';
import { idCandidates, type KeyPart, partsQuery } from './id-candidates.js';
import { pagesOf } from './mongo.pages.js';
import type { PostgresForm } from './postgres.form.js';
import type { OnUnmapped, SourceRows } from './rows.js';

/** The documents of a collection as the rows that they should be. */
export class MongoSourceRows implements SourceRows {
  readonly #collection: Collection;
  /** Whether an `_id` cannot be told by its key for certain: by parts of it, or by a document in no order. */
  readonly #isUncertain: boolean;

  constructor(
    db: Db,
    name: string,
    private readonly mapping: CollectionMapping,
    private readonly form: PostgresForm,
  ) {
    this.#collection = db.collection(name);
    this.#isUncertain = mapping.key.some(
      ({ path, column }) => path.length > 1 || baseType(column.type).name === 'jsonb',
    );
  }

  async *all(signal: AbortSignal, onUnmapped: OnUnmapped = () => {}): AsyncGenerator<readonly Put[]> {
    for await (const documents of pagesOf(this.#collection, signal)) {
      yield await this.form.of(documents.flatMap((document) => this.#put(document, onUnmapped)));
    }
  }

  /** Where an `_id` cannot be told by its key for certain and the likely ones are not there, goes through the whole collection. */
  async read(keys: readonly Key[]): Promise<readonly Put[]> {
    const wanted = new Map(keys.map((key) => [key.text, this.#partsOf(key)]));
    const found = await this.#find([...wanted.values()].flatMap(idCandidates), wanted);
    for (const { key } of found) wanted.delete(key.text);
    if (wanted.size > 0 && this.#isUncertain) {
      found.push(...(await this.#find(await this.#search(wanted), wanted)));
    }
    return this.form.of(found);
  }

  async #find(ids: readonly BsonValue[], wanted: ReadonlyMap<string, unknown>): Promise<Put[]> {
    const found: Put[] = [];
    const filter: Filter<Document> = { _id: { $in: ids as never[] } };
    for await (const documents of pagesOf(this.#collection, new AbortController().signal, filter)) {
      found.push(...documents.flatMap((document) => this.#put(document)));
    }
    return found.filter(({ key }) => wanted.has(key.text));
  }

  /** One `_id` for each of the keys that has any: its fields may stand in any order, and among others. */
  async #search(wanted: ReadonlyMap<string, readonly KeyPart[]>): Promise<BsonValue[]> {
    const found = new Map<string, BsonValue>();
    const query = partsQuery([...wanted.values()]);
    const onlyIds = { projection: { _id: 1 } };
    for await (const documents of pagesOf(this.#collection, new AbortController().signal, query, onlyIds)) {
      for (const { _id = null } of documents) {
        const text = this.#keyTextOf(_id);
        if (text !== undefined && wanted.has(text)) found.set(text, _id);
      }
    }
    return [...found.values()];
  }

  #partsOf({ fields }: Key): KeyPart[] {
    return this.mapping.key.map(({ column, path }) => ({ path, value: fields[column.name] ?? null }));
  }

  #keyTextOf(id: BsonValue): string | undefined {
    try {
      return this.mapping.keyOf(id).text;
    } catch (error) {
      if (error instanceof ValueFault) return undefined;
      throw error;
    }
  }

  /** None for a document that the filter holds back, nor for one whose `_id` can be no key of the table. */
  #put(document: BsonDocument, onUnmapped: OnUnmapped = () => {}): Put[] {
    if (!this.mapping.matches(document)) return [];
    try {
      return [this.mapping.put(document)];
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      onUnmapped(BSON.EJSON.stringify({ _id: document._id }, { relaxed: false }), error);
      return [];
    }
  }
}
