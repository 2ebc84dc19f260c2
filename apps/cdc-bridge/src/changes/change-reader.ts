import type { Change } from '../sinks/compaction.js';

/** A record of a change topic. */
export interface ChangeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: Date;
  /** Only their names are looked at. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What a record says for one pipeline, in the target's terms. */
export type Reading =
  | {
      readonly kind: 'change';
      readonly change: Change;
      /** When the source committed it; for a row of a snapshot, when that began or it was read. */
      readonly at: Date;
      /** Names the snapshot that the row came with, another for each; null for a streamed change, and of a document. */
      readonly snapshot: string | null;
      /** The row as the connector has read it, in whatever snapshot, and no change of it. */
      readonly isRead?: true;
    }
  /** Every row went at once: other partitions may be before or after. */
  | { readonly kind: 'truncate'; readonly at: Date }
  /** A tombstone, or a change that the pipeline has no use for. */
  | { readonly kind: 'nothing' };

/** Reads a pipeline's change topic. */
export interface ChangeReader {
  /**
   * A row whose image lacks something, or has something that Debezium may have lost, comes as a `Put` with those
   * fields `omitted`; with `isNew`, so that they are read again at the source.
   * @throws CodecError where the bytes cannot be read; with `canRetry` while the registry is away
   * @throws ValueFault where the target cannot hold a value
   * @throws SourceUnavailable where the source had to be asked and did not answer
   */
  read(record: ChangeRecord): Reading | Promise<Reading>;
}

/** A source database did not answer: the same may pass later. */
export class SourceUnavailable extends Error {
  readonly code = 'SOURCE_UNAVAILABLE';
  readonly canRetry = true;
}
