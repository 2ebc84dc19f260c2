import { type ClientSession, type Collection, type Db, Long } from 'mongodb';
import { CheckpointMoved, type Move, type Position } from './checkpoint.js';

interface CheckpointDocument {
  _id: { pipeline: string; topic: string; partition: number };
  nextOffset: Long;
}

/** The checkpoints of pipelines that write to this MongoDB, in the bridge's own database. */
export class MongoCheckpoints {
  readonly #collection: Collection<CheckpointDocument>;

  constructor(own: Db) {
    this.#collection = own.collection('checkpoints', { promoteLongs: false });
  }

  /** The next offset to read; null where the pipeline has not begun. */
  async read(position: Position): Promise<bigint | null> {
    const found = await this.#collection.findOne({ _id: idOf(position) }, { readConcern: 'majority' });
    return found ? found.nextOffset.toBigInt() : null;
  }

  /** Begins at an offset, where the pipeline has not begun already. */
  async begin(position: Position, offset: bigint): Promise<void> {
    const nextOffset = Long.fromBigInt(offset);
    await this.#collection.updateOne(
      { _id: idOf(position) },
      { $setOnInsert: { nextOffset } },
      { upsert: true, writeConcern: { w: 'majority' } },
    );
  }

  /**
   * Moves a checkpoint within the caller's transaction, which must be aborted if this throws.
   * @throws CheckpointMoved
   */
  async move(session: ClientSession, move: Move): Promise<void> {
    const { matchedCount } = await this.#collection.updateOne(
      { _id: idOf(move), nextOffset: Long.fromBigInt(move.expected) },
      { $set: { nextOffset: Long.fromBigInt(move.next) } },
      { session },
    );
    if (matchedCount === 0) throw new CheckpointMoved(move);
  }
}

function idOf({ pipeline, topic, partition }: Position): CheckpointDocument['_id'] {
  return { pipeline, topic, partition };
}
