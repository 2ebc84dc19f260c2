import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  Long,
} from 'mongodb';
import { type BsonDocument, type BsonValue, TYPED_READS } from '../values/bson-value.js';
import { canonicalText } from '../values/canonical.js';
import { documentOf, RAW_READS } from '../values/raw-document.js';
import type { Attempt } from './attempt.js';
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

interface StateDocument {
  _id: 'baseline';
  at: Date;
  plan: Document;
}

/** Milliseconds within which a statement must answer. */
const TIMEOUT_MS = 5_000;

/** A pair's collection, its bases and its conflict log. */
export class MongoSide {
  readonly #bases: Collection<BaseDocument>;
  readonly #state: Collection<StateDocument>;
  /** The losing documents. */
  readonly conflicts: Collection;

  /** @param own the bridge's own database */
  constructor(
    readonly collection: Collection,
    readonly own: Db,
    readonly pair: string,
  ) {
    this.#bases = own.collection(`${pair}.bases`);
    this.#state = own.collection(`${pair}.state`);
    this.conflicts = own.collection(`${pair}.conflicts`);
  }

  /** Makes the bridge's own collections and the pair's: a transaction should not. */
  async create(): Promise<void> {
    for (const [db, name] of await this.#missing()) await db.createCollection(name);
    await this.conflicts.createIndex({ at: 1, _id: 1 }); // the order in which it is listed
  }

  /** The collections that are still to be made. */
  async missing(): Promise<string[]> {
    return (await this.#missing()).map(([db, name]) => `${db.databaseName}.${name}`);
  }

  /** Those of the bridge's own that are there. */
  async ownCollections(): Promise<string[]> {
    return (await this.#ownNames()).map((name) => `${this.own.databaseName}.${name}`);
  }

  /** Removes the bridge's own collections, the conflict log with them. */
  async drop(): Promise<void> {
    for (const name of await this.#ownNames()) await this.own.dropCollection(name);
  }

  async #missing(): Promise<[Db, string][]> {
    const wanted: [Db, string][] = [
      [this.collection.db, this.collection.collectionName],
      [this.own, this.#bases.collectionName],
      [this.own, this.conflicts.collectionName],
      [this.own, `${this.pair}.unmapped`],
      [this.own, `${this.pair}.state`],
    ];
    const missing: [Db, string][] = [];
    for (const [db, name] of wanted) {
      if ((await db.listCollections({ name }, { nameOnly: true }).toArray()).length === 0) {
        missing.push([db, name]);
      }
    }
    return missing;
  }

  async #ownNames(): Promise<string[]> {
    const names = ['bases', 'conflicts', 'unmapped', 'state'].map((what) => `${this.pair}.${what}`);
    const found = await this.own.listCollections({ name: { $in: names } }, { nameOnly: true }).toArray();
    return found.map(({ name }) => name);
  }

  /** Documents and bases by the key's text, in the snapshot of the session's transaction. */
  async read(
    session: ClientSession,
    ids: ReadonlyMap<string, BsonValue>,
    keyOf: (id: BsonValue) => string,
  ): Promise<{ docs: Map<string, BsonDocument>; bases: Map<string, Base>; bytes: number }> {
    const options = { session, maxTimeMS: TIMEOUT_MS };
    let bytes = 0;
    const docs = await this.collection
      .find({ _id: { $in: [...ids.values()] as never[] } }, { ...options, ...RAW_READS })
      .map((raw) => {
        const document = raw as unknown as Uint8Array;
        bytes += document.byteLength;
        return documentOf(document);
      })
      .toArray();
    const bases = await this.#bases
      .find({ _id: { $in: [...ids.keys()] } }, { ...options, promoteLongs: false })
      .toArray();
    return {
      docs: new Map(docs.map((doc) => [keyOf(doc._id ?? null), doc])),
      bases: new Map(bases.map(({ _id, rev, hash }) => [_id, { rev: rev.toBigInt(), hash }])),
      bytes,
    };
  }

  /** Writes within the session's transaction: the user's documents last, so that they are locked the shortest. */
  async write(session: ClientSession, writes: readonly DocWrite[]): Promise<void> {
    const options = { session, maxTimeMS: TIMEOUT_MS };
    await this.#bases.bulkWrite(writes.map(baseWrite), options);
    const losers = writes.filter(({ conflict }) => conflict);
    if (losers.length > 0) {
      const entries = losers.map(({ key, id, old }) => ({ key, id, loser: old, at: new Date() }));
      await this.conflicts.insertMany(entries, options);
    }
    const documents = writes.flatMap(documentWrite);
    if (documents.length > 0) await this.collection.bulkWrite(documents, options);
  }

  /** When a first baseline of the pair was begun; null where none was. */
  async baselineAt(): Promise<Date | null> {
    const found = await this.#state.findOne({ _id: 'baseline' }, { maxTimeMS: TIMEOUT_MS });
    return found?.at ?? null;
  }

  /** Remembers that the first baseline was told, and with what it found. */
  async beginBaseline(plan: Document): Promise<void> {
    await this.#state.updateOne(
      { _id: 'baseline' },
      { $setOnInsert: { at: new Date(), plan } },
      { upsert: true },
    );
  }

  /** The bases of keys, as the majority of the replica set has them. */
  async basesOf(keys: readonly string[]): Promise<Map<string, Base>> {
    const found = await this.#bases
      .find(
        { _id: { $in: [...keys] } },
        { promoteLongs: false, readConcern: 'majority', maxTimeMS: TIMEOUT_MS },
      )
      .toArray();
    return new Map(found.map(({ _id, rev, hash }) => [_id, { rev: rev.toBigInt(), hash }]));
  }

  /** The highest revision that a base was ever given, 0 where there is none. */
  async highestRev(): Promise<bigint> {
    const [highest] = await this.#bases
      .find({}, { promoteLongs: false, sort: { rev: -1 }, limit: 1 })
      .toArray();
    return highest?.rev.toBigInt() ?? 0n;
  }

  /** The ids of every document, in pages, by their order in the index, which is one over all types. */
  async *everyId(attempt: Attempt, page = 1_000): AsyncGenerator<BsonValue[]> {
    const order = { _id: 1 } as const;
    for (let last: BsonValue | undefined; ; ) {
      const after = last === undefined ? {} : { min: { _id: last } as Document };
      const found = await attempt(() =>
        this.collection
          .find<BsonDocument>({}, { ...TYPED_READS, ...after, projection: order, hint: order, sort: order })
          .limit(page + 1)
          .maxTimeMS(TIMEOUT_MS)
          .toArray(),
      );
      const ids = found.map(({ _id }) => _id ?? null);
      if (last !== undefined && canonicalText(ids[0]) === canonicalText(last)) ids.shift(); // `min` includes it
      if (ids.length > 0) yield ids;
      if (found.length <= page) return;
      last = ids.at(-1);
    }
  }

  /** Every key that has a base, in pages. */
  async *everyBase(attempt: Attempt, page = 1_000): AsyncGenerator<string[]> {
    for (let after = ''; ; ) {
      const found = await attempt(() =>
        this.#bases
          .find({ _id: { $gt: after } }, { projection: { _id: 1 }, sort: { _id: 1 }, limit: page })
          .maxTimeMS(TIMEOUT_MS)
          .toArray(),
      );
      if (found.length > 0) yield found.map(({ _id }) => _id);
      if (found.length < page) return;
      after = found.at(-1)?._id ?? after;
    }
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
