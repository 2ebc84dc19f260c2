import type { ConsumedRecord, LostPosition, StoredPosition } from './record-consumer.types.js';
import type { PartitionRange } from './topic-offsets.js';

/** From where a partition is handled and, a record earlier, fetched: that one shows whether the topic is the same. */
export interface StartingPoint {
  readonly next: bigint;
  readonly fetchFrom: bigint;
  readonly witness: StoredPosition['last'];
}

/** A position that cannot be gone on from. */
export class PositionOutOfRange extends Error {
  readonly code = 'POSITION_OUT_OF_RANGE';
  readonly canRetry = false;

  constructor(
    topic: string,
    partition: number,
    readonly lost: LostPosition,
  ) {
    const { why, position, low, high } = lost;
    super(
      why === 'recreated'
        ? `${topic}/${partition} is no longer the topic that was read up to ${position}: it was made anew`
        : `${topic}/${partition} holds offsets from ${low} to ${high}, and not ${position}`,
    );
    this.name = 'PositionOutOfRange';
  }
}

/** @returns what is lost where the partition does not hold the position */
export function startingPoint(
  stored: bigint | 'earliest' | StoredPosition,
  { low, high }: PartitionRange,
): StartingPoint | LostPosition {
  if (stored === 'earliest') return { next: low, fetchFrom: low, witness: undefined };
  const { next, last } = typeof stored === 'bigint' ? { next: stored } : stored;
  if (next < low || next > high) return { why: 'out of range', position: next, low, high };
  const witness = last !== undefined && last.offset >= low && last.offset < next ? last : undefined;
  return { next, fetchFrom: witness?.offset ?? next, witness };
}

/** Whether the first record of a fetch from the witness' offset is the witness. */
export function isSameTopic(
  witness: NonNullable<StoredPosition['last']>,
  first: ConsumedRecord | undefined,
): boolean {
  return first?.offset === witness.offset && first.timestamp.getTime() === witness.timestamp.getTime();
}
