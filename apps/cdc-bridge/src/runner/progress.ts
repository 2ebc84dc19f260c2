import { setTimeout as sleep } from 'node:timers/promises';
import type { PartitionRange, TopicOffsets } from '@millrace/messaging';
import type { Checkpoint, CheckpointStore } from '../checkpoints/checkpoint.js';

const EVERY_MS = 50;

/** How far a pipeline is in one partition of its topic. */
export interface PartitionProgress {
  readonly partition: number;
  /** The next offset to read. */
  readonly next: bigint;
  readonly end: bigint;
  /** Records that are still to be read; transaction markers count. */
  readonly lag: bigint;
  /** When the last record that was read was written; null before the first. */
  readonly lastAt: Date | null;
}

/** Sets checkpoints against what the topic holds. A partition without a checkpoint is at its beginning. */
export function progressOf(
  topic: string,
  ranges: readonly PartitionRange[],
  checkpoints: readonly Checkpoint[],
): PartitionProgress[] {
  return ranges.map(({ partition, low, high }) => {
    const found = checkpoints.find((each) => each.topic === topic && each.partition === partition);
    const next = found?.next ?? low;
    return {
      partition,
      next,
      end: high,
      lag: high > next ? high - next : 0n,
      lastAt: found?.last?.timestamp ?? null,
    };
  });
}

/**
 * Resolves when every partition's checkpoint has reached the topic's end as it was at the call, whichever instance
 * moves it.
 * @throws the signal's reason
 */
export async function drained(
  { pipeline, topic }: { readonly pipeline: string; readonly topic: string },
  offsets: Pick<TopicOffsets, 'ranges'>,
  checkpoints: Pick<CheckpointStore, 'all'>,
  signal: AbortSignal,
): Promise<void> {
  const ends = await offsets.ranges(topic);
  while (!(await isApplied({ pipeline, topic }, ends, checkpoints)))
    await sleep(EVERY_MS, undefined, { signal });
}

/** Whether every partition's checkpoint has reached its end as it was, whichever instance moves it. */
export async function isApplied(
  { pipeline, topic }: { readonly pipeline: string; readonly topic: string },
  ends: readonly PartitionRange[],
  checkpoints: Pick<CheckpointStore, 'all'>,
): Promise<boolean> {
  return progressOf(topic, ends, await checkpoints.all(pipeline)).every(({ lag }) => lag === 0n);
}
