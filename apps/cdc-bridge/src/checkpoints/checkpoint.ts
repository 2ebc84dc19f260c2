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
