import type { ConsumedRecord, RecordBatch, StoredPosition } from '../record-consumer.types.js';

/** What a caller keeps outside of Kafka: the records of every partition, and the position that moves with them. */
export class StoredCopy {
  readonly positions = new Map<number, StoredPosition>();
  readonly records: ConsumedRecord[] = [];
  readonly begun: number[] = [];

  readonly begin = async (_topic: string, partition: number): Promise<StoredPosition | 'earliest'> => {
    this.begun.push(partition);
    return this.positions.get(partition) ?? 'earliest';
  };

  /** Refuses a batch that does not go on from the position, as a compare-and-set does. */
  readonly handle = async ({ partition, records, next }: RecordBatch): Promise<void> => {
    const expected = this.positions.get(partition)?.next ?? 0n;
    const first = records[0]?.offset ?? next;
    if (first < expected) throw new Error(`${partition}@${first} was applied: the position is ${expected}`);
    this.records.push(...records);
    this.positions.set(partition, { next, last: records.at(-1) ?? this.positions.get(partition)?.last });
  };

  offsets(partition: number): bigint[] {
    return this.records.filter((record) => record.partition === partition).map(({ offset }) => offset);
  }
}
