import { BSON, type Collection, type Db } from 'mongodb';
import type { CollectionMapping } from '../mapping/collection.mapping.js';
import type { Key, Put } from '../sinks/compaction.js';
import { byIds } from '../sinks/mongo.writes.js';
import type { BsonDocument, BsonValue } from '../values/bson-value.js';
import { baseType } from '../values/postgres-type.js';
import { unlessFault, ValueFault } from '../values/value.fault.js';
import { hasSpellings, idCandidates, type KeyPart, partsQuery } from './id-candidates.js';
import { pagesOf } from './mongo.pages.js';
import type { PostgresForm } from './postgres.form.js';
import type { OnUnmapped, SourceRows } from './rows.js';

/** The documents of a collection as the rows that they should be. */
export class MongoSourceRows implements SourceRows {
  readonly #collection: Collection;
  readonly #keyForm: PostgresForm;
  /** Whether an `_id` may spell its key otherwise than Postgres prints it. */
  readonly #hasSpellings: boolean;
  /** Whether an `_id` cannot be told by its key for certain: by parts of it, or by a document in no order. */
  readonly #isUncertain: boolean;

  constructor(
    db: Db,
    name: string,
    private readonly mapping: CollectionMapping,
    private readonly form: PostgresForm,
  ) {
    this.#collection = db.collection(name);
    this.#keyForm = form.ofKeys();
    this.#hasSpellings = mapping.key.some(({ column }) => hasSpellings(column.type));
    this.#isUncertain =
      this.#hasSpellings ||
      mapping.key.some(({ path, column }) => path.length > 1 || baseType(column.type).name === 'jsonb');
  }

  async *all(signal: AbortSignal, onUnmapped: OnUnmapped = () => {}): AsyncGenerator<readonly Put[]> {
    for await (const documents of pagesOf(this.#collection, signal)) {
      yield await this.#formed(documents.flatMap((document) => this.#put(document, onUnmapped)));
    }
  }

  /**
   * Each under the key that it was asked by, as `_id` spells it or as Postgres prints it. Where an `_id` cannot be told by
   * its key for certain and the likely ones are not there, goes through the whole collection.
   */
  async read(keys: readonly Key[]): Promise<readonly Put[]> {
    const wanted = new Map(keys.map((key) => [key.text, this.#partsOf(key)]));
    const found = await this.#find([...wanted.values()].flatMap(idCandidates), wanted);
    for (const { key } of found) wanted.delete(key.text);
    if (wanted.size > 0 && this.#isUncertain) {
      found.push(...(await this.#find(await this.#search(wanted), wanted)));
    }
    return found;
  }

  async #find(ids: readonly BsonValue[], wanted: ReadonlyMap<string, unknown>): Promise<Put[]> {
    const found: Put[] = [];
    const signal = new AbortController().signal;
    for await (const documents of pagesOf(this.#collection, signal, byIds(ids))) {
      const puts = documents.flatMap((document) => this.#put(document));
      for (const [i, put] of (await this.#formed(puts)).entries()) {
        const text = askedAs(wanted, puts[i], put);
        if (text !== undefined) found.push({ ...put, key: { ...put.key, text } });
      }
    }
    return found;
  }

  /** As Postgres prints them; of what has a fault at least the key. */
  async #formed(puts: readonly Put[]): Promise<readonly Put[]> {
    const formed = await this.form.of(puts);
    if (!this.#hasSpellings || !formed.some(({ fault }) => fault)) return formed;
    const keys = await this.#keyForm.of(puts);
    return formed.map((put, i) => {
      const key = keys[i];
      return put.fault && key && !key.fault ? { ...put, key: key.key } : put;
    });
  }

  /** One `_id` for each of the keys that has any: its fields may stand in any order, and among others. */
  async #search(wanted: ReadonlyMap<string, readonly KeyPart[]>): Promise<BsonValue[]> {
    const found = new Map<string, BsonValue>();
    const query = partsQuery([...wanted.values()]);
    const onlyIds = { projection: { _id: 1 } };
    for await (const documents of pagesOf(this.#collection, new AbortController().signal, query, onlyIds)) {
      const puts = new Map(documents.flatMap(({ _id = null }) => this.#keyPut(_id)));
      const printed = this.#hasSpellings ? await this.#keyForm.of([...puts.keys()]) : [];
      for (const [i, [put, id]] of [...puts].entries()) {
        const text = askedAs(wanted, put, printed[i]);
        if (text !== undefined) found.set(text, id);
      }
    }
    return [...found.values()];
  }

  #partsOf({ fields }: Key): KeyPart[] {
    return this.mapping.key.map(({ column: { name, type }, path }) => ({
      path,
      value: fields[name] ?? null,
      hasSpellings: hasSpellings(type),
    }));
  }

  /** A document that is nothing but its `_id`, and that; none for one that can be no key of the table. */
  #keyPut(id: BsonValue): [Put, BsonValue][] {
    const key = unlessFault(() => this.mapping.keyOf(id));
    return key ? [[{ kind: 'put', key, fields: key.fields, omitted: [], isNew: false }, id]] : [];
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

/** By which of the keys a document was asked for, given as its `_id` spells its key and as Postgres prints it. */
function askedAs(wanted: ReadonlyMap<string, unknown>, ...puts: (Put | undefined)[]): string | undefined {
  return puts.map((put) => put?.key.text).find((text) => text !== undefined && wanted.has(text));
}
