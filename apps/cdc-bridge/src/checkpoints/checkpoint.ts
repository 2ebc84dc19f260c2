/** Where a pipeline stands in one partition of a topic. */
export interface Position {
  readonly pipeline: string;
  readonly topic: string;
  readonly partition: number;
}

/** A compare-and-set: from the offset that the reader began with to the next one to read. */
export interface Move extends Position {
  readonly expected: bigint;
  readonly next: bigint;
  /** What the records between the two came to, added to what was counted before. */
  readonly counts?: MoveCounts;
  /** The last record between the two, where there is one. */
  readonly last?: LastRecord;
}

export interface MoveCounts {
  /** Changes that were read for the pipeline. */
  readonly read: number;
  /** Of these, those that reached the sink: each once, however many of one key were folded into one write. */
  readonly applied: number;
}

export interface LastRecord {
  readonly offset: bigint;
  /** The record's own, by which a topic that was made anew under its name is told from the old one. */
  readonly timestamp: Date;
}

/** What a store knows of one partition. */
export interface Checkpoint {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to read. */
  readonly next: bigint;
  readonly last: LastRecord | null;
  readonly read: bigint;
  readonly applied: bigint;
}

/** The checkpoints of pipelines into one database, kept beside the rows that they speak of. */
export interface CheckpointStore {
  /** Null where the pipeline has not begun. */
  get(position: Position): Promise<Checkpoint | null>;
  /** Begins at an offset, where the pipeline has not begun already. */
  start(position: Position, offset: bigint): Promise<void>;
  /**
   * Moves a checkpoint by itself, with no rows. The last record is forgotten unless the move names one.
   * @throws CheckpointMoved
   */
  jump(move: Move): Promise<void>;
  /** Every partition of a pipeline that was ever begun. */
  all(pipeline: string): Promise<Checkpoint[]>;
}

/**
 * Another repair has written since this one began to compare: what it found may be mended already. It must stop; one
 * that begins anew sees what the other did.
 */
export class RepairOvertaken extends Error {
  readonly code = 'REPAIR_OVERTAKEN';
  readonly canRetry = false;

  constructor(pipeline: string) {
    super(`another repair of ${pipeline} has written since this one compared its rows: repair again`);
  }
}

/**
 * Someone else has moved the checkpoint: this reader has lost its partition. Whatever it was about to write
 * with the move is rolled back; it must stop, and begin again from the checkpoint if the partition is its own.
 */
export class CheckpointMoved extends Error {
  readonly code = 'CHECKPOINT_MOVED';
  readonly canRetry = false;

  constructor({ pipeline, topic, partition, expected }: Move) {
    super(`the checkpoint of ${pipeline} in ${topic}/${partition} is no longer at ${expected}`);
  }
}
