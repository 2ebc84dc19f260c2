import type { ConsumedRecord } from './record-consumer.types.js';

export interface BatchLimits {
  readonly records: number;
  readonly bytes: number;
}

/** What was fetched in one go: its records, and the offset that comes next. */
export interface Fetched {
  readonly records: readonly ConsumedRecord[];
  readonly next: bigint;
}

/** A record's own bytes around key and value, generously. */
const RECORD_OVERHEAD_BYTES = 64;
/** So many batches wait while one is handled: room to fetch the second while the first is taken. */
const WAITING_BATCHES = 2;

/**
 * The records of a partition that were fetched and not yet taken. Its bound is told, not kept: whoever fills it stops
 * when `isFull`, and so overshoots by one fetch at most.
 */
export class RecordBuffer {
  readonly #records: ConsumedRecord[] = [];
  #bytes = 0;
  #next: bigint;
  #taken: bigint;
  #wake: () => void = () => undefined;
  #isClosed = false;
  #failure: Error | undefined;

  /** @param start what lies before it is not handed out; @param fetchFrom the offset that is fetched first */
  constructor(
    private readonly limits: BatchLimits,
    private readonly start: bigint,
    fetchFrom = start,
  ) {
    this.#taken = start;
    this.#next = fetchFrom;
  }

  /** The offset to be fetched next. */
  get next(): bigint {
    return this.#next;
  }

  get isFull(): boolean {
    const { records, bytes } = this.limits;
    return this.#records.length >= records * WAITING_BATCHES || this.#bytes >= bytes * WAITING_BATCHES;
  }

  add({ records, next }: Fetched): void {
    for (const record of records) {
      if (record.offset < this.start) continue;
      this.#records.push(record);
      this.#bytes += bytesOf(record);
    }
    this.#next = next;
    this.#wake();
  }

  /** Waits for records, or for offsets without any. Undefined when closed. @throws what it was closed with */
  async take(): Promise<Fetched | undefined> {
    while (!this.#isClosed && this.#next <= this.#taken) await this.#woken();
    if (this.#failure) throw this.#failure;
    if (this.#isClosed) return undefined;
    const records = this.#records.splice(0, this.#batchLength());
    for (const record of records) this.#bytes -= bytesOf(record);
    const last = records.at(-1);
    const next = last === undefined || this.#records.length === 0 ? this.#next : last.offset + 1n;
    this.#taken = next;
    this.#wake();
    return { records, next };
  }

  /** Resolves when it has room, or is closed. */
  async room(): Promise<void> {
    while (!this.#isClosed && this.isFull) await this.#woken();
  }

  /** What was not taken is dropped. */
  close(failure?: Error): void {
    this.#isClosed = true;
    this.#failure ??= failure;
    this.#wake();
  }

  #batchLength(): number {
    let bytes = 0;
    const tooMany = this.#records.findIndex((record, index) => {
      bytes += bytesOf(record);
      return index > 0 && (index >= this.limits.records || bytes > this.limits.bytes);
    });
    return tooMany < 0 ? this.#records.length : tooMany;
  }

  #woken(): Promise<void> {
    const before = this.#wake;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = () => undefined;
        before();
        resolve();
      };
    });
  }
}

function bytesOf({ key, value }: ConsumedRecord): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
}
