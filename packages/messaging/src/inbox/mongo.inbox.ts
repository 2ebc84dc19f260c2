import { type ClientSession, type Db, MongoServerError } from 'mongodb';

interface InboxDocument {
  _id: string;
  topic: string;
  handledAt: Date;
}

const inbox = (db: Db) => db.collection<InboxDocument>('inbox');

/** The ids of events already handled, in the collection `inbox`. */
export class MongoInbox {
  constructor(private readonly db: Db) {}

  /**
   * The first write of the handler's transaction, an upsert that changes nothing where the id is there: a refused
   * insert would abort the transaction. Where another transaction holds the same id, it throws a
   * TransientTransactionError, and `session.withTransaction` tries again.
   *
   * @returns false when the event was handled before: commit, and do nothing more
   */
  async claim(session: ClientSession, eventId: string, topic: string): Promise<boolean> {
    const result = await inbox(this.db).updateOne(
      { _id: eventId },
      { $setOnInsert: { topic, handledAt: new Date() } },
      { session, upsert: true },
    );
    return result.upsertedCount === 1;
  }
}

/**
 * Lets MongoDB itself remove ids after a time, by a TTL index; called again with another time it changes it.
 *
 * @param retentionMs at least the longest retention among the subscribed topics
 */
export async function expireMongoInbox(db: Db, retentionMs: number): Promise<void> {
  const expireAfterSeconds = Math.ceil(retentionMs / 1_000);
  try {
    await inbox(db).createIndex({ handledAt: 1 }, { name: 'expiry', expireAfterSeconds });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.codeName !== 'IndexOptionsConflict') throw error;
    await db.command({ collMod: 'inbox', index: { name: 'expiry', expireAfterSeconds } });
  }
}
