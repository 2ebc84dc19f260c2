import type { ClientSession, Collection, Db, MongoClient } from 'mongodb';
import { CheckpointMoved, type Move } from '../checkpoints/checkpoint.js';
import type { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { canonicalText } from '../values/canonical.js';
import type { Put } from './compaction.js';
import { deletion, patch, replacement } from './mongo.writes.js';
import { fromMongo, RowsMissing } from './sink.error.js';
import type { CompleteEffects, Sink } from './sink.js';

/** Milliseconds for a statement and for the commit. */
const TIMEOUT_MS = 10_000;

/** Writes a pipeline's documents to one collection: a bulk write and the checkpoint in one transaction. */
export class MongoSink implements Sink {
  private constructor(
    readonly client: MongoClient,
    readonly checkpoints: MongoCheckpoints,
    readonly collection: Collection,
  ) {}

  /** Makes the collection where there is none. The client stays the caller's. */
  static async open(
    client: MongoClient,
    checkpoints: MongoCheckpoints,
    db: Db,
    name: string,
  ): Promise<MongoSink> {
    const found = await db.listCollections({ name }, { nameOnly: true }).toArray();
    if (found.length === 0) await db.createCollection(name);
    return new MongoSink(client, checkpoints, db.collection(name));
  }

  async apply({ deletes, puts, patches }: CompleteEffects, move: Move): Promise<void> {
    await using session = this.client.startSession();
    try {
      const writes = [...deletes.map(deletion), ...puts.map(replacement)];
      session.startTransaction({ writeConcern: { w: 'majority' }, maxCommitTimeMS: TIMEOUT_MS });
      await this.checkpoints.move(session, move);
      const options = { session, ordered: false, maxTimeMS: TIMEOUT_MS };
      if (writes.length > 0) await this.collection.bulkWrite(writes, options);
      await this.#patch(patches, session);
      await session.commitTransaction();
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error instanceof CheckpointMoved || error instanceof RowsMissing ? error : fromMongo(error);
    }
  }

  async #patch(patches: readonly Put[], session: ClientSession): Promise<void> {
    if (patches.length === 0) return;
    const options = { session, ordered: false, maxTimeMS: TIMEOUT_MS };
    const { matchedCount } = await this.collection.bulkWrite(patches.map(patch), options);
    if (matchedCount === patches.length) return;
    const ids = patches.map(({ key }) => key.fields._id);
    const found = await this.collection.find({ _id: { $in: ids as never[] } }, { session }).toArray();
    const there = new Set(found.map(({ _id }) => canonicalText(_id)));
    const missing = patches.filter(({ key }) => !there.has(canonicalText(key.fields._id)));
    throw new RowsMissing(missing.map(({ key }) => key.text));
  }
}
