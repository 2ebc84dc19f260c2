import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  Long,
} from 'mongodb';
import { type BsonDocument, type BsonValue, TYPED_READS } from '../values/bson-value.js';
import type { Base } from './pair.decision.js';

/** A write that came from Postgres. */
export interface DocWrite {
  readonly key: string;
  readonly id: BsonValue;
  readonly conflict: boolean;
  /** The document as it was read; null where there was none. */
  readonly old: BsonDocument | null;
  /** The fields to write; null to delete the document, undefined where only the base moves. */
  readonly fields: BsonDocument | null | undefined;
  /** Null where the base goes too. */
  readonly base: Base | null;
}

interface BaseDocument {
  _id: string;
  rev: Long;
  hash: string | null;
}

/** Milliseconds within which a statement must answer. */
const TIMEOUT_MS = 5_000;

/** A pair's collection, its bases and its conflict log. */
export class MongoSide {
  readonly #bases: Collection<BaseDocument>;
  readonly #conflicts: Collection;

  /** @param own the bridge's own database */
  constructor(
    readonly collection: Collection,
    readonly own: Db,
    readonly pair: string,
  ) {
    this.#bases = own.collection(`${pair}.bases`);
    this.#conflicts = own.collection(`${pair}.conflicts`);
  }

  /** Makes the bridge's own collections and the pair's: a transaction should not. */
  async create(): Promise<void> {
    const wanted: [Db, string][] = [
      [this.collection.db, this.collection.collectionName],
      [this.own, this.#bases.collectionName],
      [this.own, this.#conflicts.collectionName],
    ];
    for (const [db, name] of wanted) {
      const found = await db.listCollections({ name }, { nameOnly: true }).toArray();
      if (found.length === 0) await db.createCollection(name);
    }
  }

  /** Documents and bases by the key's text, in the snapshot of the session's transaction. */
  async read(
    session: ClientSession,
    ids: ReadonlyMap<string, BsonValue>,
    keyOf: (id: BsonValue) => string,
  ): Promise<{ docs: Map<string, BsonDocument>; bases: Map<string, Base> }> {
    const options = { session, maxTimeMS: TIMEOUT_MS };
    const docs = await this.collection
      .find<BsonDocument>({ _id: { $in: [...ids.values()] as never[] } }, { ...options, ...TYPED_READS })
      .toArray();
    const bases = await this.#bases
      .find({ _id: { $in: [...ids.keys()] } }, { ...options, promoteLongs: false })
      .toArray();
    return {
      docs: new Map(docs.map((doc) => [keyOf(doc._id ?? null), doc])),
      bases: new Map(bases.map(({ _id, rev, hash }) => [_id, { rev: rev.toBigInt(), hash }])),
    };
  }

  /** Writes within the session's transaction: the user's documents last, so that they are locked the shortest. */
  async write(session: ClientSession, writes: readonly DocWrite[]): Promise<void> {
    const options = { session, maxTimeMS: TIMEOUT_MS };
    await this.#bases.bulkWrite(writes.map(baseWrite), options);
    const losers = writes.filter(({ conflict }) => conflict);
    if (losers.length > 0) {
      const entries = losers.map(({ key, old }) => ({ key, loser: old, at: new Date() }));
      await this.#conflicts.insertMany(entries, options);
    }
    const documents = writes.flatMap(documentWrite);
    if (documents.length > 0) await this.collection.bulkWrite(documents, options);
  }

  /** The ids of every document, in pages, as hints. */
  async *everyId(page = 10_000): AsyncGenerator<BsonValue[]> {
    const cursor = this.collection.find<BsonDocument>(
      {},
      { projection: { _id: 1 }, batchSize: page, ...TYPED_READS },
    );
    let ids: BsonValue[] = [];
    for await (const { _id } of cursor) {
      ids.push(_id ?? null);
      if (ids.length < page) continue;
      yield ids;
      ids = [];
    }
    if (ids.length > 0) yield ids;
  }

  /** Every key that has a base, as hints. */
  async *everyBase(page = 10_000): AsyncGenerator<string[]> {
    const cursor = this.#bases.find({}, { projection: { _id: 1 }, batchSize: page });
    let keys: string[] = [];
    for await (const { _id } of cursor) {
      keys.push(_id);
      if (keys.length < page) continue;
      yield keys;
      keys = [];
    }
    if (keys.length > 0) yield keys;
  }
}

function baseWrite({ key, base }: DocWrite): AnyBulkWriteOperation<BaseDocument> {
  if (base === null) return { deleteOne: { filter: { _id: key } } };
  const replacement = { rev: Long.fromBigInt(base.rev), hash: base.hash };
  return { replaceOne: { filter: { _id: key }, replacement, upsert: true } };
}

function documentWrite({ id, old, fields }: DocWrite): AnyBulkWriteOperation[] {
  if (fields === undefined) return [];
  const filter: Document = { _id: { $eq: id } };
  if (fields === null) return [{ deleteOne: { filter } }];
  if (old === null) return [{ insertOne: { document: { _id: id as never, ...fields } } }];
  return [{ updateOne: { filter, update: { $set: fields } } }];
}
