import { createHash } from 'node:crypto';
import type { ConsumedRecord, DeadLetters } from '@millrace/messaging';
import { BSON, type Collection, type Db } from 'mongodb';
import { groupOf } from '../names/bridge-names.js';
import { type BsonDocument, type BsonValue, TYPED_READS } from '../values/bson-value.js';

interface Told {
  /** A hash of the document's `_id`. */
  _id: string;
  id: string;
  /** A hash of the document. */
  version: string;
  reason: string;
  at: Date;
}

/** A document that the pair leaves alone, because its `_id` stands for no key of the table. */
export interface UnmappedDocument {
  /** In Extended JSON. */
  readonly id: string;
  readonly reason: string;
}

/** Milliseconds within which a statement must answer. */
const TIMEOUT_MS = 5_000;
const CODE = 'KEY_UNMAPPED';
const PAGE = 500;

/** Dead-letters documents without a key, once for each version of a document, and remembers which they are. */
export class UnmappedDocuments {
  readonly #told: Collection<Told>;
  readonly #group: string;
  /** One after the other: a check of everything may find a document in the moment in which its change arrives. */
  #telling: Promise<unknown> = Promise.resolve();

  /**
   * @param own the bridge's own database
   * @param topic the collection's change topic, under which a document is dead-lettered that no record told of
   */
  constructor(
    private readonly collection: Collection,
    own: Db,
    pair: string,
    private readonly topic: string,
    private readonly deadLetters: Pick<DeadLetters, 'write'>,
  ) {
    this.#told = own.collection(`${pair}.unmapped`);
    this.#group = groupOf(pair);
  }

  /** @param record the change that told of the document, where one did */
  async tell(id: BsonValue, reason: string, record?: ConsumedRecord): Promise<void> {
    const told = this.#telling.then(() => this.#tell(id, reason, record));
    this.#telling = told.catch(() => undefined);
    await told;
  }

  async #tell(id: BsonValue, reason: string, record?: ConsumedRecord): Promise<void> {
    const name = jsonOf({ _id: id });
    const filter = { _id: { $eq: id as never } };
    const document = await this.collection.findOne<BsonDocument>(filter, {
      ...TYPED_READS,
      maxTimeMS: TIMEOUT_MS,
    });
    if (document === null) {
      await this.#told.deleteOne({ _id: hashOf(name) });
      return;
    }
    const version = hashOf(jsonOf(document));
    const told = await this.#told.findOne({ _id: hashOf(name) }, { maxTimeMS: TIMEOUT_MS });
    if (told?.version === version) return;
    await this.deadLetters.write(record ?? this.#recordOf(name, document), {
      group: this.#group,
      reason: { code: CODE, text: `${name}: ${reason}` },
    });
    await this.#told.replaceOne(
      { _id: hashOf(name) },
      { id: name, version, reason, at: new Date() },
      { upsert: true },
    );
  }

  /**
   * Forgets those whose document is gone, of which no hint has told, and those that have become keys.
   * @param isKey whether an `_id` stands for a key of the table
   */
  async lookAgain(isKey: (id: BsonValue) => boolean): Promise<void> {
    for (let after = ''; ; ) {
      const page = await this.#told
        .find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit: PAGE, maxTimeMS: TIMEOUT_MS })
        .toArray();
      const ids = page.map(({ id }) => BSON.EJSON.parse(id, { relaxed: false })._id as BsonValue);
      const found = await this.collection
        .find(
          { _id: { $in: ids as never[] } },
          { ...TYPED_READS, projection: { _id: 1 }, maxTimeMS: TIMEOUT_MS },
        )
        .toArray();
      const there = new Set(found.map((document) => jsonOf(document as BsonDocument)));
      for (const [i, { _id, id, reason }] of page.entries()) {
        const value = ids[i] ?? null;
        if (isKey(value)) await this.#told.deleteOne({ _id });
        else if (!there.has(id)) await this.tell(value, reason);
      }
      if (page.length < PAGE) return;
      after = page.at(-1)?._id ?? after;
    }
  }

  /** How many there are, and some of them by name. */
  async list(limit = 20): Promise<{ count: number; sample: UnmappedDocument[] }> {
    const [count, found] = await Promise.all([
      this.#told.estimatedDocumentCount({ maxTimeMS: TIMEOUT_MS }),
      this.#told.find({}, { maxTimeMS: TIMEOUT_MS }).sort({ at: -1 }).limit(limit).toArray(),
    ]);
    return { count, sample: found.map(({ id, reason }) => ({ id, reason })) };
  }

  /** As a check of everything finds it, which no record told of: with coordinates that no record has. */
  #recordOf(name: string, document: BsonDocument): ConsumedRecord {
    return {
      topic: this.topic,
      partition: -1,
      offset: -1n,
      key: Buffer.from(name),
      value: Buffer.from(jsonOf(document)),
      headers: {},
      timestamp: new Date(),
    };
  }
}

function jsonOf(document: BsonDocument): string {
  return BSON.EJSON.stringify(document, { relaxed: false });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
