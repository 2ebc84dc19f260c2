import { SourceUnavailable } from '../changes/change-reader.js';
import { CheckpointMoved } from '../checkpoints/checkpoint.js';
import { RowsMissing, SinkError } from '../sinks/sink.error.js';
import { ValueFault } from '../values/value.fault.js';

/**
 * What a failure asks of the runner:
 * - `moved`: someone else has the partition: stop
 * - `missing`: read the rows again at the source, and go on
 * - `refused`: the same record will be refused again, or as many at once: find it, bury it, go on
 * - `conflict`: the same may pass a moment later, and with fewer rows sooner
 * - `away`: something does not answer: wait for it, however long
 */
export type Failure = 'moved' | 'missing' | 'refused' | 'conflict' | 'away';

export function failureOf(error: unknown): Failure {
  if (error instanceof CheckpointMoved) return 'moved';
  if (error instanceof RowsMissing) return 'missing';
  if (error instanceof SinkError) {
    if (error.code === 'SINK_REFUSED') return 'refused';
    return error.code === 'SINK_CONFLICT' ? 'conflict' : 'away';
  }
  if (error instanceof ValueFault) return 'refused';
  if (error instanceof SourceUnavailable) return 'away';
  return (error as { canRetry?: unknown } | null)?.canRetry === true ? 'away' : 'refused';
}

/** The database with the bridge's own tables did not answer: the same may pass later. */
export class ControlUnavailable extends Error {
  readonly code = 'CONTROL_UNAVAILABLE';
  readonly canRetry = true;

  constructor(cause: unknown) {
    super(`the bridge's own tables could not be used: ${(cause as Error).message}`, { cause });
  }
}

/** A failure's code and text, as operators read them. */
export function describeFailure(error: unknown): { readonly code: string; readonly text: string } {
  const code = (error as { code?: unknown } | null)?.code;
  const text = error instanceof Error ? error.message : String(error);
  return { code: typeof code === 'string' ? code : (error as Error | null)?.name || 'UNKNOWN', text };
}
