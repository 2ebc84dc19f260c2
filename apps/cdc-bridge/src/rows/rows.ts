import type { Fields, Key, Put } from '../sinks/compaction.js';
import type { ValueFault } from '../values/value.fault.js';

/** Is told of a row that no key at the target can stand for, as the source names it. */
export type OnUnmapped = (name: string, fault: ValueFault) => void;

/** A pipeline's source, read directly and in the target's terms: what the target should hold. */
export interface SourceRows {
  /** Every row that the pipeline's filter lets through, in pages of bounded size. */
  all(signal: AbortSignal, onUnmapped?: OnUnmapped): AsyncIterable<readonly Put[]>;
  /** Those of the keys that are there now. */
  read(keys: readonly Key[]): Promise<readonly Put[]>;
}

export interface TargetRow {
  readonly key: Key;
  /** In the target's names, the key's fields among them. */
  readonly fields: Fields;
}

/** A pipeline's target as it is. */
export interface TargetRows {
  all(signal: AbortSignal): AsyncIterable<readonly TargetRow[]>;
  read(keys: readonly Key[]): Promise<readonly TargetRow[]>;
}
