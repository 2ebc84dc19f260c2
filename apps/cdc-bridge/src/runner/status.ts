import type { Checkpoint } from '../checkpoints/checkpoint.js';
import type { Control } from '../control/control.js';
import type { PartitionState } from './pipeline.runner.js';
import type { PipelineState, PipelineStatus } from './pipeline.service.js';
import type { PartitionProgress } from './progress.js';

/** What a one-way pipeline's status is made of. */
export interface Standing {
  readonly control: Control;
  readonly isOpen: boolean;
  readonly reasons: readonly string[];
  readonly checkpoints: readonly Checkpoint[];
  /** Null while the topic cannot be asked. */
  readonly progress: readonly PartitionProgress[] | null;
  /** The partitions of this instance. */
  readonly mine: readonly PartitionState[];
  /** Milliseconds of Unix. */
  readonly now: number;
}

type Told = Pick<PipelineStatus, 'state' | 'reasons' | 'rows' | 'lastError' | 'sweep'> & {
  readonly lag: Omit<PipelineStatus['lag'], 'sourceSeconds'>;
};

export function oneWayStatus(standing: Standing): Told {
  const { control, reasons, checkpoints, progress } = standing;
  const total = (of: (checkpoint: Checkpoint) => bigint) =>
    Number(checkpoints.reduce((sum, checkpoint) => sum + of(checkpoint), 0n));
  return {
    state: stateOf(standing),
    reasons,
    rows: { read: total(({ read }) => read), applied: total(({ applied }) => applied) },
    lag: {
      records: progress && Number(progress.reduce((sum, { lag }) => sum + lag, 0n)),
      sinkSeconds: progress && sinkSeconds(progress, standing),
    },
    lastError: control.lastError,
    sweep: control.sweep && { reason: control.sweep.reason, requestedAt: control.sweep.requestedAt },
  };
}

function stateOf({ control, isOpen, reasons }: Standing): PipelineState {
  if (control.paused) return 'paused';
  if (!isOpen) return 'starting';
  return reasons.length > 0 ? 'waiting' : 'running';
}

/** Of another instance's partition only the last record that was applied is known: the oldest one that waits is younger. */
function sinkSeconds(progress: readonly PartitionProgress[], { mine, now }: Standing): number {
  const ages = progress.map(({ partition, lag, lastAt }) => {
    if (lag === 0n) return 0;
    const own = mine.find((each) => each.partition === partition);
    const since = own ? own.pendingSince : lastAt;
    return since ? Math.max(0, now - since.getTime()) / 1_000 : 0;
  });
  return Math.max(0, ...ages);
}
