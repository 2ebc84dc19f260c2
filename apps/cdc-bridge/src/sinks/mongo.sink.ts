import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClientSession,
  type Collection,
  type Db,
  type MongoClient,
  MongoServerError,
  type TransactionOptions,
} from 'mongodb';
import { CheckpointMoved, type Move, RepairOvertaken } from '../checkpoints/checkpoint.js';
import type { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { canonicalText } from '../values/canonical.js';
import type { Put } from './compaction.js';
import { byIds, deletion, patch, removal, replacement } from './mongo.writes.js';
import { fromMongo, RowsMissing } from './sink.error.js';
import type { CompleteEffects, RepairFence, Sink } from './sink.js';
import { within } from './within.js';

/** Milliseconds for a statement and for the commit. */
const TIMEOUT_MS = 10_000;
/** Milliseconds that a repair may hold the locks while it reads at the source. */
const LOCKED_MS = 10_000;
/** The longest pause before the locks are tried again: a batch of the pipeline holds one for tens of milliseconds. */
const LOCK_PAUSE_MS = 10;
/** Of MongoDB's error codes. */
const NAMESPACE_EXISTS = 48;
const TRANSACTION: TransactionOptions = { writeConcern: { w: 'majority' }, maxCommitTimeMS: TIMEOUT_MS };

/** Writes a pipeline's documents to one collection: a bulk write and the checkpoint in one transaction. */
export class MongoSink implements Sink {
  private constructor(
    readonly client: MongoClient,
    readonly checkpoints: MongoCheckpoints,
    readonly collection: Collection,
  ) {}

  /** Makes the collection where there is none; other instances may do so at the same time. The client stays the caller's. */
  static async open(
    client: MongoClient,
    checkpoints: MongoCheckpoints,
    db: Db,
    name: string,
  ): Promise<MongoSink> {
    const found = await db.listCollections({ name }, { nameOnly: true }).toArray();
    if (found.length === 0) await db.createCollection(name).catch(unlessThere);
    return new MongoSink(client, checkpoints, db.collection(name));
  }

  async apply(effects: CompleteEffects, move: Move): Promise<void> {
    await using session = this.client.startSession();
    try {
      session.startTransaction(TRANSACTION);
      await this.checkpoints.move(session, move);
      await this.#write(effects, session);
      await session.commitTransaction();
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error instanceof CheckpointMoved || error instanceof RowsMissing ? error : fromMongo(error);
    }
  }

  async fence(pipeline: string): Promise<RepairFence> {
    const repairs = await this.checkpoints.repairs(pipeline).catch((error: unknown) => {
      throw fromMongo(error);
    });
    return { repairs };
  }

  async repair(
    pipeline: string,
    effectsOf: () => Promise<CompleteEffects>,
    fence?: RepairFence,
  ): Promise<CompleteEffects> {
    await using session = this.client.startSession();
    let isOurs = true;
    try {
      const repairs = await this.#lock(pipeline, session);
      isOurs = false;
      if (fence && repairs !== fence.repairs + 1) throw new RepairOvertaken(pipeline);
      const effects = await within(LOCKED_MS, effectsOf());
      isOurs = true;
      await this.#write(effects, session);
      await session.commitTransaction();
      if (fence) fence.repairs = repairs;
      return effects;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw !isOurs || error instanceof RowsMissing ? error : fromMongo(error);
    }
  }

  /** Begins a transaction that has the locks: where MongoDB refuses rather than waits, tries again. */
  async #lock(pipeline: string, session: ClientSession): Promise<number> {
    const until = performance.now() + TIMEOUT_MS;
    for (;;) {
      session.startTransaction(TRANSACTION);
      try {
        return await this.checkpoints.lock(session, pipeline);
      } catch (error) {
        await session.abortTransaction().catch(() => undefined);
        if (fromMongo(error).code !== 'SINK_CONFLICT' || performance.now() > until) throw error;
        await sleep(1 + Math.random() * LOCK_PAUSE_MS);
      }
    }
  }

  async #write(effects: CompleteEffects, session: ClientSession): Promise<void> {
    const { deletes, puts, patches, removals = [] } = effects;
    const options = { session, ordered: false, maxTimeMS: TIMEOUT_MS };
    // Deletes first, and by themselves: of one unordered bulk the driver sends them last, and a row that moved to
    // another key may keep its unique values.
    if (deletes.length > 0) await this.collection.bulkWrite(deletes.map(deletion), options);
    if (puts.length > 0) await this.collection.bulkWrite(puts.map(replacement), options);
    await this.#patch(patches, session);
    if (removals.length > 0) await this.collection.bulkWrite(removals.map(removal), options);
  }

  async #patch(patches: readonly Put[], session: ClientSession): Promise<void> {
    if (patches.length === 0) return;
    const options = { session, ordered: false, maxTimeMS: TIMEOUT_MS };
    const { matchedCount } = await this.collection.bulkWrite(patches.map(patch), options);
    const needed = patches.filter(({ ifThere }) => !ifThere);
    if (matchedCount === patches.length || needed.length === 0) return;
    const ids = needed.map(({ key }) => key.fields._id ?? null);
    const found = await this.collection.find(byIds(ids), { session }).toArray();
    const there = new Set(found.map(({ _id }) => canonicalText(_id)));
    const missing = needed.filter(({ key }) => !there.has(canonicalText(key.fields._id)));
    if (missing.length > 0) throw new RowsMissing(missing.map(({ key }) => key.text));
  }
}

function unlessThere(error: unknown): void {
  if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
}
