import type { Log } from '@millrace/messaging';
import type { CheckpointStore } from '../checkpoints/checkpoint.js';
import { type ControlStore, sourceMemoryOf } from '../control/control.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import type { SourceSnapshot } from '../sources/source-watermarks.js';

export interface FollowingPipeline {
  readonly pipeline: OneWayPipeline;
  readonly controls: ControlStore;
  readonly checkpoints: CheckpointStore;
  readonly log: Log;
}

/**
 * Asks for a sweep of a pipeline that may have missed changes, once for each snapshot of its source, whichever process
 * sees it.
 * @throws what the database throws while it is away
 */
export async function followSnapshot(
  { pipeline, controls, checkpoints, log }: FollowingPipeline,
  snapshot: SourceSnapshot,
): Promise<void> {
  const { name } = pipeline;
  // In this order: a pipeline that begins remembers when before it has a checkpoint.
  const hasBegun = (await checkpoints.all(name)).length > 0;
  const control = await controls.all();
  const known = control.get(sourceMemoryOf(name))?.snapshot ?? null;
  const rows = control.get(name)?.snapshot ?? null;
  const decision = onSnapshot({ known, hasBegun, rows, isNever: pipeline.snapshot === 'never' }, snapshot);
  if (decision === 'known') return;
  if (decision === 'sweep') {
    const reason = 'a new snapshot of its source began';
    const message = `${reason}: changes were lost`;
    log.warn(message, { pipeline: name });
    await controls.requestSweep(name, reason);
    await controls.setLastError(name, { code: 'SNAPSHOT_AGAIN', message, at: new Date() });
  }
  // After the request: a crash between asks twice.
  await controls.rememberSnapshot(sourceMemoryOf(name), snapshot.began.toISOString());
}

export interface PipelineMemory {
  /** ISO 8601: when the last snapshot began that was seen to, or the pipeline itself; null where nobody has said. */
  readonly known: string | null;
  /** Whether it has read anything, or is about to. */
  readonly hasBegun: boolean;
  /** The snapshot whose rows came last; null where none came, and of documents. */
  readonly rows: string | null;
  /** Whether it does without the rows that are there, which a sweep would bring. */
  readonly isNever: boolean;
}

/** `known`: seen to. `remember`: the pipeline lacks nothing because of it. `sweep`: it may lack changes, or deletions. */
export function onSnapshot(
  { known, hasBegun, rows, isNever }: PipelineMemory,
  { name, began, isFirst }: SourceSnapshot,
): 'known' | 'remember' | 'sweep' {
  if (known !== null && began.getTime() <= Date.parse(known)) return 'known';
  if (isNever && !hasBegun) return 'remember';
  // Of one that was begun twice the first attempt may have brought a row that is gone by now. In MongoDB both tell of
  // themselves before their documents, in Postgres the second alone may: its table of markers was empty before.
  return isFirst && (rows === null || rows === name) ? 'remember' : 'sweep';
}
