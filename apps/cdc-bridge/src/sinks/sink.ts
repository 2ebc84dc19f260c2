import type { Move } from '../checkpoints/checkpoint.js';
import type { Effects } from './compaction.js';

/** What a batch without `lacking` rows comes to: those have been read again at the source. */
export type CompleteEffects = Omit<Effects, 'lacking'>;

/** Lets a repair that compared before it writes do so only while it is the only one. */
export interface RepairFence {
  /** How many repairs have written to the pipeline, its own among them. */
  repairs: number;
}

/** Where one-way pipelines write. */
export interface Sink {
  /**
   * Applies a batch and moves its checkpoint, both or neither, within a bounded time.
   * @throws CheckpointMoved where another reader has the partition now: nothing was written
   * @throws RowsMissing where a patch found no row: nothing was written
   * @throws SinkError for everything else: nothing was written, or nobody knows (`canRetry` is then set, and a
   * repetition either applies the batch or meets CheckpointMoved)
   */
  apply(effects: CompleteEffects, move: Move): Promise<void>;

  /**
   * Writes rows while no partition of the pipeline can move: takes the lock on all of its checkpoints, and only then
   * asks what to write. So a row that `effectsOf` reads at the source is never older than what the pipeline has
   * applied, and nothing is applied in between. A bounded time each, the call of `effectsOf` included.
   * @param fence moved on by what is written
   * @returns what was written
   * @throws RepairOvertaken where another repair has written since the fence was put up, or nobody knows whether this
   * one has: nothing more was written
   * @throws what `effectsOf` throws, RowsMissing and SinkError as `apply` does
   */
  repair(
    pipeline: string,
    effectsOf: () => Promise<CompleteEffects>,
    fence?: RepairFence,
  ): Promise<CompleteEffects>;

  /** To be asked for before the rows are compared. Only where rows without a key can flow. @throws SinkError */
  fence?(pipeline: string): Promise<RepairFence>;
}
