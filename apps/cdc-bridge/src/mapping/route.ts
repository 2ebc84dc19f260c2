import type { ChangeReader } from '../changes/change-reader.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import type { SourceRows, TargetRows } from '../rows/rows.js';
import type { Delete, Key, Put } from '../sinks/compaction.js';

/** Everything that a one-way pipeline knows of its two ends. */
export interface Route {
  readonly pipeline: OneWayPipeline;
  /** The topic of the source's changes. */
  readonly topic: string;
  readonly reader: ChangeReader;
  readonly source: SourceRows;
  readonly target: TargetRows;
  /** Fields written at the target, the key's among them; a table's columns may come and go while it streams. */
  readonly columns: readonly string[];
  /** What values may lose on their way, to be told at start. */
  readonly reports: readonly string[];
  /**
   * The source has no key: equal rows can be there more than once, and each has a key of its own at the target.
   * `rowOf` then tells what equal rows have in common; rows are to be compared by it alone, and counted.
   */
  readonly keyless: boolean;
  /** A key's text; without a key, the hash that all rows equal to this one share. */
  rowOf(key: Key): string;
  /**
   * What becomes of a row at the target that the source no longer has, as `deletes` says: null where it stays.
   * @param at when the source lost it
   */
  gone(key: Key, at: Date): Delete | Put | null;
  /** Whether a row at the target stands there only as the mark of one that is gone, or because deletions are ignored. */
  mayBeGone(fields: Put['fields']): boolean;
}
