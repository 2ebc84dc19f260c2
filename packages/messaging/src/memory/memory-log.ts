import { EventEmitter, once } from 'node:events';
import type { IncomingRecord } from '../delivery/delivery.js';
import type { RecordPosition } from '../message-bus.js';

/** Topics that live as long as this object. Each has the same number of partitions, and is there once it is asked for. */
export class MemoryLog {
  readonly #partitions = new Map<string, IncomingRecord[]>();
  readonly #appended = new EventEmitter().setMaxListeners(0);

  constructor(readonly partitionCount: number) {}

  append(record: Omit<IncomingRecord, 'offset' | 'partition'> & { readonly key: Buffer }): RecordPosition {
    const sum = record.key.reduce((hash, byte) => (hash * 31 + byte) >>> 0, 0);
    const partition = sum % this.partitionCount;
    const records = this.#records(record.topic, partition);
    const position = { topic: record.topic, partition, offset: BigInt(records.length) };
    records.push({ ...record, ...position });
    this.#appended.emit(nameOf(record.topic, partition));
    return position;
  }

  /** At least one record, waiting for it; none when the signal is aborted. */
  async read(topic: string, partition: number, from: bigint, signal: AbortSignal): Promise<IncomingRecord[]> {
    const records = this.#records(topic, partition);
    while (records.length <= Number(from) && !signal.aborted)
      await once(this.#appended, nameOf(topic, partition), { signal }).catch(() => undefined);
    return signal.aborted ? [] : records.slice(Number(from), Number(from) + 100);
  }

  #records(topic: string, partition: number): IncomingRecord[] {
    const records = this.#partitions.get(nameOf(topic, partition)) ?? [];
    this.#partitions.set(nameOf(topic, partition), records);
    return records;
  }
}

export function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
