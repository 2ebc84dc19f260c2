import type { RecordPosition } from '../message-bus.js';
import type { Backoff } from '../middleware/backoff.js';
import type { KafkaConnection } from './kafka-client.js';

/** A header's bytes; several where the record has it several times. */
export type HeaderValue = Buffer | null | readonly (Buffer | null)[];

/** A record as it stands in the log. */
export interface ConsumedRecord extends RecordPosition {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, HeaderValue>>;
  /** The producer's, or the broker's where the topic is set so. */
  readonly timestamp: Date;
  /** Why the compressed batch that held it could not be read, where that is so; key and value are then missing. */
  readonly unreadable?: Error;
}

/** What is handled at once: records of one partition, in order. None where only transaction markers were passed. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumedRecord[];
  /** The offset that comes after the batch, transaction markers included. */
  readonly next: bigint;
  /** The partition's end, as a broker last told it: open transactions included. */
  readonly end: bigint;
  /** Aborted when the partition is lost, or the time to shut down is over. */
  readonly signal: AbortSignal;
}

/** Where the caller's copy of a partition stands. */
export interface StoredPosition {
  /** The offset of the next record. */
  readonly next: bigint;
  /**
   * The last record that was handled. Where the topic still holds it, its timestamp tells whether the topic is still
   * the same one, and not another that was made under its name.
   */
  readonly last?: { readonly offset: bigint; readonly timestamp: Date } | undefined;
}

/** A position that the topic does not hold (any more), or holds something else at. */
export interface LostPosition {
  readonly why: 'out of range' | 'recreated';
  readonly position: bigint;
  /** What the partition holds: from `low`, and before `high`. */
  readonly low: bigint;
  readonly high: bigint;
}

export interface RecordConsumerOptions extends KafkaConnection {
  readonly group: string;
  readonly topics: readonly string[];
  /** Of one batch, and again of what waits behind it, in each partition. A single larger record comes alone. */
  readonly limits: { readonly records: number; readonly bytes: number };
  /**
   * Asked whenever the partition is assigned, and again after a rejected `handle`: where to go on. The caller keeps
   * positions; none is read from Kafka.
   */
  begin(topic: string, partition: number): Promise<bigint | 'earliest' | StoredPosition>;
  /** Resolves when the batch is done; a rejection makes the partition begin again after a growing pause. */
  handle(batch: RecordBatch): Promise<void>;
  /**
   * Told of a position that cannot be gone on from. May answer with the one to go on from, which it has stored for
   * the next `begin`; else the partition stands still, and begins again after a pause. Nothing is ever skipped
   * without its answer.
   */
  onLost?(topic: string, partition: number, lost: LostPosition): Promise<bigint | undefined>;
  /** After so long without a heartbeat a member's partitions go to the others. Default: 10 s. */
  readonly sessionTimeoutMs?: number;
  /** How long `close` waits for the batches in hand before it aborts them. Default: 10 s. */
  readonly closeWithinMs?: number;
  /** The pause before a partition that failed begins again. Default: from 100 ms, doubled up to 10 s. */
  readonly backoff?: Backoff;
  /**
   * Whether positions are committed to the group, for lag monitors to see. Default: true. Kafka forgets a group without
   * a commit some minutes after its last member has left.
   */
  readonly commits?: boolean;
  /** How often positions are checked against the topic, and committed. Default: 5 s. */
  readonly checkEveryMs?: number;
}

/** How far an assigned partition is. */
export interface ConsumedPartition {
  readonly topic: string;
  readonly partition: number;
  /** The offset of the next record; undefined until the caller has told it. */
  readonly position: bigint | undefined;
  /** The partition's end, as a broker last told it. */
  readonly end: bigint | undefined;
}
