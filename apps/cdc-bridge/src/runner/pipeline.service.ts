import type { Control } from '../control/control.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import type { SourceSnapshot } from '../sources/source-watermarks.js';

/**
 * - `starting`: its databases or its topic have not been reached yet
 * - `running`, `paused`: as it was asked to
 * - `waiting`: something that it needs does not answer; `reasons` tell what
 * - `stopped`: it cannot go on until a person has seen to it; `reasons` tell why
 */
export type PipelineState = 'starting' | 'running' | 'paused' | 'waiting' | 'stopped';

/** How a pipeline stands, as any instance sees it. */
export interface PipelineStatus {
  readonly name: string;
  readonly kind: 'one-way' | 'two-way';
  readonly from: string;
  readonly to: string;
  readonly state: PipelineState;
  readonly reasons: readonly string[];
  readonly lag: {
    /** Records that wait in the topic; null where that is not known. */
    readonly records: number | null;
    /** How far the connector is behind the source; null where that is not known. */
    readonly sourceSeconds: number | null;
    /** Age of the oldest change that is not applied yet, at most; null where that is not known. */
    readonly sinkSeconds: number | null;
  };
  readonly rows: { readonly read: number; readonly applied: number };
  readonly lastError: { readonly code: string; readonly message: string; readonly at?: Date } | null;
  /** A sweep that was asked for and is not done. */
  readonly sweep: { readonly reason: string; readonly requestedAt: Date } | null;
  /** What values may lose on their way, and of a pair what applications may meet. */
  readonly reports: readonly string[];
  /** Only of a pair. */
  readonly pair?: {
    readonly conflicts: number;
    /** Looks at keys that were equal already: echoes, repeats. */
    readonly withoutWrite: number;
    readonly queued: number;
    readonly parked: { readonly count: number; readonly sample: readonly object[] };
    readonly unmapped: { readonly count: number; readonly sample: readonly object[] };
  };
}

/** What both kinds of pipeline let the service do with them. */
export interface PipelineService {
  readonly pipeline: Pipeline;
  /** Returns at once: what is away is waited for. */
  start(): void;
  /** Does as all instances have agreed. */
  follow(control: Control): void;
  status(): Promise<PipelineStatus>;
  /** Why the pipeline does not do its work; none while it does, or is paused. */
  reasons(): string[];
  /** What does not flow, while the rest does. */
  notes?(): Promise<string[]>;
  /** @throws PipelineNotReady */
  verify(signal: AbortSignal): Promise<object>;
  /** @param from of a pair: the side that wins wherever they differ. @throws PipelineNotReady, NotAPair */
  repair(signal: AbortSignal, from?: 'postgres' | 'mongo'): Promise<object>;
  /** Brings the rows of its dead letters as the source has them. @throws PipelineNotReady, NotOneWay, ReplayNeedsKey */
  replay(signal: AbortSignal): Promise<object>;
  /** The pipeline's rows once more, and a sweep after them. @throws PipelineNotReady */
  resnapshot(): Promise<void>;
  /** Follows a snapshot of all that it reads: that tells neither of rows that are gone, nor of a table that is empty. */
  snapshotBegan(snapshot: SourceSnapshot): Promise<void>;
  /** Finishes what is in hand, within a bounded time. */
  close(): Promise<void>;
}

/** The pipeline has not been opened yet, or is paused: what was asked needs it to run. */
export class PipelineNotReady extends Error {
  readonly code = 'PIPELINE_NOT_READY';
  readonly canRetry = true;
}

export class PipelinePaused extends PipelineNotReady {
  constructor(name: string) {
    super(`${name} is paused: resume it first`);
  }
}

/** What was asked is a matter of a source and a target. */
export class NotOneWay extends Error {
  readonly code = 'PIPELINE_TWO_WAY';
  readonly canRetry = false;

  constructor(name: string, what: string) {
    super(`${name} goes both ways: ${what}`);
  }
}

/** What was asked is a matter of two sides that both change. */
export class NotAPair extends Error {
  readonly code = 'PIPELINE_ONE_WAY';
  readonly canRetry = false;

  constructor(name: string, what: string) {
    super(`${name} goes one way: ${what}`);
  }
}
