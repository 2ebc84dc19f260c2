import { type ClientSession, type Collection, type Db, Long, type MatchKeysAndValues } from 'mongodb';
import {
  type Checkpoint,
  CheckpointMoved,
  type CheckpointStore,
  type Move,
  type Position,
} from './checkpoint.js';

interface LockDocument {
  _id: string;
  locks: number;
  /** Of the locks, those of repairs. */
  repairs?: number;
}

interface CheckpointDocument {
  _id: { pipeline: string; topic: string; partition: number };
  nextOffset: Long;
  last?: { offset: Long; timestamp: Date } | null;
  read?: Long;
  applied?: Long;
  /** Counts repairs: a write that conflicts with a move. */
  locks?: number;
}

/** Milliseconds; longer than a repair holds its locks. */
const START_TIMEOUT_MS = 30_000;
const MAJORITY = { writeConcern: { w: 'majority' } } as const;

/** The checkpoints of pipelines that write to this MongoDB, in the bridge's own database. */
export class MongoCheckpoints implements CheckpointStore {
  readonly #collection: Collection<CheckpointDocument>;
  readonly #locks: Collection<LockDocument>;

  constructor(readonly own: Db) {
    this.#collection = own.collection('checkpoints', { promoteLongs: false });
    this.#locks = own.collection('pipeline_locks');
  }

  async get(position: Position): Promise<Checkpoint | null> {
    const found = await this.#collection.findOne({ _id: idOf(position) }, { readConcern: 'majority' });
    return found && checkpointOf(found);
  }

  async all(pipeline: string): Promise<Checkpoint[]> {
    const found = await this.#collection
      .find({ '_id.pipeline': pipeline }, { readConcern: 'majority' })
      .sort({ _id: 1 })
      .toArray();
    return found.map(checkpointOf);
  }

  /** Forgets where a pipeline stands. */
  async remove(pipeline: string): Promise<void> {
    await this.#collection.deleteMany({ '_id.pipeline': pipeline }, MAJORITY);
  }

  /** Begins at an offset, where the pipeline has not begun already. Waits for a repair under way. */
  async start(position: Position, offset: bigint): Promise<void> {
    const nextOffset = Long.fromBigInt(offset);
    await using session = this.own.client.startSession();
    await session.withTransaction(
      async () => {
        await this.#touch(session, position.pipeline, { locks: 1 });
        await this.#collection.updateOne(
          { _id: idOf(position) },
          { $setOnInsert: { nextOffset } },
          { upsert: true, session },
        );
      },
      { ...MAJORITY, timeoutMS: START_TIMEOUT_MS },
    );
  }

  /**
   * Within the caller's transaction, as its first statement: keeps every partition of a pipeline from moving or
   * beginning until it ends.
   * @returns how many repairs have locked the pipeline, this one among them
   * @throws MongoError with the label TransientTransactionError where one is moving right now
   */
  async lock(session: ClientSession, pipeline: string): Promise<number> {
    const { repairs = 0 } = (await this.#touch(session, pipeline, { locks: 1, repairs: 1 })) ?? {};
    await this.#collection.updateMany({ '_id.pipeline': pipeline }, { $inc: { locks: 1 } }, { session });
    return repairs;
  }

  /** How many repairs have locked the pipeline. What they wrote is seen by whoever reads with `majority` after this. */
  async repairs(pipeline: string): Promise<number> {
    const found = await this.#locks.findOne({ _id: pipeline }, { readConcern: 'majority' });
    return found?.repairs ?? 0;
  }

  /** A write that conflicts with every other one of its kind, also where the pipeline has no checkpoint yet. */
  #touch(
    session: ClientSession,
    pipeline: string,
    $inc: { locks: 1; repairs?: 1 },
  ): Promise<LockDocument | null> {
    const options = { upsert: true, returnDocument: 'after', session } as const;
    return this.#locks.findOneAndUpdate({ _id: pipeline }, { $inc }, options);
  }

  async jump(move: Move): Promise<void> {
    await this.#move(move, MAJORITY);
  }

  /**
   * Moves a checkpoint within the caller's transaction, which must be aborted if this throws.
   * @throws CheckpointMoved
   */
  async move(session: ClientSession, move: Move): Promise<void> {
    await this.#move(move, { session });
  }

  async #move(move: Move, options: { session: ClientSession } | typeof MAJORITY): Promise<void> {
    const { expected, next, last, counts } = move;
    const $set: MatchKeysAndValues<CheckpointDocument> = {
      nextOffset: Long.fromBigInt(next),
      last: last ? { offset: Long.fromBigInt(last.offset), timestamp: last.timestamp } : null,
    };
    const $inc = {
      read: Long.fromNumber(counts?.read ?? 0),
      applied: Long.fromNumber(counts?.applied ?? 0),
    };
    const { matchedCount } = await this.#collection.updateOne(
      { _id: idOf(move), nextOffset: Long.fromBigInt(expected) },
      { $set, $inc },
      options,
    );
    if (matchedCount === 0) throw new CheckpointMoved(move);
  }
}

function idOf({ pipeline, topic, partition }: Position): CheckpointDocument['_id'] {
  return { pipeline, topic, partition };
}

function checkpointOf({ _id, nextOffset, last, read, applied }: CheckpointDocument): Checkpoint {
  return {
    topic: _id.topic,
    partition: _id.partition,
    next: nextOffset.toBigInt(),
    last: last ? { offset: last.offset.toBigInt(), timestamp: last.timestamp } : null,
    read: read?.toBigInt() ?? 0n,
    applied: applied?.toBigInt() ?? 0n,
  };
}
