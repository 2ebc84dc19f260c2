import type { DeadLetters, Log, TopicOffsets } from '@millrace/messaging';
import type { CheckpointStore } from '../checkpoints/checkpoint.js';
import type { ControlStore } from '../control/control.js';
import type { Route } from '../mapping/route.js';
import type { Sink } from '../sinks/sink.js';
import type { Gate } from './gate.js';

/** What a one-way pipeline runs on. All of it stays its owner's. */
export interface RunnerParts {
  readonly route: Route;
  readonly sink: Sink;
  readonly checkpoints: CheckpointStore;
  readonly control: ControlStore;
  readonly deadLetters: Pick<DeadLetters, 'write'>;
  readonly offsets: Pick<TopicOffsets, 'range' | 'ranges'>;
  readonly brokers: readonly string[];
  readonly log: Log;
  /** Closed while the pipeline is paused. */
  readonly gate: Gate;
  readonly limits: RunnerLimits;
  /** Told of rows that the topic does not hold any more, beside the sweep that is asked for then. */
  requestSnapshot(): Promise<void>;
}

export interface RunnerLimits {
  /** Most records of a batch. */
  readonly records: number;
  /** Most bytes of a batch; a single larger record comes alone. */
  readonly bytes: number;
  /** How long a row that conflicts, alone in its batch, is tried again before it counts as refused. */
  readonly conflictPatienceMs: number;
  /** The same where somebody else holds what is written, and the row itself may be as good as any. */
  readonly contentionPatienceMs: number;
  /** How long `close` waits for the batches in hand. */
  readonly closeWithinMs: number;
}

export const RUNNER_LIMITS: RunnerLimits = {
  records: 2_000,
  bytes: 8 * 1024 * 1024,
  conflictPatienceMs: 15_000,
  // MongoDB keeps an open transaction for a minute unless told otherwise: of a killed bridge too.
  contentionPatienceMs: 150_000,
  closeWithinMs: 5_000,
};
