import type { Move } from '../checkpoints/checkpoint.js';
import type { Effects } from './compaction.js';

/** What a batch without `lacking` rows comes to: those have been read again at the source. */
export type CompleteEffects = Omit<Effects, 'lacking'>;

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
}
